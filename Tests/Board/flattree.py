# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Changes the device tree that QEMU makes of a board, for boards that QEMU has not."""

import pathlib
import struct
import subprocess

MAGIC = 0xD00DFEED
# The tokens of the structure block (Devicetree Specification 0.4, 5.4).
BEGIN_NODE, END_NODE, PROPERTY, NOP, END = 1, 2, 3, 4, 9


def properties(tree):
    """(path of the node, name, place of the value, its length) of each property of a flattened tree.

    Raises ValueError where it is none.
    """
    return (item for item in items(tree) if item[1] is not None)


def place(tree, node):
    """Where the properties of the node with this path begin; ValueError where there is none."""
    for path, name, at, _ in items(tree):
        if name is None and path == node:
            return at
    raise ValueError(f"no node {node}")


def items(tree):
    """As `properties`, with an item without a name in front of those of each node: where they begin."""
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
            yield "/".join(path) or "/", None, at, 0
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
    """The tree with what `change` makes of the cells, a list, of its one property `name`.

    Raises ValueError where there is none or more than one, or where the number of cells changes.
    """
    found = [each for each in properties(tree) if each[1] == name]
    if len(found) != 1:
        raise ValueError(f"{len(found)} properties are named {name}")
    _, _, at, length = found[0]
    new = change(cells(tree, at, length))
    if 4 * len(new) != length:
        raise ValueError("the number of cells changes")
    return replaced(tree, at, new)


def cells(tree, at, length):
    """The cells of the property whose value is there."""
    return list(struct.unpack_from(f">{length // 4}I", tree, at))


def replaced(tree, at, new):
    """The tree with other cells at the place of a value."""
    data = struct.pack(f">{len(new)}I", *new)
    return tree[:at] + data + tree[at + len(data) :]


def with_property(tree, node, name, value):
    """The tree with a property of bytes in front of those of the node with this path.

    Raises ValueError where there is no such node, or it has the property.
    """
    if any((path, each) == (node, name) for path, each, *_ in properties(tree)):
        raise ValueError(f"{node} has {name}")
    begin = place(tree, node)
    magic, size, structure, strings, *rest = struct.unpack_from(">10I", tree)
    more = struct.pack(">3I", PROPERTY, len(value), rest[4]) + value + bytes(-len(value) % 4)
    new_name = name.encode() + b"\0"
    # The strings are the last block of a tree that is packed.
    end = strings + rest[4]
    rest[4] += len(new_name)
    rest[5] += len(more)
    head = struct.pack(
        ">10I", magic, size + len(more) + len(new_name), structure, strings + len(more), *rest
    )
    body = tree[len(head) : begin] + more + tree[begin:end] + new_name
    whole = head + body
    padding = bytes(-len(whole) % 8)
    return whole[:4] + struct.pack(">I", len(whole + padding)) + whole[8:] + padding


def disabled(tree, node):
    """The tree with a node, which has no `status` yet, disabled."""
    return with_property(tree, node, "status", b"disabled\0")


def packed(tree):
    """The tree without the room behind its last block, the strings: QEMU would double what it loads."""
    _, _, _, strings, _, _, _, _, size = struct.unpack_from(">9I", tree)
    end = (strings + size + 7) & ~7
    return tree[:4] + struct.pack(">I", end) + tree[8:end].ljust(end - 8, b"\0")


def dump(command, path):
    """The tree that QEMU makes by this command, by way of a file at `path`."""
    subprocess.run(
        [*command, "-machine", f"dumpdtb={path}"],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return pathlib.Path(path).read_bytes()


def board_with(command, path, change):
    """`command` for a board with what `change` makes of its tree; the tree is left at `path`."""
    pathlib.Path(path).write_bytes(change(packed(dump(command, path))))
    return [*command, "-dtb", str(path)]


def edited(command, path, edit, address=None):
    """`command` for a board whose tree has the source that `edit` makes of it; the tree is left at `path`.

    With an address it lies there beside QEMU's own, which QEMU completes; the firmware has to know.

    Raises ValueError where that changes nothing.
    """

    def compiled(form, to, data):
        call = ["dtc", "-q", "-I", form, "-O", to]
        return subprocess.run(call, check=True, input=data, stdout=subprocess.PIPE).stdout

    source = compiled("dtb", "dts", packed(dump(command, path))).decode()
    changed = edit(source)
    if changed == source:
        raise ValueError("the tree is not changed")
    pathlib.Path(path).write_bytes(compiled("dts", "dtb", changed.encode()))
    if address:
        return [*command, "-device", f"loader,file={path},addr={address:#x},force-raw=on"]
    return [*command, "-dtb", str(path)]
