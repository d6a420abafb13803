# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes ACPI tables of boards, sound ones and hostile ones, each board in a file: tables at multiples of 8."""

import itertools
import pathlib
import struct

from Runners import commandline

# The tables that a board is read from.
READ = (b"APIC", b"FACP", b"SPCR", b"MCFG", b"IORT")


def table(signature, content, revision=1):
    """A table with its header and its checksum."""
    head = struct.pack("<4sIBB6s8sIII", signature, 36 + len(content), revision, 0, b"PORTCL", b"TABLES  ", 1, 0, 1)
    return sealed(head + content)


def sealed(content):
    """The table with the checksum that its bytes ask for."""
    return content[:9] + bytes([-(sum(content) - content[9]) & 0xFF]) + content[10:]


def packed(tables):
    """The tables one after another, each at a multiple of 8."""
    out = b""
    for each in tables:
        out += bytes(-len(out) % 8) + each
    return out


def distributor(version=3):
    """GICD."""
    return struct.pack("<BBHIQIB3x", 0x0C, 24, 0, 0, 0x8000000, 0, version)


def processor(affinity, flags=1, parking=0, redistributor=0):
    """GICC."""
    head = struct.pack("<BBHIIIII", 0x0B, 80, 0, 0, 0, flags, parking, 23)
    return head + struct.pack("<QQQQIQQ4x", 0, 0, 0, 0, 25, redistributor, affinity)


def redistributors(base=0x80A0000, size=0xF60000):
    """GICR."""
    return struct.pack("<BBHQI", 0x0E, 16, 0, base, size)


def its(number=0, base=0x8080000):
    """GIC ITS."""
    return struct.pack("<BBHIQI", 0x0F, 20, 0, number, base, 0)


def madt(*entries):
    """MADT."""
    return table(b"APIC", bytes(8) + b"".join(entries), 4)


def fadt(flags=1):
    """FADT 6.3."""
    content = bytearray(276 - 36)
    content[129 - 36 : 132 - 36] = struct.pack("<HB", flags, 3)
    return table(b"FACP", bytes(content), 6)


def spcr(kind=3, bits=32, access=3):
    """SPCR."""
    return table(b"SPCR", struct.pack("<B3xBBBBQ28x", kind, 0, bits, 0, access, 0x9000000), 2)


def mcfg(*entries):
    """MCFG, of base, segment, first and last bus."""
    return table(b"MCFG", bytes(8) + b"".join(struct.pack("<QHBB4x", *entry) for entry in entries))


def mapping(first, count, output, target, single=0):
    """An ID mapping to the node with the index `target`, or to a place that is told as ("at", offset)."""
    return first, count, output, target, single


def node(kind, content, *mappings, revision=1):
    """A node of the IORT."""
    return kind, revision, content, mappings


def iort(*nodes, revision=3, count=None):
    """IORT."""
    lengths = [16 + len(content) + 20 * len(mappings) for _, _, content, mappings in nodes]
    starts = list(itertools.accumulate(lengths, initial=48))
    out = struct.pack("<III", len(nodes) if count is None else count, 48, 0)
    for length, (kind, own, content, mappings) in zip(lengths, nodes):
        place = 16 + len(content) if mappings else 0
        out += struct.pack("<BHBIII", kind, length, own, 0, len(mappings), place) + content
        for first, number, output, target, single in mappings:
            reference = target[1] if isinstance(target, tuple) else starts[target]
            out += struct.pack("<IIIII", first, number - 1 & 0xFFFFFFFF, output, reference, single)
    return table(b"IORT", out, revision)


def group(*numbers):
    """A group of ITSes."""
    return node(0, struct.pack(f"<I{len(numbers)}I", len(numbers), *numbers))


def component(*mappings):
    """A named component."""
    return node(1, bytes(13) + b"\\_SB.DEV0\0\0", *mappings)


def root(segment, *mappings):
    """A root complex."""
    return node(2, struct.pack("<QIII", 0, 0, segment, 0), *mappings)


def smmu(*mappings, base=0x9050000, model=0, own=0, revision=4, interrupts=(106, 107, 108, 109)):
    """An SMMUv3."""
    content = struct.pack("<QIIQI4III", base, 1, 0, 0, model, *interrupts, 0, own)
    return node(4, content, *mappings, revision=revision)


