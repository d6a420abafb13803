#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Makes ACPI tables that no compiler would write, for tests of their reader.

    hostile.py DIRECTORY

Every run makes the same folders, each with the tables of a board. The name of a folder begins with what is due to it:
  broken-…   a table is none: must be refused as one (exit 65)
  lies-…     a structure in a table lies: it must be told, with the table and the offset (exit 0 or 1)
  odd-…      tables by the letter; whatever is said about them, nothing may crash
  refused-…  a board that can't be protected (exit 1)
  good-…     a board that can be protected (exit 0), of which the compiler does not know a structure
"""

import os
import struct
import sys

HEADER = 36
NODES = 48


def header(signature, length, revision=1, checksum=0):
    return struct.pack("<4sIBB6s8sI4sI", signature, length, revision, checksum, b"HOSTIL", b"HOSTILE ", 1, b"MADE", 1)


def table(signature, body, revision=1, length=None, checksum=0):
    """A table; `length` is what it says, `checksum` what the sum of its bytes comes to."""
    made = bytearray(header(signature, HEADER + len(body) if length is None else length, revision) + body)
    made[9] = (checksum - sum(made)) & 0xFF
    return bytes(made)


def distributor(version=3, length=24):
    return struct.pack("<BBHIQIB3x", 0xC, length, 0, 0, 0x8000000, 0, version)


def cpu(uid, redistributor=0, flags=1, length=80):
    made = struct.pack("<BBHIIIIIQQQQIQQB3x", 0xB, length, 0, uid, uid, flags, 0, 23, 0, 0, 0, 0, 25, redistributor, uid, 0)
    return made.ljust(80, b"\0")


def redistributors(base=0x80A0000, size=0x40000, length=16):
    return struct.pack("<BBHQI", 0xE, length, 0, base, size)


def its(number=0, base=0x8080000, length=20):
    return struct.pack("<BBHIQI", 0xF, length, 0, number, base, 0)


def madt(*parts, **more):
    return table(b"APIC", bytes(8) + b"".join(parts), 5, **more)


class Nodes:
    """An IORT under construction; each method appends a node and returns where it is."""

    def __init__(self):
        self.nodes = []

    @property
    def place(self):
        return NODES + sum(map(len, self.nodes))

    def node(self, kind, data, mappings=(), revision=1, length=None, count=None, offset=None):
        """A node; `mappings` are (first, count, output, reference, flags), as they are meant."""
        place = self.place
        ids = b"".join(struct.pack("<5I", first, many - 1, out, to, flags) for first, many, out, to, flags in mappings)
        size = 16 + len(data) + len(ids)
        self.nodes.append(
            struct.pack(
                "<BHBIII", kind, size if length is None else length, revision, 0,
                len(mappings) if count is None else count, (16 + len(data)) * bool(mappings) if offset is None else offset,
            ) + data + ids
        )
        return place

    def group(self, *numbers, count=None):
        data = struct.pack(f"<{len(numbers) + 1}I", len(numbers) if count is None else count, *numbers)
        return self.node(0, data, revision=0)

    def root_complex(self, *mappings, segment=0, **more):
        return self.node(2, struct.pack("<IBHBIIB3x", 1, 0, 0, 3, 0, segment, 64), mappings, **more)

    def smmu(self, base, *mappings, **more):
        data = struct.pack("<QIIQIIIIIII", base, 1, 0, 0, 0, 74, 75, 77, 76, 0, 0)
        return self.node(4, data, mappings, **more)

    def component(self, name, *mappings, **more):
        text = name + b"\0"
        return self.node(1, struct.pack("<IIBHBB", 0, 1, 0, 0, 3, 44) + text + bytes(-len(text) % 4), mappings, **more)

    def reserved(self, ranges, *mappings, count=None, offset=28):
        data = struct.pack("<3I", 0, len(ranges) if count is None else count, offset)
        return self.node(6, data + b"".join(struct.pack("<QQI", base, size, 0) for base, size in ranges), mappings)

    def table(self, count=None, offset=NODES, revision=5, **more):
        count = len(self.nodes) if count is None else count
        return table(b"IORT", struct.pack("<III", count, offset, 0) + b"".join(self.nodes), revision, **more)


def fadt(flags=1):
    body = bytearray(276 - HEADER)
    struct.pack_into("<HB", body, 129 - HEADER, flags, 3)
    return table(b"FACP", bytes(body), 6)


GOOD_MADT = (distributor(), cpu(0), cpu(1), redistributors(), its())
ALL = 0x10000


def plain():
    """ITS group, SMMU, root complex: nodes, and where the first two are."""
    nodes = Nodes()
    group = nodes.group(0)
    return nodes, group, nodes.smmu(0x9050000, (0, ALL, 0, group, 0))


def good(madt_parts=GOOD_MADT):
    """A board that can be protected."""
    nodes, _, smmu = plain()
    nodes.root_complex((0, ALL, 0, smmu, 0))
    return {"APIC": madt(*madt_parts), "FACP": fadt(), "IORT": nodes.table()}


def with_table(name, content):
    return {**good(), name: content}


def with_nodes(build, **more):
    """The good board with another IORT; `build` takes its nodes, the ITS group and the SMMU."""
    nodes, group, smmu = plain()
    build(nodes, group, smmu)
    return with_table("IORT", nodes.table(**more))


def broken():
    """Tables that are none."""
    for name, content in good().items():
        low = name.lower()
        yield f"{low}-empty", with_table(name, b"")
        yield f"{low}-one-byte", with_table(name, content[:1])
        yield f"{low}-half-header", with_table(name, content[:20])
        yield f"{low}-truncated", with_table(name, content[:-4])
        yield f"{low}-checksum", with_table(name, content[:9] + bytes([content[9] ^ 1]) + content[10:])
        for what, length in (("zero", 0), ("in-header", 8), ("huge", 0xFFFFFFFF), ("signed", 0x80000000)):
            body = content[HEADER:]
            yield f"{low}-length-{what}", with_table(name, table(name.encode(), body, content[8], length=length))


def lies():
    """Structures that lie about their size, or lead nowhere."""
    for what, part in (
        ("length-0", redistributors(length=0)), ("length-1", redistributors(length=1)), ("length-short", its(length=12)),
        ("length-beyond", its(length=40)), ("cpu-short", cpu(2, length=16)), ("header-alone", b"\x0f"),
    ):  # fmt: skip
        yield f"madt-{what}", with_table("APIC", madt(*GOOD_MADT, part))
    nodes, _, _ = plain()
    yield "iort-count-huge", with_table("IORT", nodes.table(count=0xFFFFFFFF))
    yield "iort-count-one-more", with_table("IORT", nodes.table(count=3))
    for what, offset in (("zero", 0), ("header", 12), ("beyond", 1 << 20), ("huge", 0xFFFFFFFC)):
        yield f"iort-nodes-at-{what}", with_table("IORT", nodes.table(offset=offset))
    yield "iort-node-length-0", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, s, 0), length=0))
    yield "iort-node-length-short", with_nodes(lambda n, g, s: n.smmu(0x9070000, length=20))
    yield "iort-node-length-beyond", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, s, 0), length=0xFFFF))
    yield "iort-mappings-huge", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, s, 0), count=0xFFFFFFFF))
    yield "iort-mappings-wrap", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, s, 0), count=0x0CCCCCCD))
    yield "iort-mappings-beyond", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, s, 0), count=9))
    yield "iort-mapping-offset-huge", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, s, 0), offset=0xFFFFFFF0))
    yield "iort-group-count-huge", with_nodes(lambda n, g, s: n.group(0, count=0x40000001))
    for what, target in (("0", 0), ("between", NODES + 4), ("beyond", 1 << 20), ("huge", 0xFFFFFFFF)):
        yield f"iort-reference-{what}", with_nodes(lambda n, g, s, t=target: n.root_complex((0, ALL, 0, t, 0)))
    yield "iort-rmr-count-huge", with_nodes(lambda n, g, s: n.reserved([(0x70000000, ALL)], (0, 1, 8, s, 1), count=1 << 28))


def cycles():
    """References that come back, or go where none may."""
    yield "smmu-to-itself", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, n.smmu(0x9070000, (0, ALL, 0, n.place, 0)), 0)))

    def two(nodes, group, smmu):
        first = nodes.place
        second = nodes.smmu(0x9070000, (0, ALL, 0, first + 88, 0))
        nodes.smmu(0x9090000, (0, ALL, 0, second, 0))
        nodes.root_complex((0, ALL, 0, second, 0))

    yield "two-smmus-to-each-other", with_nodes(two)
    yield "root-complex-to-itself", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, n.place, 0)))

    def chain(nodes, group, smmu):
        for number in range(100):
            smmu = nodes.smmu(0x9070000 + number * 0x20000, (0, ALL, 0, smmu, 0))
        nodes.root_complex((0, ALL, 0, smmu, 0))

    yield "smmus-in-a-chain", with_nodes(chain)


def refused():
    """Boards that can't be protected."""
    yield "its-misaligned", good((*GOOD_MADT[:-1], its(base=0x8080800)))
    yield "its-beyond-52-bits", good((*GOOD_MADT[:-1], its(base=1 << 60)))
    yield "its-wraps", good((*GOOD_MADT[:-1], its(base=0xFFFFFFFFFFFF0000)))
    yield "its-in-redistributors", good((*GOOD_MADT[:-1], its(base=0x80A0000)))
    yield "many-its", good((*GOOD_MADT, *(its(n, 0x10000000 + n * 0x20000) for n in range(1, 1000))))
    yield "redistributors-wrap", good((*GOOD_MADT[:3], redistributors(base=0xFFFFFFFFFFFF0000, size=0xFFFFFFFF), its()))


