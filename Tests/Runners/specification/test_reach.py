# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest

from Runners.specification import reach, run


class Rules(unittest.TestCase):
    def test_those_of_transitions(self):
        files = {
            "Rules.swift": "  /// - `first`:\n  ///   A sentence.\n  /// - `second`:\n  ///   `x` | y\n  case first, second\n",
            "State.swift": "ending(.its(0), .done, .first)\n",
            "InvariantDMA.swift": "(.second, true)\n",
        }
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for file, text in files.items():
                (folder / file).write_text(text, "utf-8")
            self.assertEqual(reach.rules(folder), ["first"])

    def test_there_are_many(self):
        self.assertGreater(len(reach.rules()), 150)

    def test_counts_of_several_soaks_are_added(self):
        counts = reach.reached(["rule first     3\nrule second 0\n9 steps", "rule first 4\nmy rule second 8"])
        self.assertEqual((counts["first"], counts["second"], counts["third"]), (7, 0, 0))


TEXT = """func step() -> [Outcome] {
  guard isPermitted else { return [] }
  return isRare ? [rare] : [usual]
}
"""

# Line, column, count, whether there is one, whether a branch begins, whether it is a gap.
SEGMENTS = [
    [1, 26, 9, True, True, False], [2, 26, 0, True, True, False], [2, 38, 9, True, False, False],
    [3, 19, 2, True, True, False], [3, 25, 9, True, False, False], [4, 2, 0, False, False, False],
]  # fmt: skip


class Lines(unittest.TestCase):
    def setUp(self):
        self.enterContext(folder := tempfile.TemporaryDirectory())
        self.folder = pathlib.Path(folder.name).resolve()

    def report(self, name="A.swift", segments=None):
        (self.folder / name).write_text(TEXT, "utf-8")
        files = [
            {"filename": str(self.folder / name), "segments": SEGMENTS if segments is None else segments},
            {"filename": "/elsewhere/B.swift", "segments": SEGMENTS},
        ]
        return {"data": [{"files": files}]}

    def test_those_of_the_specification(self):
        found = reach.lines(self.report(), self.folder)
        self.assertEqual(found, {"A.swift": (4, 4)})
        self.assertIn("100.00 %", list(reach.table(found))[-1])

    def test_one_that_was_not_run(self):
        segments = [[1, 26, 9, True, True, False], [2, 1, 0, True, True, False], [4, 2, 0, False, False, False]]
        self.assertEqual(reach.lines(self.report(segments=segments), self.folder), {"A.swift": (4, 2)})

    def test_branches_but_for_what_forbids(self):
        found = list(reach.branches(self.report(), self.folder))
        self.assertEqual([(name, line, count) for name, line, _, count in found], [("A.swift", 1, 9), ("A.swift", 3, 2)])
        self.assertEqual(found[1][2], "[rare] : [usual]")

    def test_what_the_invariant_says_of_a_violation_is_none(self):
        self.assertEqual(list(reach.branches(self.report("InvariantDMA.swift"), self.folder)), [])

    def test_nothing_is_no_success(self):
        self.assertIn("0.00 %", list(reach.table({}))[-1])

    def test_the_longest_soak_has_all_the_time(self):
        self.assertEqual(max(soak.share for soak in run.SOAKS), 1)


if __name__ == "__main__":
    unittest.main()
