# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import struct
import unittest

from Runners.acpi import linker


def entry(command, form, *values):
    return (struct.pack("<I", command) + struct.pack(form, *values)).ljust(linker.ENTRY, b"\0")


def table(signature, body=b"", checksum=0):
    length = linker.HEADER_SIZE + len(body)
    return (struct.pack("<4sIBB", signature, length, 1, checksum)).ljust(linker.HEADER_SIZE, b"\0") + body


TABLES = "etc/acpi/tables"
POINTER = "<56s56sIB"
CHECKSUM = "<56sIII"


def files(script=(), tables=None):
    """A machine with an XSDT that has a FADT and two SSDTs; the FADT has a DSDT, by a pointer of 64 bits."""
    dsdt = table(b"DSDT", b"code", 0)
    ssdt = table(b"SSDT", b"\1")
    other = table(b"SSDT", b"\2")
    facp = table(b"FACP", bytes(112))
    parts = [dsdt, ssdt, other, facp]
    offsets = [sum(map(len, parts[:n])) for n in range(len(parts) + 1)]
    # Each pointer holds the offset in its file until it is relocated.
    facp = facp[:140] + struct.pack("<Q", offsets[0])
    xsdt = table(b"XSDT", struct.pack("<3Q", offsets[3], offsets[1], offsets[2]))
    content = b"".join([*parts[:3], facp, xsdt])
    name, root = TABLES.encode(), linker.ROOT.encode()
    start = offsets[4]
    made = [
        entry(linker.ALLOCATE, "<56sIB", name, 64, 1),
        entry(linker.ALLOCATE, "<56sIB", root, 16, 2),
        entry(linker.ADD_POINTER, POINTER, name, name, offsets[3] + 140, 8),
        *(entry(linker.ADD_POINTER, POINTER, name, name, start + 36 + 8 * n, 8) for n in range(3)),
        entry(linker.ADD_POINTER, POINTER, root, name, linker.RSDP_XSDT, 8),
        *(
            entry(linker.ADD_CHECKSUM, CHECKSUM, name, at + 9, at, len(part))
            for at, part in zip(offsets, [*parts, xsdt])
        ),
        *script,
    ]
    rsdp = b"RSD PTR ".ljust(linker.RSDP_XSDT, b"\0") + struct.pack("<QI", start, 0)
    return {TABLES: tables or content, linker.ROOT: rsdp, linker.SCRIPT: b"".join(made)}


class LinkerTests(unittest.TestCase):
    def test_all_tables_are_reached_and_named(self):
        found = linker.named(linker.reached(linker.Memory(files())))
        self.assertEqual(list(found), ["XSDT", "FACP", "DSDT", "SSDT1", "SSDT2"])
        self.assertEqual(found["DSDT"][36:], b"code")
        self.assertEqual([found["SSDT1"][-1], found["SSDT2"][-1]], [1, 2])
        for each in found.values():
            self.assertEqual(sum(each) & 0xFF, 0)

    def test_a_pointer_is_relocated_to_where_its_file_lies(self):
        memory = linker.Memory(files())
        (address,) = struct.unpack_from("<Q", memory.root(), linker.RSDP_XSDT)
        self.assertEqual(memory.at(address, 4), b"XSDT")
        self.assertGreaterEqual(address, linker.BASE)

    def test_a_wrong_checksum_is_told(self):
        wrong = files([entry(linker.ADD_CHECKSUM, CHECKSUM, TABLES.encode(), 0, 0, 5)])
        with self.assertRaisesRegex(linker.Malformed, "checksum"):
            list(linker.reached(linker.Memory(wrong)))

    def test_a_pointer_to_nothing_is_told(self):
        with self.assertRaisesRegex(linker.Malformed, "nothing lies at 0x1"):
            linker.Memory(files()).at(1, 4)

    def test_an_unknown_command_is_told_and_padding_is_not(self):
        linker.Memory(files([bytes(linker.ENTRY)]))
        with self.assertRaisesRegex(linker.Malformed, "command 9"):
            linker.Memory(files([entry(9, "<I", 0)]))


if __name__ == "__main__":
    unittest.main()
