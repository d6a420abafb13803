# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The judge is judged: what the board's runner must not let pass."""

import unittest

from Runners.board import judge


def read(text):
    return judge.read(text.splitlines())


GOOD = "boot noise\nTAP version 14\n1..3\nok 1 - a\nportcullis: a word\nok 2 - b # SKIP one CPU\nok 3 - c\n"


class Reader(unittest.TestCase):
    def test_complete_report(self):
        for text in (GOOD, GOOD.replace("1..3\n", "") + "1..3\n"):
            reader = read(text)
            self.assertEqual(reader.errors, [])
            self.assertEqual([p.skipped for p in reader.points], [False, True, False])

    def test_incomplete_reports(self):
        cases = {
            "empty": "",
            "no version": GOOD.replace("TAP version 14\n", ""),
            "no plan": GOOD.replace("1..3\n", ""),
            "cut off": GOOD.replace("ok 3 - c\n", ""),
            "cut off in a line": GOOD.replace("ok 3 - c\n", "ok 3"),
            "duplicate number": GOOD.replace("ok 3", "ok 2"),
            "gap": GOOD.replace("ok 3", "ok 4"),
            "duplicate name": GOOD.replace("3 - c", "3 - a"),
            "no name": GOOD.replace("3 - c", "3 - "),
            "second plan": GOOD + "1..3\n",
            "plan in the middle": "TAP version 14\nok 1 - a\n1..2\nok 2 - b\n",
            "todo": GOOD.replace("- c", "- c # TODO later"),
            "skip without a reason": GOOD.replace("SKIP one CPU", "SKIP"),
            "stray line": GOOD + "Synchronous exception\n",
            "bail out": GOOD + "Bail out! no memory\n",
            "started twice": GOOD + GOOD,
            "open diagnostics": GOOD + "  ---\n  message: x\n",
        }
        for name, text in cases.items():
            with self.subTest(name):
                self.assertNotEqual(read(text).errors, [])

    def test_a_skip_that_failed_is_a_failure(self):
        self.assertFalse(read(GOOD.replace("ok 2", "not ok 2")).points[1].skipped)

    def test_counts_and_differences(self):
        block = "not ok 3 - c\n  ---\n  differences:\n    - what: \"a word\"\n      seen: 1\n  ...\n"
        reader = read(GOOD.replace("ok 3 - c\n", block))
        self.assertEqual((reader.run, reader.passed, reader.skipped), (2, 1, 1))
        self.assertEqual([point.name for point in reader.failures], ["c"])
        self.assertEqual(reader.failed(), ["failed: 3 - c"])
        self.assertEqual([point.differences for point in reader.points], [set(), set(), {"a word"}])


class Verdict(unittest.TestCase):
    def test_mediated(self):
        self.assertEqual(judge.mediated(read(GOOD), 0, 2), [])
        self.assertNotEqual(judge.mediated(read(GOOD), 0, 3), [])
        self.assertNotEqual(judge.mediated(read(GOOD), 1, 2), [])
        self.assertNotEqual(judge.mediated(read(GOOD), 124, 2), [])
        failing = read(GOOD.replace("ok 3", "not ok 3"))
        self.assertNotEqual(judge.mediated(failing, 0, 2), [])

    def test_unmediated(self):
        failing = read(GOOD.replace("ok 3", "not ok 3"))
        self.assertEqual(judge.unmediated(failing, 1, ["c"]), [])
        self.assertNotEqual(judge.unmediated(failing, 0, ["c"]), [])
        self.assertNotEqual(judge.unmediated(failing, 1, ["a"]), [])
        self.assertNotEqual(judge.unmediated(failing, 1, ["b"]), [])
        self.assertNotEqual(judge.unmediated(failing, 1, ["nothing*"]), [])
        self.assertNotEqual(judge.unmediated(failing, 124, ["c"]), [])
