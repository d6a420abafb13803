# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""One machine, bare and through Portcullis: what is booted once more, and what stays a problem."""

import types
import unittest

from Runners.linux import logs, machine, run


def entries(*texts):
    """A log of these lines."""
    return [logs.Entry(6, text) for text in texts]


class Trial(run.Trial):
    """One whose boots have these logs, in turn; `problems` are those of the boots of a name, in turn."""

    def __init__(self, *boots, **problems):
        super().__init__(types.SimpleNamespace(), None, machine.Machine(), "boot", print)
        self.left = list(boots)
        self._problems_of = problems

    def _boot(self, name, change=None):
        left = self._problems_of.get(name)
        if left:
            self.problems += left.pop(0)
        return types.SimpleNamespace(
            passed=2, logs=[self.left.pop(0)], reader=types.SimpleNamespace(points=[])
        )


def made(*boots, **problems):
    """A trial that has run, and how many boots it took."""
    trial = Trial(*boots, **problems)
    trial.run()
    return trial, len(boots) - len(trial.left)


class Trials(unittest.TestCase):
    same, more = entries("a"), entries("a", "b")

    def test_equal_logs_take_two_boots(self):
        trial, count = made(self.same, self.same)
        self.assertEqual((trial.problems, trial.passed, count), ([], 2, 2))

    def test_a_difference_that_stays_is_one(self):
        trial, count = made(*[self.same, self.more] * 3)
        self.assertEqual(trial.problems, ["log 1, only through Portcullis: b"])
        self.assertEqual(count, 6)

    def test_one_that_a_bare_boot_has_too_is_none(self):
        trial, count = made(self.same, self.more, self.more)
        self.assertEqual((trial.problems, count), ([], 3))
        self.assertIn("b", trial.summary[0])

    def test_one_that_is_gone_with_the_next_boot_is_none(self):
        trial, count = made(self.same, self.more, self.same, self.same)
        self.assertEqual((trial.problems, count), ([], 4))

    def test_a_problem_through_portcullis_is_not_booted_away(self):
        trial, count = made(self.same, self.more, portcullis=[["failed"]])
        self.assertEqual(count, 2)
        self.assertEqual(trial.problems, ["failed", "log 1, only through Portcullis: b"])

    def test_a_bare_boot_that_fails_is_told_and_made_again(self):
        trial, count = made(*[self.same] * 3, bare=[["failed"]])
        self.assertEqual((trial.problems, count), ([], 3))
        self.assertIn("failed", trial.summary[0])

    def test_no_bare_boot_that_passes_is_a_problem(self):
        trial, count = made(*[self.same] * 4, bare=[["first"], ["second"], ["third"]])
        self.assertEqual((trial.problems, count), (["third"], 4))
