# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The judge of boards with an SMMU sees what is wrong, and takes no attack for one that only went wrong."""

import types
import unittest
import unittest.mock

from Runners import qemu
from Runners.board import iommu, judge

LINE = "portcullis: DMA fault: SMMU 0 stream {:#x} {} at {:#x}, a {}"
GOOD = [
    LINE.format(stream, "F_TRANSLATION", address, word)
    for stream, address in ((0x10, 0x8080080), (0x28, 0x40300000))
    for word in ("read", "write")
] + [LINE.format(0x10, "F_PERMISSION", 0x8090040, "read")]

ATTACK = "dma attack: a device reads EL2's memory"


def report(*tests):
    """TAP of tests: a name, and what differed or None."""
    yield "TAP version 14"
    for number, (name, what) in enumerate(tests, 1):
        yield f"{'not ' if what else ''}ok {number} - {name}"
        if what:
            yield from ("  ---", "  differences:", f'    - what: "{what}"', "  ...")
    yield f"1..{len(tests)}"


class Log(unittest.TestCase):
    def problems(self, lines):
        return iommu.judge_log(lines, ("F_TRANSLATION", "F_PERMISSION"))

    def test_good(self):
        self.assertEqual(self.problems([*GOOD, "ok 1 - x"]), [])

    def test_each_kind_of_line_is_due(self):
        for index, line in enumerate(GOOD):
            with self.subTest(line):
                self.assertNotEqual(self.problems(GOOD[:index] + GOOD[index + 1 :]), [])

    def test_what_may_not_be_told(self):
        for wrong in (
            LINE.format(0x18, "F_TRANSLATION", 0x40300000, "read"),
            LINE.format(0x10, "F_TRANSLATION", 0x8090040, "write"),
            "portcullis: DMA fault: SMMU 0 stream",
        ):
            with self.subTest(wrong):
                self.assertNotEqual(self.problems([*GOOD, wrong]), [])


class Control(unittest.TestCase):
    def problems(self, *tests, patterns=(ATTACK,), status=1):
        lines = list(report(*tests))
        return iommu.judge_control(judge.read(lines), status, patterns)

    def test_an_attack_that_succeeds(self):
        self.assertEqual(self.problems((ATTACK, "what a device has read")), [])

    def test_an_attack_that_does_not(self):
        self.assertNotEqual(self.problems((ATTACK, None)), [])
        self.assertNotEqual(self.problems((ATTACK, "the DMA doesn't end")), [])
        self.assertNotEqual(self.problems(("dma: x", None)), [])

    def test_an_attack_that_is_not_listed(self):
        other = ("dma attack: another", None)
        self.assertNotEqual(self.problems((ATTACK, "what a device has read"), other), [])

    def test_what_is_honest_must_go_on(self):
        seen = (ATTACK, "what a device has read")
        self.assertNotEqual(self.problems(seen, ("dma: own memory", "the word read")), [])
        self.assertEqual(self.problems(seen, ("smmu: hidden", "x")), [])

    def test_out_of_time(self):
        self.assertNotEqual(self.problems((ATTACK, "what a device has read"), status=124), [])


class Outcomes(unittest.TestCase):
    def test_outcomes(self):
        area = iommu.AREA
        lines = list(
            report(
                (area + "held", None),
                (area + "reads", "what a device has read"),
                (area + "writes", "words of EL2's memory that were overwritten"),
                (area + "only wrong", "the DMA doesn't end"),
                ("dma: honest", "the word read"),
            )
        )
        lines[-1:] = [f"ok 6 - {area}left out # SKIP a reason", "1..6"]
        self.assertEqual(
            iommu.outcomes(judge.read(lines)),
            {
                "held": "held", "reads": "leaked", "writes": "overwritten",
                "only wrong": "failed", "left out": "not run",
            },
        )  # fmt: skip


class Boots(unittest.TestCase):
    def setUp(self):
        self.all = list(iommu.boots("el2.img", "el2-unmediated.img"))

    def test_titles_differ_and_each_has_an_smmu_and_two_devices(self):
        self.assertEqual(len({boot.title for boot in self.all}), len(self.all))
        for boot in self.all:
            self.assertIn("iommu=smmuv3", " ".join(boot.arguments))
            self.assertEqual(sum(word.startswith("edu,") for word in boot.arguments), 2)

    def test_lists_name_attacks(self):
        for boot in self.all:
            if boot.attacks:
                for pattern in judge.patterns(iommu.FOLDER / boot.attacks):
                    self.assertTrue(pattern.startswith(iommu.AREA))


class Attempts(unittest.TestCase):
    def attempt(self, boot, lines, status):
        options = types.SimpleNamespace(qemu="qemu", seconds=1)
        with unittest.mock.patch.object(qemu, "run", return_value=(lines, status)):
            return iommu.attempt(boot, options, lambda line: None)

    def test_what_is_wrong_is_a_failure(self):
        boot = iommu.Boot("owned", "el2.img", least=1, faults=())
        good = self.attempt(boot, [*GOOD, *report(("dma: a", None))], 0)
        self.assertEqual((good.passed, good.failed, good.problems), (1, 0, []))
        for lines, status in (
            ([*GOOD, *report(("dma: a", "something"))], 1),
            ([*GOOD, *report(("dma: a", None))], 124),
            (list(report(("dma: a", None))), 0),
        ):
            outcome = self.attempt(boot, lines, status)
            self.assertEqual(outcome.failed, 1)
            self.assertTrue(outcome.problems)


class Harness(unittest.TestCase):
    def boots(self):
        return list(iommu.harness_boots("harness", "unmediated", "host"))

    def test_each_form_has_its_control(self):
        forms = {boot.form: boot for boot in self.boots()}
        for form in ("harness", "harness-second-vm"):
            control = forms[f"{form}-control"]
            self.assertEqual((control.image, control.bootargs), ("unmediated", forms[form].bootargs))
            self.assertTrue(judge.patterns(iommu.FOLDER / control.attacks))
        self.assertTrue(all(boot.image == "harness" for boot in self.boots() if not boot.attacks))

    def test_the_host_is_beside_it(self):
        for boot in self.boots():
            words = " ".join(boot.arguments)
            self.assertIn("file=host,", words)
            self.assertIn(qemu.EMBEDDED, words)

    def test_no_log_is_due(self):
        boot = self.boots()[0]
        names = [f"dma: {number}" for number in range(boot.least)]
        self.assertEqual(iommu.judged(boot, list(report(*((name, None) for name in names))), 0)[3], [])
        silent = iommu.dataclasses.replace(boot, faults=("F_TRANSLATION",))
        self.assertTrue(iommu.judged(silent, list(report(*((name, None) for name in names))), 0)[3])
