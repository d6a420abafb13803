# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What counts as missed, and what is told of each defect."""

import unittest

from Runners.mutants import run, verdict
from Runners.mutants.defects import COMPARISON, COMPARISON_REDISTRIBUTOR, COMPARISON_SMMU, DEFECTS, EXHAUSTIVE, Defect

DEFECT = Defect("one", "F-99", "File.swift", "a", "b")
COMPARED = verdict.Answer(COMPARISON, 2.04, "world 1")
NOT_COMPARED = verdict.Answer(COMPARISON, 60.1)
SOAK = verdict.Answer("soak", 0.5, "world 2")
NO_SOAK = verdict.Answer("soak", 30.0)


class Verdict(unittest.TestCase):
    def test_found(self):
        self.assertIsNone(verdict.fault([COMPARED, SOAK]))
        self.assertIsNone(verdict.fault([COMPARED, NO_SOAK]))
        self.assertIsNone(verdict.fault([SOAK]))

    def test_missed(self):
        self.assertIn("nothing", verdict.fault([NO_SOAK]))
        self.assertIn("nothing", verdict.fault([]))
        self.assertIn("does not", verdict.fault([NOT_COMPARED, SOAK]))
        self.assertIn("does not", verdict.fault([verdict.Answer(COMPARISON, 2.0, "ends with -5"), SOAK]))
        self.assertIn("does not", verdict.fault([verdict.Answer(COMPARISON_SMMU, 2.0), SOAK]))
        self.assertIn("61 s", verdict.fault([verdict.Answer(COMPARISON, 61.2, "world 1"), SOAK]))
        self.assertIsNone(verdict.fault([verdict.Answer(COMPARISON, 61.2, "world 1"), SOAK], 120))

    def test_figures(self):
        figures = verdict.Row(DEFECT, [COMPARED, NO_SOAK]).figures
        self.assertEqual((figures["comparison"], figures["alone"]), (2.0, None))
        figures = verdict.Row(DEFECT, [NOT_COMPARED, SOAK], "late").figures
        self.assertEqual((figures["comparison"], figures["alone"], figures["alone_seconds"]), (None, "soak", 0.5))
        self.assertEqual(figures["problem"], "late")

    def test_table(self):
        unseen = Defect("another", "F-98", "File.swift", "a", "b", unseen="it does not look")
        rows = [verdict.Row(DEFECT, [COMPARED, NO_SOAK]), verdict.Row(unseen, [SOAK])]
        self.assertEqual(
            [line.split() for line in verdict.table(rows)],
            [
                ["defect", "known", "comparison", "s", "alone", "s"],
                ["one", "F-99", "found", "2.0", "none", "-"],
                ["another", "F-98", "it", "does", "not", "look", "-", "soak", "0.5"],
            ],
        )


class Asked(unittest.TestCase):
    def test_of_a_room(self):
        self.assertEqual(DEFECT.asked, (COMPARISON, "soak", EXHAUSTIVE))
        smmu = Defect("one", "F-99", "File.swift", "a", "b", "VirtualSMMU")
        self.assertEqual(smmu.asked, (COMPARISON_SMMU, "soak-smmu"))
        redistributor = Defect("one", "F-99", "File.swift", "a", "b", "Redistributor")
        self.assertEqual(redistributor.asked, (COMPARISON_REDISTRIBUTOR, "soak-redistributor"))

    def test_unseen(self):
        unseen = Defect("one", "F-99", "File.swift", "a", "b", unseen="it does not look")
        self.assertEqual(unseen.asked, ("soak", EXHAUSTIVE))
        unseen = Defect("one", "F-99", "File.swift", "a", "b", "SMMUDriver", unseen="it does not look")
        self.assertEqual(unseen.asked, ("soak-smmu",))

    def test_names(self):
        names = [defect.name for defect in DEFECTS]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(all(defect.asked for defect in DEFECTS))

    def test_chosen_by_name(self):
        self.assertEqual(run.chosen([]), DEFECTS)
        name = DEFECTS[1].name
        self.assertEqual(run.chosen([name]), [DEFECTS[1]])
        with self.assertRaisesRegex(SystemExit, f"{name}-.*near it: {name}"):
            run.chosen([name, name + "-"])


if __name__ == "__main__":
    unittest.main()
