#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Makes blobs that no compiler would write, for tests of the device-tree reader.

    hostile.py DIRECTORY

Every run makes the same files. The name of a file begins with what is due to it:
  broken-…   is not a device tree: must be refused as one (exit 65)
  odd-…      is a device tree by the letter; whatever is said about it, nothing may crash
  refused-…  is a device tree whose ITS can't be protected (exit 1)
"""

import os
import struct
import sys

MAGIC = 0xD00DFEED
BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9
HEADER = 40


class Tree:
    """A blob under construction; every method appends one token and says nothing about sense."""

    def __init__(self):
        self.structure = b""
        self.strings = b""

    def token(self, value):
        self.structure += struct.pack(">I", value)
        return self

    def padded(self, data):
        self.structure += data + b"\0" * (-len(data) % 4)
        return self

    def begin(self, name):
        name = name if isinstance(name, bytes) else name.encode()
        return self.token(BEGIN_NODE).padded(name + b"\0")

    def end(self):
        return self.token(END_NODE)

    def string(self, name):
        offset = len(self.strings)
        self.strings += name.encode() + b"\0"
        return offset

    def property(self, name, data=b"", length=None):
        offset = name if isinstance(name, int) else self.string(name)
        self.token(PROP).token(len(data) if length is None else length).token(offset)
        return self.padded(data)

    def blob(self, terminated=True, reserve=b"\0" * 16, **header):
        structure = self.structure + (struct.pack(">I", END) if terminated else b"")
        at = HEADER + len(reserve)
        fields = {
            "magic": MAGIC,
            "totalsize": at + len(structure) + len(self.strings),
            "off_dt_struct": at,
            "off_dt_strings": at + len(structure),
            "off_mem_rsvmap": HEADER,
            "version": 17,
            "last_comp_version": 16,
            "boot_cpuid_phys": 0,
            "size_dt_strings": len(self.strings),
            "size_dt_struct": len(structure),
        }
        fields.update(header)
        return struct.pack(">10I", *fields.values()) + reserve + structure + self.strings


def cells(*values):
    return b"".join(struct.pack(">I", v) for v in values)


def root(address=2, size=2):
    tree = Tree().begin("")
    tree.property("#address-cells", cells(address)).property("#size-cells", cells(size))
    return tree


def its(tree, name="its@8080000", reg=cells(0, 0x8080000, 0, 0x20000)):
    tree.begin(name).property("compatible", b"arm,gic-v3-its\0").property("reg", reg)
    return tree.end()


def board():
    return its(root()).end()


def blobs():
    good = board().blob()

    # Files that end early or aren't trees at all.
    yield "broken-empty", b""
    yield "broken-one-byte", b"\xd0"
    yield "broken-magic-only", good[:4]
    yield "broken-half-header", good[:20]
    yield "broken-header-only", good[:HEADER]
    yield "broken-truncated", good[:-40]
    yield "broken-last-byte-missing", good[:-1]
    yield "broken-text", b"/dts-v1/;\n\n/ {\n};\n"
    yield "broken-zeroes", bytes(4096)
    yield "broken-byte-order", good[:4][::-1] + good[4:]

    # Headers that lie.
    yield "broken-totalsize-huge", board().blob(totalsize=0xFFFFFFFF)
    yield "broken-totalsize-signed", board().blob(totalsize=0x80000000)
    yield "broken-totalsize-zero", board().blob(totalsize=0)
    yield "broken-totalsize-in-header", board().blob(totalsize=HEADER - 1)
    for field in ("off_dt_struct", "off_dt_strings", "off_mem_rsvmap"):
        for name, value in (("huge", 0xFFFFFFF8), ("signed", 0x7FFFFFF8), ("end", len(good))):
            yield f"broken-{field.replace('_', '-')}-{name}", board().blob(**{field: value})
    yield "broken-struct-misaligned", board().blob(off_dt_struct=HEADER + 18)
    yield "broken-struct-in-header", board().blob(off_dt_struct=8)
    yield "broken-struct-size-huge", board().blob(size_dt_struct=0xFFFFFFFC)
    yield "broken-struct-size-zero", board().blob(size_dt_struct=0)
    yield "broken-strings-size-huge", board().blob(size_dt_strings=0xFFFFFFFF)
    yield "broken-version-old", board().blob(version=1, last_comp_version=1)
    yield "broken-version-future", board().blob(version=99, last_comp_version=99)
    yield "broken-reserve-endless", board().blob(
        reserve=b"\1" * 16, off_mem_rsvmap=HEADER, off_dt_struct=HEADER + 16)

    # Structures that don't close, close twice or run off their end.
    yield "broken-no-root", Tree().blob()
    yield "broken-no-end", root().end().blob(terminated=False)
    yield "broken-node-unclosed", its(root()).blob()
    yield "broken-node-closed-twice", its(root()).end().end().blob()
    yield "broken-name-unterminated", root().token(BEGIN_NODE).padded(b"abcdefgh").blob(
        terminated=False)
    yield "broken-token-unknown", root().token(7).end().blob()
    yield "broken-property-outside", Tree().property("model", b"x\0").begin("").end().blob()
    yield "broken-property-length-huge", root().property("a", b"b", 0xFFFFFFFC).end().blob()
    yield "broken-property-length-beyond", root().property("a", b"b", 4096).end().blob()
    yield "broken-property-name-beyond", root().property(1 << 20, b"b").end().blob()
    yield "broken-property-name-signed", root().property(0xFFFFFFFF, b"b").end().blob()
    unterminated = root()
    unterminated.property("x", b"b").strings = unterminated.strings[:-1]
    yield "broken-property-name-unterminated", unterminated.end().blob()

    # Well-formed, but not what anyone would expect.
    yield "odd-empty-tree", Tree().begin("").end().blob()
    yield "odd-trailing-bytes", good + b"\xff" * 100
    yield "odd-nops", its(root().token(NOP).token(NOP)).token(NOP).end().blob()
    deep = root()
    for _ in range(4000):
        deep.begin("n")
    for _ in range(4000):
        deep.end()
    yield "odd-deep", deep.end().blob()
    wide = root()
    for number in range(20000):
        wide.begin(f"n@{number:x}").end()
    yield "odd-wide", wide.end().blob()
    yield "odd-compatible-unterminated", (
        root().begin("its").property("compatible", b"arm,gic-v3-its").end().end().blob())
    yield "odd-compatible-empty", root().begin("x").property("compatible").end().end().blob()
    yield "odd-model-not-text", its(
        root().property("model", b"\xff\xfe\x1b[31m\0")).end().blob()
    yield "odd-long-name", its(root(), "n" * 5000).end().blob()
    yield "odd-status-empty", (
        root().begin("its").property("compatible", b"arm,gic-v3-its\0").property("status")
        .property("reg", cells(0, 0x8080000, 0, 0x20000)).end().end().blob())
    yield "odd-memory-covers-all", its(
        root().begin("memory@0").property("device_type", b"memory\0")
        .property("reg", cells(0, 0, 0xFFFFFFFF, 0xFFFFFFFF)).end()).end().blob()
    many = root()
    for number in range(300):
        many.begin(f"memory@{number:x}00000000").property("device_type", b"memory\0")
        many.property("reg", cells(number, 0, 0, 0x1000)).end()
    yield "odd-memory-many", its(many).end().blob()

    # An ITS that is there and can't be protected.
    yield "refused-its-deep", nested(200).blob()
    yield "refused-name-not-text", its(
        root(), b"its\xff\xc3\x28\x1b[31m\"\\\x01@1", cells(0, 0x8080001, 0, 0x20000)).end().blob()
    yield "refused-reg-empty", its(root(), reg=b"").end().blob()
    yield "refused-reg-odd-length", its(root(), reg=cells(0, 0x8080000, 0) + b"\0").end().blob()
    yield "refused-reg-wraps", its(
        root(), reg=cells(0xFFFFFFFF, 0xFFFFF000, 0, 0x20000)).end().blob()
    yield "refused-reg-beyond-52-bits", its(
        root(), reg=cells(0x100000, 0, 0, 0x20000)).end().blob()
    yield "refused-size-huge", its(
        root(), reg=cells(0, 0x8080000, 0xFFFFFFFF, 0xF0000000)).end().blob()
    yield "refused-cells-zero", its(root(0, 0)).end().blob()
    yield "refused-cells-huge", its(root(0xFFFFFFFF, 0x80000000)).end().blob()
    yield "refused-cells-short", its(
        Tree().begin("").property("#address-cells", b"\0\0\2").property("#size-cells", cells(2))
    ).end().blob()
    yield "refused-ranges-odd-length", its(
        root().begin("bus").property("#address-cells", cells(2)).property("#size-cells", cells(2))
        .property("ranges", cells(0, 0, 0, 0, 0))).end().end().blob()
    yield "refused-many", crowd(1000).blob()


def nested(depth):
    """An ITS below `depth` buses that translate nothing."""
    tree = root()
    for _ in range(depth):
        tree.begin("bus").property("#address-cells", cells(2)).property("#size-cells", cells(2))
        tree.property("ranges")
    its(tree)
    for _ in range(depth):
        tree.end()
    return tree.end()


def crowd(count):
    """As many ITSes, all in one place."""
    tree = root()
    for number in range(count):
        its(tree, f"its@{number:x}")
    return tree.end()


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: hostile.py DIRECTORY")
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, blob in blobs():
        with open(os.path.join(sys.argv[1], name + ".dtb"), "wb") as file:
            file.write(blob)


if __name__ == "__main__":
    main()
