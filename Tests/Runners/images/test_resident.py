# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What is told of an image's code that boot alone runs."""

import unittest

from Runners.images import resident

# Functions of eight bytes: the entry in .head, then code, of which boot's is from 0x2000 on.
SYMBOLS = """
0000000000000000 t entry
0000000000001000 t el2_leave_boot
0000000000001008 t vectors
0000000000001010 t trap
0000000000001018 t pointed
0000000000001020 T pc_guarded_exits
0000000000002000 t el2_boot_text
0000000000002008 t el2_main
0000000000002010 t parse
0000000000003000 t el2_text_end
""".strip().splitlines()

CODE = """
       4: bl 0x2008 <el2_main>
    1008: b 0x1010 <trap>
    1020: b 0x2014 <parse+0x4>
    200c: bl 0x2010 <parse>
""".strip("\n").splitlines()

RELOCATIONS = """
  1 .head 00000100 0000000000000000 0000000000000000 TEXT
  2 .text 00002000 0000000000001000 0000000000001000 TEXT
RELOCATION RECORDS FOR [.debug_info]:
0000000000000000 R_AARCH64_ABS64          parse
RELOCATION RECORDS FOR [.head]:
0000000000000004 R_AARCH64_CALL26         el2_main
0000000000000008 R_AARCH64_ABS64          vectors
RELOCATION RECORDS FOR [.text]:
0000000000001004 R_AARCH64_ADR_PREL_PG_HI21 el2_boot_text
000000000000200c R_AARCH64_CALL26         parse
RELOCATION RECORDS FOR [.rodata]:
0000000000004000 R_AARCH64_ABS64          .text+0x18
0000000000004008 R_AARCH64_PREL32         .text+0x1014
0000000000004010 R_AARCH64_PREL32         .text+0x20
""".strip("\n").splitlines()


def image(code=(), relocations=()):
    """The image with further code and relocations."""
    return resident.Image(SYMBOLS, CODE + list(code), RELOCATIONS + list(relocations))


class ResidentTest(unittest.TestCase):
    """Which functions stay, and what leads out of them."""

    def test_order(self):
        self.assertEqual(image().order(), ["el2_leave_boot", "vectors", "trap", "pointed", "el2_boot_text"])

    def test_closed(self):
        self.assertEqual(list(image().gaps()), [])

    def test_branch(self):
        self.assertEqual(list(image(["    1014: cbz x0, 0x2010 <parse>"]).gaps()), ["trap leads to parse"])

    def test_address(self):
        found = image(relocations=["RELOCATION RECORDS FOR [.text]:", "0000000000001014 R_AARCH64_ADR_PREL_LO21 parse"])
        self.assertEqual(list(found.gaps()), ["trap leads to parse"])
        self.assertIn("parse", found.order())

    def test_pointer(self):
        found = image(relocations=["RELOCATION RECORDS FOR [.data]:", "0000000000005000 R_AARCH64_ABS64 parse"])
        self.assertEqual(list(found.gaps()), ["parse is reached from data or from the entry"])
        self.assertIn("parse", found.order())

    def test_exits_unmapped(self):
        symbols = [line for line in SYMBOLS if "exits" not in line] + ["0000000000002018 T pc_guarded_exits"]
        found = resident.Image(symbols, CODE, RELOCATIONS)
        self.assertIn("no way leads out of an access that aborts", list(found.gaps()))

    def test_order_not_obeyed(self):
        symbols = [line.replace("0000000000002000 t el2_boot", "0000000000002018 t el2_boot") for line in SYMBOLS]
        found = resident.Image(symbols, CODE, RELOCATIONS)
        self.assertIn("el2_main stays mapped: the list was not obeyed", list(found.gaps()))
