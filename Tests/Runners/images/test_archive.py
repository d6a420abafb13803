# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What the archive's checks see in what the tools print."""

import struct
import unittest

from Runners.images import archive

HEADER = """
// Of libfdt it needs fdt_check_full; portcullis_old() was here.
enum portcullis_status portcullis_init(void *memory);
size_t portcullis_state_size(void);
"""


def note(kind=archive.NOTE_TYPE, number=archive.FEATURES, value=3):
    properties = struct.pack("<IIII", number, 4, value, 0)
    return struct.pack("<III4s", 4, len(properties), kind, b"GNU\0") + properties


class Disassembly(unittest.TestCase):
    def check(self, *instructions):
        lines = ["0000000000000000 <f>:", *(f"       {i * 4:x}:      \t{text}" for i, text in enumerate(instructions))]
        return list(archive.disassembly_problems("\n".join(lines)))

    def test_good_code(self):
        self.assertEqual(self.check("bti\tc", "ldr\tx0, [x1, #0x18]", "b\t0xd8 <f+0xd8>", "ret"), [])
        self.assertEqual(self.check("paciasp", "mov\tw19, w8"), [])

    def test_bad_code(self):
        self.assertEqual(self.check("mov\tx0, x1"), ["f has no landing pad"])
        self.assertEqual(self.check("bti\tc", "mov\tw18, w0", "mov\tx18, x0"), ["f names x18"])
        for operands in ("q0, [x1]", "v31.16b, v1.16b", "d8, d9", "{ v0.2d }, [x0]"):
            with self.subTest(operands):
                self.assertEqual(self.check("bti\tc", f"ldr\t{operands}"), ["f names a SIMD register"])

    def test_nothing_is_no_good_code(self):
        self.assertEqual(list(archive.disassembly_problems("")), ["no function is there"])


class Symbols(unittest.TestCase):
    DEFINED = {"portcullis_init", "portcullis_state_size"}

    def test_all_is_well(self):
        self.assertEqual(list(archive.symbol_problems(self.DEFINED, {"fdt_check_full"}, HEADER)), [])

    def test_each_difference_is_told(self):
        found = list(archive.symbol_problems({"portcullis_init", "portcullis_old"}, {"fdt_check"}, HEADER))
        self.assertEqual(
            found,
            [
                "portcullis_old is global, and no function of portcullis.h",
                "portcullis_state_size is not there",
                "fdt_check is undefined, and portcullis.h does not say so",
            ],
        )


class Note(unittest.TestCase):
    def test_features(self):
        self.assertEqual(archive.features(note()), 3)
        self.assertEqual(archive.features(note(kind=1) + note(value=1)), 1)

    def test_none(self):
        for text in (b"", note(number=1), note()[:20]):
            self.assertEqual(archive.features(text), 0)
