# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import pathlib
import unittest

from Runners.linux import verdict

TABLE = """
attack a/one
without overwritten
counts ITS commands refused: reserved command
attack a/two
without nothing: the board does it
may count ITS accesses without effect
"""
INTACT = "overwritten 0; taken 0; started 0; wrong 0; aborts 0; rounds 0; "
LINES = [
    f"# outcome: a/one: {INTACT}",
    "# counted: a/one: 768 1",
    f"# outcome: a/two: {INTACT}",
    "portcullis: ITS 0: command refused: reserved command 0x1 0x2 0x3 0x4",
]


class TableTests(unittest.TestCase):
    def test_is_read(self):
        one, two = verdict.parse(TABLE)
        self.assertEqual((one.without, one.counts), ("overwritten", {"ITS commands refused: reserved command"}))
        self.assertEqual((two.without, two.why), ("nothing", "the board does it"))

    def test_refuses_what_means_nothing(self):
        for text in (
            "without overwritten",
            "attack a",
            "attack a\nwithout nothing",
            "attack a\nwithout overwritten: why",
            "attack a\nwithout luck",
            "attack a\nwithout taken\nelse",
            "attack a\nwithout taken\nattack a\nwithout taken",
        ):
            with self.subTest(text), self.assertRaises(ValueError):
                verdict.parse(text)

    def test_own_table_is_read(self):
        path = pathlib.Path(__file__).parent / "attacks.txt"
        found = verdict.parse(path.read_text("utf-8"))
        self.assertGreater(sum(attack.without != verdict.NOTHING for attack in found), 35)


class ReportTests(unittest.TestCase):
    def setUp(self):
        self.one, self.two = verdict.parse(TABLE)

    def with_mediation(self, lines):
        report = verdict.Report(lines)
        return [*report.judge_with(self.one), *report.judge_with(self.two)]

    def test_accepts_what_is_due(self):
        self.assertEqual(self.with_mediation(LINES), [])

    def test_refuses_an_attack_that_was_not_run(self):
        self.assertEqual(len(self.with_mediation(LINES[:2] + LINES[3:])), 1)
        self.assertEqual(len(self.with_mediation(["# outcome: a/one: ", *LINES[1:]])), 1)

    def test_refuses_an_outcome(self):
        bad = LINES[2].replace("overwritten 0", "overwritten 3")
        self.assertEqual(len(self.with_mediation([*LINES[:2], bad, *LINES[3:]])), 1)

    def test_refuses_a_count_that_is_missing_or_too_many(self):
        self.assertEqual(len(self.with_mediation([LINES[0], *LINES[2:]])), 1)
        self.assertEqual(len(self.with_mediation([*LINES, "# counted: a/two: 768 1"])), 1)
        # It is counted, and in no line of the log.
        self.assertEqual(len(self.with_mediation([*LINES, "# counted: a/two: 770 1"])), 2)

    def test_refuses_a_count_that_was_not_logged(self):
        self.assertEqual(len(self.with_mediation(LINES[:3])), 1)

    def test_control_must_succeed(self):
        report = verdict.Report(LINES)
        self.assertEqual(len([*report.judge_without(self.one, self.one.without)]), 1)
        self.assertEqual([*report.judge_without(self.two, self.two.without)], [])
        bad = LINES[2].replace("taken 0", "taken 1")
        self.assertEqual(len([*verdict.Report([bad]).judge_without(self.two, self.two.without)]), 1)
