# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What counts as a line of code, and to which room a source belongs."""

import re
import unittest

from Runners import ROOT
from Runners.gate import lines


class CodeLines(unittest.TestCase):
    def test_blanks_and_comments_do_not_count(self):
        text = "// a\n\n/* b\nc */\n  let x = 1  // d\n/* e */\n#if f\n}\n"
        self.assertEqual(lines.code_lines(text), 3)

    def test_rooms(self):
        self.assertEqual(lines.room_of("Sources/ITS/MediatedITS.swift"), "ITS")
        self.assertEqual(lines.room_of("CShims/Fdt/fdt.c"), "CFdt")
        self.assertIsNone(lines.room_of("Tests/Runners/gate/lines.py"))

    def test_every_room_of_the_image_and_the_library_counts_as_EL2(self):
        manifest = (ROOT / "Package.swift").read_text("utf-8")
        rooms = set(re.findall(r'room\(\s*"(\w+)"', manifest)) - {"Inspection", "Replay"}
        self.assertTrue(rooms)
        self.assertEqual(rooms - set(lines.EL2), set())
