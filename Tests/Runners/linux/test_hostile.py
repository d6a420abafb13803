# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The attacks of a hostile kernel: which boots there are, and how each is judged."""

import contextlib
import io
import sys
import types
import unittest
import unittest.mock

from Runners.linux import hostile, machine, verdict

TABLE = verdict.parse(
    """
attack races/a
without overwritten
mutant twice
attack races/b
without overwritten
attack registers/c
without nothing: a reason
attack registers/d
without started
ruins
"""
)
OPTIONS = types.SimpleNamespace(unmediated="off.img", mediated="on.img")
ZEROES = "overwritten 0; taken 0; started 0; wrong 0;"


def told(**outcomes):
    """What a boot reports of attacks: `a="overwritten"` for one that succeeded."""
    names = {attack.name[-1]: attack.name for attack in TABLE}
    return [
        f"# outcome: {names[name]}: {ZEROES.replace(f'{what} 0', f'{what} 1')}"
        for name, what in outcomes.items()
    ]


class Ways(unittest.TestCase):
    def named(self, ways):
        return [(way.word, [attack.name[-1] for attack in way.chosen]) for way in ways]

    def test_each_attack_has_its_control_and_its_trial(self):
        found = self.named(hostile.ways(TABLE, OPTIONS, {"twice": "twice.img"}))
        self.assertEqual(
            found,
            [("without", list("abc")), ("without", ["d"]), ("with", list("abcd")), ("twice", ["a"])],
        )

    def test_brief(self):
        tried = [attack for attack in TABLE if not attack.ruins]
        found = self.named(hostile.ways(tried, OPTIONS, {}))
        self.assertEqual(found, [("without", list("abc")), ("with", list("abc"))])

    def test_a_group_is_asked_for_whole_only_where_all_of_it_is(self):
        self.assertEqual(list(hostile._patterns(TABLE[:3], TABLE)), ["races/*", "registers/c"])


class Control(unittest.TestCase):
    def run_trial(self, *boots):
        """The control of attacks a to c, whose boots report what they are given; the trial, and what was asked."""
        [way, *_] = hostile.ways(TABLE, OPTIONS, {})
        asked = []

        class Trial(hostile.Trial):
            def _boot(self, chosen):
                asked.append([attack.name[-1] for attack in chosen])
                self._boots += 1
                return None, verdict.Report(boots[len(asked) - 1])

        trial = Trial(OPTIONS, TABLE, machine.Machine(), way, None, print)
        trial.run()
        return trial, asked

    def test_a_race_is_repeated_until_it_is_won(self):
        trial, asked = self.run_trial(
            told(a="overwritten", b="nothing", c="nothing"), told(b="nothing"), told(b="overwritten")
        )
        self.assertEqual(asked, [["a", "b", "c"], ["b"], ["b"]])
        # What can't succeed is no test.
        self.assertEqual((trial.passed, trial.problems), (2, []))

    def test_or_a_bound(self):
        lost = told(a="overwritten", b="nothing", c="nothing")
        trial, asked = self.run_trial(lost, *[told(b="nothing")] * 9)
        self.assertEqual(len(asked), hostile.CONTROL_BOOTS)
        self.assertEqual(trial.passed, 1)
        self.assertEqual(len(trial.problems), 1)
        self.assertIn("races/b: held, where overwritten is due", trial.problems[0])

    def test_what_cannot_succeed_may_not(self):
        trial, asked = self.run_trial(
            told(a="overwritten", b="nothing", c="overwritten"), told(b="overwritten", c="nothing")
        )
        # What a lost race had not done is tried again, and nothing else.
        self.assertEqual(asked, [["a", "b", "c"], ["b"]])
        self.assertEqual(len(trial.problems), 1)
        self.assertIn("registers/c: overwritten", trial.problems[0])

    def test_a_boot_that_reports_nothing_is_no_lost_race(self):
        trial, asked = self.run_trial([], told(a="overwritten", b="overwritten", c="nothing"))
        self.assertEqual(len(asked), 1)
        self.assertEqual(len(trial.problems), 3)


class Held(unittest.TestCase):
    def run_trial(self, lines):
        [way] = [way for way in hostile.ways(TABLE, OPTIONS, {}) if way.word == "with"]

        class Trial(hostile.Trial):
            def _boot(self, chosen):
                return types.SimpleNamespace(passed=4), verdict.Report(lines)

        trial = Trial(OPTIONS, TABLE, machine.Machine(), way, None, print)
        trial.run()
        return trial

    held = told(a="nothing", b="nothing", c="nothing", d="nothing")

    def test_all_are_held(self):
        trial = self.run_trial(self.held)
        self.assertEqual((trial.passed, trial.problems), (4, []))

    def test_one_is_not(self):
        trial = self.run_trial([*self.held[1:], *told(a="overwritten")])
        self.assertEqual(len(trial.problems), 1)
        self.assertIn("races/a: overwritten", trial.problems[0])

    def test_one_that_nobody_knows(self):
        trial = self.run_trial([*self.held, self.held[0].replace("races/a", "races/e")])
        self.assertIn("races/e: nobody has said", trial.problems[0])

    def test_an_image_that_no_attack_is_for(self):
        way = hostile.Way("mutant", "mutant.img", (), lambda attack: "overwritten")
        trial = hostile.Trial(OPTIONS, TABLE, machine.Machine(), way, None, print)
        trial.run()
        self.assertEqual(len(trial.problems), 1)


class Program(unittest.TestCase):
    def test_a_problem_of_one_boot_fails_all(self):
        for problems, status in (([], 0), (["a problem"], 1)):
            [way, *_] = hostile.ways(TABLE, OPTIONS, {})
            trial = types.SimpleNamespace(outcomes={}, passed=1, problems=problems, summary=[])
            ran = [(machine.Machine(), way, trial)]
            arguments = ["hostile.py", "linux", "--tools", "bin", "--brief", "off.img", "on.img"]
            with (
                unittest.mock.patch.object(hostile, "run_all", return_value=ran),
                unittest.mock.patch.object(sys, "argv", arguments),
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                self.assertEqual(hostile.main(), status)
