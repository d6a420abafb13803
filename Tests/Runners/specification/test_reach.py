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


class Lines(unittest.TestCase):
    def test_those_of_the_specification(self):
        def entry(path, count, covered):
            return {"filename": str(path), "summary": {"lines": {"count": count, "covered": covered}}}

        files = [entry(reach.FOLDER.resolve() / "A.swift", 10, 9), entry("/elsewhere/B.swift", 5, 0)]
        found = reach.lines({"data": [{"files": files}]})
        self.assertEqual(found, {"A.swift": (10, 9)})
        self.assertIn(" 90.00 %", list(reach.table(found))[-1])

    def test_nothing_is_no_success(self):
        self.assertIn("0.00 %", list(reach.table({}))[-1])

    def test_the_longest_soak_has_all_the_time(self):
        self.assertEqual(max(soak.share for soak in run.SOAKS), 1)


if __name__ == "__main__":
    unittest.main()