def monitor(base, second):
    """A performance monitor."""
    return node(5, struct.pack("<QIIQ", base, 0, 0, second))


def reserved(*ranges):
    """Reserved memory."""
    return node(6, struct.pack("<III", 0, len(ranges), 28) + b"".join(struct.pack("<QQI", *each, 0) for each in ranges))


def boards():
    """The boards: a name, and the tables."""
    whole = madt(distributor(), redistributors(), processor(0), processor(1), its())
    space = mcfg((0x4010000000, 0, 0, 255))
    every = 0x10000
    rest = [whole, fadt(), spcr(), space]
    yield "plain", rest
    yield "direct", [*rest, iort(group(0), root(0, mapping(0, every, 0, 0)))]
    yield "smmu", [*rest, iort(group(0), smmu(mapping(0, every, 0, 0)), root(0, mapping(0, every, 0, 1)))]
    yield "holes", [*rest, iort(group(0), smmu(mapping(8, 8, 0, 0)), root(0, mapping(4, 8, 4, 1), mapping(256, 9, 0, 0)))]
    yield "own", [*rest, iort(group(0), smmu(mapping(0, 1, 7, 0, 1), own=0, interrupts=(0, 0, 0, 0)))]
    yield "everything", [
        *rest,
        iort(
            group(0), smmu(mapping(0, every, 0, 0)), node(3, bytes(60), mapping(0, 4, 9, 0)),
            root(0, mapping(0, every, 0, 1)), component(mapping(0, 1, 5, 1, 1), mapping(1, 4, 6, 2)),
            monitor(0x2B420000, 0x2B430000), reserved((0x47000000, 0x100000)), node(9, b""),
        ),
    ]  # fmt: skip
    yield "segments", [*rest[:3], mcfg((1 << 38, 1, 0, 255), (1 << 39, 2, 0, 1)), iort(smmu(), root(1, mapping(0, every, 0, 0)))]
    frames = [processor(number, redistributor=0x80A0000 + 0x20000 * number) for number in range(6)]
    yield "frames", [madt(distributor(), *frames), fadt()]
    yield "parked", [madt(distributor(), redistributors(), processor(0), processor(1, parking=1)), fadt()]
    yield "console", [whole, fadt(3), spcr(0x12, 8, 1)]
    # Hostile ones.
    yield "circle", [*rest, iort(smmu(mapping(0, every, 0, 0)), root(0, mapping(0, every, 0, 1)))]
    yield "nowhere", [*rest, iort(root(0, mapping(0, every, 0, ("at", 49)), mapping(0, 0, 0, ("at", 0xFFFFFFFF))))]
    yield "wrapping", [*rest, iort(group(0), root(0, mapping(0xFFFFFFFF, 2, 0, 0)), component(mapping(0, 2, 0xFFFFFFFF, 0)))]
    yield "overlapping", [*rest, iort(group(0), smmu(), root(0, *(mapping(n, 9, n, n % 2) for n in range(40))))]
    yield "endless", [*rest, iort(group(0), count=0xFFFFFFFF)]
    yield "many", [madt(distributor(), *(its(n, n << 17) for n in range(40)), *(redistributors(n << 24) for n in range(70)))]
    yield "lengths", [madt(distributor(), b"\x0f\x00"), table(b"IORT", b""), table(b"MCFG", b"\0"), table(b"SPCR", b"")]
    yield "twice", [whole, whole]


def of_folder(folder):
    """The tables in the files of a folder that are read."""
    contents = [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]
    return [content for content in contents if content[:4] in READ]


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("out", type=pathlib.Path, help="where the files are put")
    parser.add_argument("folder", type=pathlib.Path, nargs="*", help="tables of another board, each in a file")
    options = parser.parse_args()
    for name, tables in boards():
        (options.out / f"{name}.acpi").write_bytes(packed(tables))
    for folder in options.folder:
        (options.out / f"folder-{folder.name}.acpi").write_bytes(packed(of_folder(folder)))


if __name__ == "__main__":
    main()
