# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What the rules of the house find, each by an error that is planted."""

import contextlib
import pathlib
import tempfile
import unittest
import unittest.mock

from Runners import ROOT
from Runners.gate import lint

PICTURE = """
## Rooms

Words.

                │ Sources      │ Tests
    programs    │ tool         │ Bench
    monitor     │ Monitor      │
    pages       │ Pages        │ Simulation
                │ Words  Bits  │
    C, assembly │ CBits        │

More words │ and more.
"""
TARGETS = {
    "CBits": set(), "Bits": {"CBits"}, "Words": set(), "Pages": {"Bits", "Words"}, "Simulation": {"Words"},
    "Monitor": {"Pages"}, "tool": {"Monitor"}, "Bench": {"Simulation", "Monitor"},
}  # fmt: skip


class FileTests(unittest.TestCase):
    def test_what_is_built_is_left_out_at_the_top_alone(self):
        with tempfile.TemporaryDirectory() as top, contextlib.chdir(top):
            for name in (".build/a", ".build-fuzz/b", "Tests/.build/c", "Tests/d"):
                path = pathlib.Path(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            self.assertEqual([str(path) for path in lint.files()], ["Tests/d", "Tests/.build/c"])


class HouseTests(unittest.TestCase):
    def find(self, text=PICTURE, **targets):
        return [*lint.check_house(lint.read_picture(text), TARGETS | targets)]

    def test_a_picture_is_read_from_the_ground_up(self):
        storeys = lint.read_picture(PICTURE)
        self.assertEqual(storeys[0], ("C, assembly", ["CBits"], []))
        self.assertEqual(storeys[1], ("pages", ["Words", "Bits"], []))
        self.assertEqual(storeys[-1], ("programs", ["tool"], ["Bench"]))
        self.assertEqual(len(storeys), 5)

    def test_what_agrees_has_no_findings(self):
        self.assertEqual(self.find(), [])

    def test_a_dependency_upwards(self):
        self.assertEqual(self.find(Pages={"Monitor"}), ["Package.swift: Pages depends on Monitor, which is not below it"])

    def test_a_dependency_on_the_same_line(self):
        self.assertEqual(self.find(Words={"Bits"}), ["Package.swift: Words depends on Bits, which is not below it"])

    def test_a_room_that_is_not_in_the_picture(self):
        self.assertEqual(self.find(Attic=set()), ["Package.swift: Attic is not in the picture of CONTRIBUTING.md"])

    def test_a_room_that_is_there_twice_or_not_at_all(self):
        (finding,) = self.find(PICTURE.replace("Monitor      │", "Monitor Bench│"))
        self.assertIn("Bench is in the picture twice", finding)
        (finding,) = self.find(PICTURE.replace("Monitor      │", "Monitor Attic│"))
        self.assertIn("Attic is in the picture, and no target", finding)

    def test_no_picture(self):
        self.assertEqual(len(self.find("## Rooms\n")), len(TARGETS))

    def test_a_stranger(self):
        targets = {"Ownership": {"GIC"}, "GIC": set()}
        (finding,) = lint.check_house([("", ["GIC"], []), ("", ["Ownership"], [])], targets)
        self.assertIn("may not know", finding)

    def test_the_core_of_the_makefile(self):
        self.assertEqual([*lint.check_core({"A", "B"}, "X := 1\nCORE := B A\n")], [])
        self.assertEqual(len([*lint.check_core({"A", "B"}, "CORE := B C\n")]), 2)
        self.assertEqual(len([*lint.check_core({"A", "B"}, "")]), 2)


class PathTests(unittest.TestCase):
    def test_the_order_of_locks(self):
        source = "enum LockRank {\n  /// Words.\n  case one\n  case two\n}\n"
        self.assertEqual([*lint.check_locks(source, "words\n\n    one → two\n\nwords\n")], [])
        for text in ("    two → one\n", "    one → two → three\n", "one → two\n", ""):
            (finding,) = lint.check_locks(source, text)
            self.assertIn("one → two", finding)
        self.assertEqual(len([*lint.check_locks("", "    one → two\n")]), 1)

    def test_a_readme_that_is_too_long(self):
        self.assertEqual([*lint.check_readme("a\n" * lint.README_LINES)], [])
        self.assertEqual(len([*lint.check_readme("a\n" * (lint.README_LINES + 1))]), 1)

    def test_paths_that_lead_nowhere(self):
        text = "[a](Tests/Runners/gate/lint.py), [b](no.md#part), [c](https://no.no), `Sources/Attic`, `Tests/Runners`, `Tests/*/x`"
        findings = [*lint.check_paths("README.md", text)]
        self.assertEqual(findings, ["README.md: there is no Sources/Attic", "README.md: there is no no.md"])


class RunnerTests(unittest.TestCase):
    def test_where_it_lies(self):
        self.assertEqual(len(list(lint.check_runner(pathlib.Path("Tests/Board/run.py"), set()))), 1)
        self.assertEqual(list(lint.check_runner(lint.RUNNERS / "board/run.py", set())), [])

    def test_who_knows_options(self):
        found = lint.OPTION.findall(lint.text_of(ROOT / lint.QEMU))
        for option in ("-M", "-device", "-semihosting-config"):
            self.assertIn(option, found)
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name, "run.py")
            path.write_text('command = [qemu, "-device", "edu"]\n', "utf-8")
            with unittest.mock.patch.object(lint, "RUNNERS", pathlib.Path(name)):
                self.assertEqual(len(list(lint.check_runner(path, set(found)))), 1)
                self.assertEqual(list(lint.check_runner(path, {"-M"})), [])
