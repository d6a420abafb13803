# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The judge of the logs is judged."""

import unittest

from Runners.linux import boot, logs, machine, run

LOG = [
    "# boot",
    "ok 1 - a",
    "# log",
    "<6>[    0.000000] GICv3: CPU0: using allocated LPI pending table @0x0000000041590000",
    "<6>[    0.000000] ITS@0x0000000008080000: allocated 8192 Devices @41590000 (indirect, esz 8)",
    "<12>[   10.5] a warning",
    "# end",
]


def entries(*texts, level=6):
    return [logs.Entry(level, text) for text in texts]


def between(text, bare, through, title=""):
    return list(logs.Differences(text, title).between([bare], [through]))


class Sections(unittest.TestCase):
    def test_entries(self):
        [log] = logs.sections(LOG)
        self.assertEqual(log[2], logs.Entry(4, "a warning"))
        self.assertEqual(len(log), 3)

    def test_one_a_boot(self):
        self.assertEqual([len(log) for log in logs.sections(LOG + LOG)], [3, 3])
        self.assertEqual([len(log) for log in logs.sections(LOG + LOG[1:])], [6])
        self.assertEqual(logs.sections(["[    0.0] no log"]), [])

    def test_a_log_of_no_boot(self):
        with self.assertRaises(ValueError):
            logs.sections(LOG[1:])

    def test_cut_off(self):
        with self.assertRaises(ValueError):
            logs.sections(LOG[:-1])

    def test_what_is_no_line_of_a_log(self):
        with self.assertRaises(ValueError):
            logs.sections([*LOG[:3], "Segmentation fault", *LOG[3:]])

    def test_fatal(self):
        for text in (
            "ITS queue timeout (65568 65504)",
            "nvme nvme0: I/O 7 QID 1 timed out, aborting",
            "Internal error: Oops: 96000004 [#1] SMP",
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
        ):
            self.assertEqual(len(logs.fatal(entries(text))), 1, text)
        self.assertEqual(logs.fatal(entries("all is well")), [])


