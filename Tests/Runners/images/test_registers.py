# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""F-37: the check of an image finds FP and SIMD registers behind a trap, and nowhere else."""

import unittest

from Runners.images import registers

SYMBOLS = ["1000 T vectors", "2000 t $e4trap", "3000 t leaf", "4000 T fdt_boot", "1000 t $x"]


def image(leaf, vectors="bl 0x2000 <x>"):
    lines = [
        f"    1000:      \t{vectors}", "    2000:      \tcbz\tx3, 0x3000 <leaf>", f"    3000:      \t{leaf}",
        "    4000:      \tldr\tq0, [x0]",
    ]  # fmt: skip
    return registers.Image(SYMBOLS, lines)


class Registers(unittest.TestCase):
    def test_of_general_registers_nothing_is_said(self):
        for leaf in ("ldp\tx8, x9, [sp, #16]", "mov\tw8, #0xd0", "msr\tSPSR_EL2, x1", "add\tx0, x0, #0xb1", "b.eq\t0x2000 <v0>", "00 00 d0 00   \t.word\t0x00d00000"):
            with self.subTest(leaf):
                self.assertEqual(image(leaf).problems(("vectors",)), [])

    def test_each_kind_of_register_is_found_with_the_way_to_it(self):
        for leaf in (
            "ldr\tq0, [x0]", "movi\tv0.2d, #0000000000000000", "stp\td8, d9, [sp]", "fmov\ts1, w0",
            "mov\tx0, v3.d[1]", "st1\t{ v0.8b }, [x0]", "ldr\tz0, [x0]", "msr\tFPCR, x0", "ptrue\tp0.b",
        ):  # fmt: skip
            with self.subTest(leaf):
                problems = image(leaf).problems(("vectors",))
                self.assertEqual(len(problems), 1)
                self.assertIn("leaf from $e4trap from vectors", problems[0])

    def test_where_no_branch_leads_only_boot_may_use_them(self):
        problems = image("ldr\tq0, [x0]", vectors="b\t0x1000 <x>").problems(("vectors",))
        self.assertTrue(any("leaf" in problem for problem in problems))
        self.assertFalse(any("fdt_boot" in problem for problem in problems))

    def test_behind_a_trap_boot_may_not_either(self):
        self.assertIn("fdt_boot", image("b\t0x4000 <fdt_boot>").problems(("vectors",))[0])

    def test_an_image_without_vectors_or_of_which_nothing_is_reached_is_none(self):
        self.assertEqual(image("nop").problems(("el2_vectors",)), ["no function el2_vectors"])
        self.assertEqual(
            image("nop", vectors="nop").problems(("vectors",)), ["nothing is reached from the vectors"]
        )