def odd():
    """By the letter, but not what anybody would expect."""
    yield "nothing", {}
    yield "madt-alone", {"APIC": madt(*GOOD_MADT)}
    yield "iort-alone", {"IORT": good()["IORT"]}
    yield "madt-without-parts", with_table("APIC", madt())
    yield "madt-unknown-parts", good((*GOOD_MADT, b"\x7f\x02" * 4000))
    yield "madt-longer-parts", good((*GOOD_MADT[:-1], its(length=24) + bytes(4)))
    yield "two-distributors", good((distributor(), *GOOD_MADT))
    yield "same-its-twice", good((*GOOD_MADT, its()))
    yield "one-number-twice", good((*GOOD_MADT, its(base=0x80C0000)))
    yield "trailing-bytes", {name: content + b"\xff" * 100 for name, content in good().items()}
    yield "iort-without-nodes", with_table("IORT", Nodes().table())
    yield "iort-unknown-nodes", with_nodes(lambda n, g, s: [n.node(99, bytes(8)) for _ in range(200)])
    yield "iort-all-ids", with_nodes(lambda n, g, s: n.root_complex((0, 1 << 32, 0, s, 0)))
    yield "iort-ids-wrap", with_nodes(lambda n, g, s: n.root_complex((0xFFFFFF00, 0x10000, 0xFFFFFF00, s, 0)))
    yield "iort-group-unknown", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, n.group(42), 0)))
    yield "iort-group-empty", with_nodes(lambda n, g, s: n.root_complex((0, ALL, 0, n.group(), 0)))
    yield "iort-name-not-text", with_nodes(lambda n, g, s: n.component(b"\xff\xfe\x1b[31m", (0, 1, 8, s, 1)))
    yield "iort-name-endless", with_nodes(lambda n, g, s: n.node(1, bytes(13) + b"\\_SB"))
    yield "iort-many-mappings", with_nodes(lambda n, g, s: n.root_complex(*((i * 8, 8, i * 8, s, 0) for i in range(3000))))
    yield "iort-many-nodes", with_nodes(lambda n, g, s: [n.component(b"\\N%03d" % i, (0, 1, i, s, 1)) for i in range(900)])
    yield "signature-of-another", with_table("APIC", good()["FACP"])
    yield "rmr-wraps", with_nodes(lambda n, g, s: n.reserved([(1 << 63, 1 << 63), (0xFFFFFFFFFFFFF000, 0x2000)], (0, 1, 8, s, 1)))


def made():
    """Boards that can be protected."""
    yield "plain", good()

    def reserved(nodes, group, smmu):
        nodes.root_complex((0, ALL, 0, smmu, 0))
        nodes.reserved([(0x70000000, ALL)], (0, 1, 8, smmu, 1))

    yield "reserved-memory", with_nodes(reserved)


KINDS = {"broken": (broken,), "lies": (lies,), "odd": (odd, cycles), "refused": (refused,), "good": (made,)}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: hostile.py DIRECTORY")
    for kind, makers in KINDS.items():
        for name, tables in (pair for maker in makers for pair in maker()):
            folder = os.path.join(sys.argv[1], f"{kind}-{name}")
            os.makedirs(folder, exist_ok=True)
            for signature, content in tables.items():
                with open(os.path.join(folder, signature), "wb") as file:
                    file.write(content)


if __name__ == "__main__":
    main()
