# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The tables that are written: whole, and as many as they are to be."""

import pathlib
import struct
import tempfile
import unittest

from Runners.corpus import tables


class Tables(unittest.TestCase):
    def test_every_table_adds_up(self):
        names = set()
        for name, board in tables.boards():
            names.add(name)
            for each in board:
                self.assertEqual(sum(each) & 0xFF, 0, name)
                self.assertEqual(struct.unpack_from("<I", each, 4)[0], len(each), name)
        self.assertGreater(len(names), 15)

    def test_references_are_starts_of_nodes(self):
        content = tables.iort(tables.group(0), tables.root(0, tables.mapping(0, 4, 5, 0)))
        self.assertEqual(struct.unpack_from("<5I", content, len(content) - 20), (0, 3, 5, 48, 0))

    def test_tables_begin_at_multiples_of_eight(self):
        packed = tables.packed([tables.fadt(), tables.spcr()])
        self.assertEqual(packed.index(b"SPCR") % 8, 0)

    def test_of_a_folder_what_is_read_is_taken(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "apic.dat").write_bytes(tables.madt())
            (folder / "dsdt.dat").write_bytes(tables.table(b"DSDT", b""))
            (folder / "data").mkdir()
            self.assertEqual(tables.of_folder(folder), [tables.madt()])


if __name__ == "__main__":
    unittest.main()
