# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import unittest

from Runners.linux import statistic


class TableTests(unittest.TestCase):
    def test_rows_and_items_are_read(self):
        numbers, names = statistic.read(
            "enum portcullis_statistic {\n"
            "    PORTCULLIS_STATISTIC_A = 2, /* sum: a's: b */\n"
            "    PORTCULLIS_STATISTIC_C = 16, /* sum: c: + item */\n"
            "    /* + 3: d */\n"
            "};\nenum portcullis_its_statistic {\n"
            "    PORTCULLIS_STATISTIC_E = 4, /* gauge: e */\n};\n"
        )
        self.assertEqual(numbers, {"A": 2, "C": 16, "E": 4})
        self.assertEqual(names, {2: "a's: b", 19: "c: d", 516: "now: ITS e"})

    def test_the_header_is_read(self):
        self.assertEqual(statistic.name(2), "aborts that the host took to EL2")
        self.assertEqual(statistic.name(17), "accesses refused: width not permitted")
        self.assertEqual(statistic.name(512 + 34), "ITS loads of GITS_CWRITER")
        self.assertEqual(statistic.name(3 * 512 + 192 + 8), "ITS commands accepted: MAPD")
        self.assertEqual(statistic.name(512 + 96 + 7), "ITS stores to offset 0x1c")
        self.assertEqual(statistic.name(511), "511")
        self.assertEqual(statistic.named("PAGES", of=statistic.PAGE), {320: "pages in use"})
        self.assertIn("\n832 now: ITS pages in use\n", statistic.listing())
