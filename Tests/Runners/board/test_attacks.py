# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the judgement on the attacks."""

import sys
import unittest

from Runners import tap
from Runners.board import attacks, iommu

HOST = """
lines = [
    "TAP version 14",
    "ok 1 - attack: refused",
    "not ok 2 - attack: seen",
    "  ---",
    "  differences:",
    '    - what: "words of EL2\\'s memory that were overwritten"',
    "      expected: 0x0",
    "      seen: 0x1",
    "  ...",
    "not ok 3 - attack: stuck",
    "  ---",
    "  differences:",
    '    - what: "the queue doesn\\'t go on after the attack"',
    "  ...",
    "ok 4 - attack: left out # SKIP a reason",
    "ok 5 - another: test",
    "1..5",
]
print(*lines, sep="\\n")
"""


class RunTests(unittest.TestCase):
    def test_outcomes(self):
        run = attacks.Run([sys.executable, "-c", HOST], 60)
        self.assertEqual(
            run.outcomes,
            {"refused": "held", "seen": "overwritten", "stuck": "wedged", "left out": "not run"},
        )
        self.assertEqual(run.reader.errors, [])

    def test_too_few(self):
        run = attacks.Run([sys.executable, "-c", HOST], 60)
        self.assertEqual(run.problems(), ["4 attacks, at least 60 are due"])


class JudgementTests(unittest.TestCase):
    def setUp(self):
        self.outcomes = {f"number {number}": "overwritten" for number in range(20)}

    def test_without(self):
        self.assertEqual(list(attacks.judge_without(self.outcomes, ["attack: number *"])), [])

    def test_without_too_few(self):
        self.outcomes["number 3"] = "held"
        problems = list(attacks.judge_without(self.outcomes, ["attack: number *"]))
        self.assertEqual(len(problems), 2)

    def test_not_listed(self):
        self.outcomes["new"] = "overwritten"
        problems = list(attacks.judge_without(self.outcomes, ["attack: number *"]))
        self.assertEqual(problems, ["succeeds although it is not listed: new"])

    def test_listed_but_gone(self):
        patterns = ["attack: number *", "attack: gone"]
        problems = list(attacks.judge_without(self.outcomes, patterns))
        self.assertEqual(problems, ["no attack is named 'attack: gone'"])

    def test_with(self):
        outcomes = {"a": "held", "b": "overwritten", "c": "wedged", "d": "not run"}
        self.assertEqual(len(list(attacks.judge_with(outcomes))), 3)

    def test_other_tests_must_fail_too(self):
        patterns = [p for p in attacks.patterns_of(3) if not p.startswith(attacks.AREA)]
        self.assertIn("EL2 memory, the arena: *", patterns)

        def points(passed):
            names = [pattern.replace("*", "x") for pattern in patterns]
            return [tap.Point(number, name, passed, False) for number, name in enumerate(names)]

        self.assertEqual(list(attacks.judge_others(points(False), 3)), [])
        self.assertEqual(len(list(attacks.judge_others(points(True), 3))), len(patterns))
        self.assertEqual(len(list(attacks.judge_others([], 3))), len(patterns))

    def test_lists(self):
        self.assertGreaterEqual(len(attacks.attack_patterns(3)), attacks.LEAST_OVERWRITTEN)
        self.assertGreater(len(attacks.attack_patterns(4)), len(attacks.attack_patterns(3)))


class DeviceTests(unittest.TestCase):
    def setUp(self):
        self.controls = {"off": {"a": "overwritten", "b": "leaked"}}
        self.others = {"owned": {"a": "held", "b": "held"}}

    def problems(self):
        return list(attacks.judge_devices(self.controls, self.others))

    def test_good(self):
        self.assertEqual(self.problems(), [])

    def test_an_attack_that_does_not_succeed_in_the_control(self):
        for outcome in ("held", "failed", "not run"):
            self.controls["off"]["b"] = outcome
            self.assertEqual(self.problems(), [f"off: does not succeed: b ({outcome})"])

    def test_an_attack_that_is_not_held(self):
        for outcome in ("leaked", "failed", "not run"):
            self.others["owned"]["a"] = outcome
            self.assertEqual(self.problems(), [f"owned: a: {outcome}"])

    def test_an_attack_without_a_control_or_without_a_defence(self):
        self.others["owned"]["c"] = "held"
        self.controls["off"]["d"] = "leaked"
        self.assertEqual(
            self.problems(), ["off: does not succeed: c (not run)", "owned: d: not run"]
        )

    def test_nothing_tried(self):
        self.controls = {}
        self.assertIn("nothing was tried", self.problems())
        self.others = {}
        self.assertIn("nothing was tried", self.problems())

    def test_each_table_has_boots_of_both_kinds(self):
        boots = list(iommu.boots("el2.img", "el2-unmediated.img"))
        for forms in attacks.DMA_TABLES.values():
            chosen = [boot for boot in boots if boot.form in forms]
            self.assertEqual({boot.form for boot in chosen}, set(forms))
            self.assertEqual({bool(boot.attacks) for boot in chosen}, {False, True})

    def test_table(self):
        lines = list(attacks.table("attacks", self.controls | self.others, ("leaked", "held")))
        self.assertEqual(
            [line.split() for line in lines],
            [
                ["attacks", "off", "owned"],
                ["a", "overwritten", "held"],
                ["b", "leaked", "held"],
                ["leaked", "of", "2", "1", "0"],
                ["held", "of", "2", "0", "2"],
            ],
        )