class Comparison(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(between("", entries("a", "b"), entries("b", "a")), [])

    def test_lines_count(self):
        self.assertEqual(between("", entries("a"), entries("a", "a")), ["only through Portcullis: a"])
        self.assertEqual(between("", entries("a", "b", "b"), entries("a")), ["only bare (2 times): b"])

    def test_what_bare_boots_differ_in(self):
        bares = [entries("a", "b"), entries("a", "b", "b", "b", "c")]
        differences = logs.Differences("")
        for through in (bares[0], bares[1], entries("a", "b", "b"), entries("a", "b", "c")):
            self.assertEqual(list(differences.between(bares, [through])), [])
        found = set(differences.between(bares, [entries("b", "b", "b", "b", "c", "c", "c", "d")]))
        self.assertEqual(
            found,
            {"only bare: a"}
            | {f"only through Portcullis{more}" for more in (": b", " (2 times): c", ": d")},
        )

    def test_what_comes_and_goes_is_no_difference(self):
        differences = logs.Differences("")
        bares = [entries("a"), entries("a")]
        self.assertEqual(list(differences.between(bares, [entries("a", "b"), entries("a")])), [])
        self.assertEqual(list(differences.between(bares, [entries("a"), entries()])), [])
        # But not what is so each time,
        always = [entries("a", "b"), entries("a", "b", "b")]
        self.assertEqual(list(differences.between(bares, always)), ["only through Portcullis: b"])
        self.assertEqual(list(differences.between(bares, [entries(), entries()])), ["only bare: a"])
        # and no warning.
        warned = [[*entries("a"), *entries("b", level=4)], entries("a")]
        self.assertEqual(
            list(differences.between(bares, warned)), ["only through Portcullis: warning: b"]
        )
        self.assertEqual(list(differences.between([entries("a"), warned[0]], warned)), [])

    def test_levels_count(self):
        found = between("", entries("a"), entries("a", level=4))
        self.assertEqual(found, ["only through Portcullis: warning: a", "only bare: a"])

    def test_values(self):
        bare, through = entries("table @0x10 (esz 8)"), entries("table @0x20 (esz 8)")
        self.assertEqual(len(between("", bare, through)), 2)
        self.assertEqual(between("value (?<=@)0x[0-9a-f]+", bare, through), [])
        # All else of the line must still be the same.
        through = entries("table @0x20 (esz 4)")
        self.assertEqual(len(between("value (?<=@)0x[0-9a-f]+", bare, through)), 2)

    def test_lines(self):
        self.assertEqual(between("# a reason\nline a\\d", entries("a1"), entries("a2")), [])
        self.assertEqual(len(between("line a\\d", entries("a10"), entries())), 1)

    def test_machines(self):
        text = "[gic-version=4]\nline a"
        self.assertEqual(between(text, entries("a"), [], "linux gic-version=4"), [])
        self.assertEqual(len(between(text, entries("a"), [], "linux gic-version=3")), 1)

    def test_what_is_neither(self):
        for text in ("a", "value", "lines a"):
            with self.assertRaises(ValueError):
                logs.Differences(text)

    def test_the_list_allows_no_other_its(self):
        bare = entries("ITS@0x0000000008080000: allocated 8192 Devices @41590000 (indirect, esz 8, psz 64K, shr 1)")
        for other in (
            "ITS@0x0000000008080000: allocated 4096 Devices @41590000 (indirect, esz 8, psz 64K, shr 1)",
            "ITS@0x0000000008080000: allocated 8192 Devices @41590000 (flat, esz 8, psz 64K, shr 1)",
            "ITS@0x0000000008090000: allocated 8192 Devices @41590000 (indirect, esz 8, psz 64K, shr 0)",
        ):
            found = list(logs.Differences.read(run.DIFFERENCES, "").between([bare], [entries(other)]))
            self.assertEqual(len(found), 2, other)
        moved = entries("ITS@0x0000000008080000: allocated 8192 Devices @77590000 (indirect, esz 8, psz 64K, shr 1)")
        self.assertEqual(list(logs.Differences.read(run.DIFFERENCES, "").between([bare], [moved])), [])

    def test_the_list_knows_lines_in_two_pieces(self):
        bare = [*entries("Restarting tasks ... "), *entries("done.", level=4)]
        through = entries("Restarting tasks ... done.")
        self.assertEqual(list(logs.Differences.read(run.DIFFERENCES, "").between([bare], [through])), [])


GUEST = """
import sys
lines = ["TAP version 14", "ok 1 - a", "not ok 2 - b", "ok 3 - c # SKIP no time",
         "# boot", "# log",
         "<6>[ 0.1] ITS queue timeout", "# end", "1..3"]
print(*lines, sep="\\n")
"""


class Runs(unittest.TestCase):
    def judged(self, script, what="boot"):
        import sys

        result = boot.Boot([sys.executable, "-c", script], 60, lambda line: None)
        result.judge(run.LEAST[what], 1 if what == "boot" else 3)
        return result

    def test_failures_skips_and_timeouts_are_problems(self):
        result = self.judged(GUEST)
        self.assertEqual(
            result.problems, ["failed: 2 - b", "skipped: 3 - c", "ITS queue timeout"]
        )
        self.assertEqual(result.passed, 1)

    def test_too_few(self):
        problems = self.judged(GUEST, "short").problems
        self.assertTrue(any("at least" in problem for problem in problems))
        self.assertIn("1 logs, where 3 are due", problems)

    def test_nothing(self):
        self.assertTrue(self.judged("print('hello')").problems)

    def test_exit_status(self):
        problems = self.judged(GUEST + "sys.exit(3)").problems
        self.assertIn("QEMU's exit status 3", problems)

    def test_other_tests(self):
        bare = self.judged(GUEST)
        through = self.judged(GUEST.replace(" - a", " - d"))
        found = list(run.compare([bare], [through], logs.Differences("")))
        self.assertEqual(found, ["the tests of the two boots are not the same"])
        through = self.judged(GUEST.replace('"ok 1 - a"', '"ok 1 - a", "ok 2 - EL2: e"'))
        self.assertEqual(list(run.compare([bare], [through], logs.Differences(""))), [])


class Machines(unittest.TestCase):
    def test_titles_differ(self):
        for matrix in (run.BRIEF, run.SHORT, run.FULL, run.BEHIND):
            titles = [each.title for each, _ in matrix]
            self.assertEqual(len(set(titles)), len(titles))

    def test_the_matrix(self):
        due = {(k, g, c) for k in machine.KERNELS for g in machine.GIC_VERSIONS for c in (1, 2, 4)}
        full = {(m.kernel, m.gic, m.cpus) for m, what in run.FULL if what == "full"}
        self.assertEqual(due, full)
        self.assertEqual({m.processor for m, _ in run.FULL}, set(machine.PROCESSORS))
        # What is left out of the brief form is in the others.
        self.assertEqual(sorted(m.kernel for m, _ in run.BRIEF), sorted(machine.KERNELS))
        self.assertIn(machine.NESTED, {m.smmu for m, _ in run.BRIEF})
        for each, _ in run.BRIEF:
            self.assertIn((each, "short"), [*run.SHORT, *run.BEHIND])
        for matrix in (run.SHORT, run.FULL):
            self.assertEqual({m.kernel for m, _ in matrix}, {*machine.KERNELS, machine.NEWEST})
            self.assertEqual({m.gic for m, _ in matrix}, set(machine.GIC_VERSIONS))
