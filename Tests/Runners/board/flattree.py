# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Changes the device tree that QEMU makes of a board, for boards that QEMU has not."""

import pathlib
import struct
import subprocess

from Runners import qemu

MAGIC = 0xD00DFEED
# The tokens of the structure block (Devicetree Specification 0.4, 5.4).
BEGIN_NODE, END_NODE, PROPERTY, NOP, END = 1, 2, 3, 4, 9


def properties(tree):
    """(path of the node, name, place of the value, its length) of each property of a flattened tree.

    Raises ValueError where it is none.
    """
    magic, _, structure, strings = struct.unpack_from(">4I", tree)
    if magic != MAGIC:
        raise ValueError("no device tree")
    path = []
    at = structure
    while True:
        (token,) = struct.unpack_from(">I", tree, at)
        at += 4
        if token == BEGIN_NODE:
            end = tree.index(b"\0", at)
            path.append(tree[at:end].decode())
            at = (end + 4) & ~3
        elif token == END_NODE:
            path.pop()
        elif token == PROPERTY:
            length, offset = struct.unpack_from(">2I", tree, at)
            at += 8
            name = tree[strings + offset : tree.index(b"\0", strings + offset)].decode()
            yield "/".join(path) or "/", name, at, length
            at = (at + length + 3) & ~3
        elif token == END:
            return
        elif token != NOP:
            raise ValueError(f"no token: {token}")


def with_cells(tree, name, change):
    """The tree with what `change` makes of the cells, a list, of its one property `name`, or `node/name`.

    Raises ValueError where there is none or more than one, or where the number of cells changes.
    """
    found = [each for each in properties(tree) if f"{each[0]}/{each[1]}".endswith(f"/{name}")]
    if len(found) != 1:
        raise ValueError(f"{len(found)} properties are named {name}")
    _, _, at, length = found[0]
    form = f">{length // 4}I"
    changed = struct.pack(form, *change(list(struct.unpack_from(form, tree, at))))
    return tree[:at] + changed + tree[at + length :]


def with_node(tree, name, **cells):
    """The tree with one more node at the end of its root: `name`, and properties that are cells or a text."""
    head = list(struct.unpack_from(">10I", tree))
    _, _, structure, strings, _, _, _, _, strings_size, structure_size = head
    texts = tree[strings : strings + strings_size]
    body = struct.pack(">I", BEGIN_NODE) + padded(name.encode() + b"\0")
    for key, value in cells.items():
        data = value.encode() + b"\0" if isinstance(value, str) else struct.pack(f">{len(value)}I", *value)
        body += struct.pack(">3I", PROPERTY, len(data), len(texts)) + padded(data)
        texts += key.encode() + b"\0"
    body += struct.pack(">I", END_NODE)
    # Behind all nodes of the root, whose end and the tree's are the last two tokens.
    end = structure + structure_size - 8
    if struct.unpack_from(">2I", tree, end) != (END_NODE, END):
        raise ValueError("the structure does not end with its root")
    head[3], head[8], head[9] = strings + len(body), len(texts), structure_size + len(body)
    changed = struct.pack(">10I", *head) + tree[40:end] + body + tree[end:strings] + texts
    changed += bytes(-len(changed) % 8)
    return changed[:4] + struct.pack(">I", len(changed)) + changed[8:]


def padded(data):
    """Data up to a multiple of four bytes."""
    return data + bytes(-len(data) % 4)


def packed(tree):
    """The tree without the room behind its last block, the strings: QEMU would double what it loads."""
    _, _, _, strings, _, _, _, _, size = struct.unpack_from(">9I", tree)
    end = (strings + size + 7) & ~7
    return tree[:4] + struct.pack(">I", end) + tree[8:end].ljust(end - 8, b"\0")


def board_with(command, path, name, change):
    """`command` for a board whose tree has the property `name` changed, or, without a name, is what `change`
    makes of it; the tree is left at `path`."""
    tree = packed(qemu.tree_of(command, path))
    tree = with_cells(tree, name, change) if name else change(tree)
    pathlib.Path(path).write_bytes(tree)
    return [*command, *qemu.with_tree(path)]


def edited(command, path, edit, address=None):
    """`command` for a board whose tree has the source that `edit` makes of it; the tree is left at `path`.

    With an address it lies there beside QEMU's own, which QEMU completes; the firmware has to know.

    Raises ValueError where that changes nothing.
    """

    def compiled(form, to, data):
        call = ["dtc", "-q", "-I", form, "-O", to]
        return subprocess.run(call, check=True, input=data, stdout=subprocess.PIPE).stdout

    source = compiled("dtb", "dts", packed(qemu.tree_of(command, path))).decode()
    changed = edit(source)
    if changed == source:
        raise ValueError("the tree is not changed")
    pathlib.Path(path).write_bytes(compiled("dts", "dtb", changed.encode()))
    if address:
        return [*command, *qemu.loader(path, address)]
    return [*command, *qemu.with_tree(path)]
