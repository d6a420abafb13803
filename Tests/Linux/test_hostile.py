# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The attacks of a hostile kernel: which boots there are, and how each is judged."""

import types
import unittest

import hostile
import machine
import verdict

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
        trial, _ = self.run_trial(*[told(a="overwritten", b="overwritten", c="overwritten")] * 3)
        self.assertIn("registers/c: overwritten", trial.problems[0])


if __name__ == "__main__":
    unittest.main()
