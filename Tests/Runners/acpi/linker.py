# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Puts the ACPI tables of QEMU together, as firmware does.

QEMU hands firmware files and a script. The script says what firmware has to allocate, which pointers it has to
relocate, and which checksums it has to compute.
"""

import struct

SCRIPT = "etc/table-loader"
ROOT = "etc/acpi/rsdp"
# A script is a list of entries of this size; a file name has so many bytes.
ENTRY = 128
NAME = 56
ALLOCATE, ADD_POINTER, ADD_CHECKSUM, WRITE_POINTER = 1, 2, 3, 4
# Where the first file is put. Any address does that is not 0.
BASE = 0x1000_0000

# The header of a table: signature, and the length of the whole.
HEADER = struct.Struct("<4sI")
HEADER_SIZE = 36
# Offsets of pointers: XSDT in RSDP, DSDT and its 64-bit form in FADT, FACS and its 64-bit form.
RSDP_XSDT = 24
FADT_POINTERS = ((140, 40), (132, 36))


class Malformed(Exception):
    """A script or a table that makes no sense."""


class Memory:
    """The files of a machine as firmware has put them in its memory."""

    def __init__(self, files):
        """Carries out the script of `files`, which are bytes by their names."""
        self._files = files
        # Address and content by name.
        self._placed = {}
        self._next = BASE
        script = files[SCRIPT]
        for offset in range(0, len(script), ENTRY):
            self._carry_out(script[offset : offset + ENTRY])

    def _carry_out(self, entry):
        (command,) = struct.unpack_from("<I", entry)
        body = entry[4:]
        if command == ALLOCATE:
            self._allocate(*struct.unpack_from(f"<{NAME}sI", body))
        elif command == ADD_POINTER:
            self._add_pointer(*struct.unpack_from(f"<{NAME}s{NAME}sIB", body))
        elif command == ADD_CHECKSUM:
            self._add_checksum(*struct.unpack_from(f"<{NAME}sIII", body))
        elif command not in (0, WRITE_POINTER):
            # 0 fills the script up. A pointer for QEMU itself changes no table.
            raise Malformed(f"the script has a command {command}")

    def _allocate(self, name, alignment):
        content = bytearray(self._files[_text(name)])
        self._next += -self._next % (alignment or 1)
        self._placed[_text(name)] = self._next, content
        self._next += len(content)

    def _add_pointer(self, target, source, offset, size):
        content = self._placed[_text(target)][1]
        value = int.from_bytes(content[offset : offset + size], "little") + self._placed[_text(source)][0]
        content[offset : offset + size] = value.to_bytes(size, "little")

    def _add_checksum(self, name, offset, start, length):
        content = self._placed[_text(name)][1]
        content[offset] = (content[offset] - sum(content[start : start + length])) & 0xFF

    def root(self):
        """The RSDP."""
        return bytes(self._placed[ROOT][1])

    def at(self, address, length):
        """What lies at an address."""
        for start, content in self._placed.values():
            if start <= address and address + length <= start + len(content):
                return bytes(content[address - start : address - start + length])
        raise Malformed(f"nothing lies at {address:#x}")

    def table(self, address):
        """The table at an address, with the checksum right."""
        signature, length = HEADER.unpack(self.at(address, HEADER.size))
        table = self.at(address, length)
        if sum(table) & 0xFF:
            raise Malformed(f"{signature!r}: the checksum is wrong")
        return table


def _text(name):
    return name.partition(b"\0")[0].decode()


def _pointer(table, wide, narrow):
    """A pointer of the FADT: the wide form where it is not 0."""
    value = struct.unpack_from("<Q", table, wide)[0] if len(table) >= wide + 8 else 0
    return value or struct.unpack_from("<I", table, narrow)[0]


def reached(memory):
    """All tables that are reached from the RSDP, XSDT first."""
    (address,) = struct.unpack_from("<Q", memory.root(), RSDP_XSDT)
    listed = memory.table(address)
    yield listed
    for (address,) in struct.iter_unpack("<Q", listed[HEADER_SIZE:]):
        table = memory.table(address)
        yield table
        if table.startswith(b"FACP"):
            for wide, narrow in FADT_POINTERS:
                if pointed := _pointer(table, wide, narrow):
                    yield memory.table(pointed)


def named(tables):
    """The tables by the names that Linux gives them in /sys/firmware/acpi/tables.

    A table whose signature others have too has a number, from 1 on.
    """
    tables = list(tables)
    signatures = [table[:4].decode("ascii") for table in tables]
    found = {}
    for number, (signature, table) in enumerate(zip(signatures, tables)):
        several = signatures.count(signature) > 1
        found[signature + (str(signatures[: number + 1].count(signature)) if several else "")] = table
    return found
