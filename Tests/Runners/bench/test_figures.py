# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the figures in the documentation."""

import re
import unittest

from Runners import ROOT
from Runners.bench import figures

ARTICLE = ROOT / "Sources/Hypervisor/Hypervisor.docc/Figures.md"


class FiguresTest(unittest.TestCase):
    def test_reading(self):
        lines = ["Compiling 3 files", "a-b  12", "c  113.0  (aim: 120, met)\n", "d 4 5"]
        self.assertEqual(figures.read(lines), {"a-b": (12, None), "c": (113, "120, met")})

    def test_table(self):
        found = {name: (1234, None) for _, names, _ in figures.ROWS for name in names}
        found["each-further-mapti"] = (120, "110, missed")
        rows = figures.table(found).splitlines()
        self.assertEqual(len(rows), 2 + len(figures.ROWS))
        self.assertIn("| each further MAPTI of a batch | 120 instructions | 110, missed |", rows)
        del found["resident"]
        self.assertRaises(KeyError, figures.table, found)

    def test_place(self):
        found = {name: (1, None) for _, names, _ in figures.ROWS for name in names}
        text = f"a\n{figures.BEGIN}old\n{figures.END}b\n"
        once = figures.written(text, found)
        self.assertTrue(once.startswith("a\n") and once.endswith(figures.END + "b\n"))
        self.assertNotIn("old", once)
        self.assertEqual(figures.written(once, found), once)
        for broken in ("a\n", f"a\n{figures.BEGIN}"):
            self.assertRaises(ValueError, figures.written, broken, found)

    def test_article(self):
        rows = re.findall(r"^\| (.+?) \| ([\d.,]+)", ARTICLE.read_text("utf-8").partition(figures.BEGIN)[2], re.MULTILINE)
        self.assertEqual([what for what, _ in rows][: len(figures.ROWS)], [what for what, _, _ in figures.ROWS])
