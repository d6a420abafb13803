# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the figures of Linux, and what makes them fail."""

import unittest

from Runners.bench import linux as bench, marks

READING = f"# count 4 {bench.READING}"


def interval(job, instructions=1000, entered=0, **more):
    entries = None if entered is None else dict.fromkeys(marks.VECTORS, 0) | {"synchronous": entered}
    return marks.Interval(job, instructions, 0.5, entries, **more)


def sample(job, instructions=1000, entered=0, **more):
    more.setdefault("counts", {bench.CALLS: bench.READING} if job != "boot" else {})
    return bench.Sample(interval(job, instructions, entered), **more)


class Reading(unittest.TestCase):
    def test_figures(self):
        jobs = [interval("boot"), interval("msi"), interval("msi")]
        lines = [
            "# job boot", "# count 2 70", "# job msi", "# interrupts 5", "# raised 4", "# counted 4",
            "ok 1 - other", "# job msi", "# interrupts 6",
        ]  # fmt: skip
        boot, first, second = bench.samples(jobs, lines)
        self.assertEqual(boot.counts, {2: 70})
        self.assertEqual((first.interrupts, first.raised, first.counted), (5, 4, 4))
        self.assertEqual((second.interrupts, second.raised, second.counted), (6, None, None))

    def test_jobs_that_are_not_the_same(self):
        boot = [interval("boot")]
        for lines in (
            [],
            ["# job msi"],
            ["# job boot", "# job msi"],
            ["# interrupts 1", "# job boot"],
            ["# job boot", "# count 1"],
            ["# job boot", "# interrupts 1 2"],
        ):
            with self.assertRaises(ValueError, msg=lines):
                bench.samples(boot, lines)

    def test_the_report(self):
        good = ["TAP version 14", "ok 1 - a", "# job boot", "ok 2 - b", "1..2"]
        self.assertEqual(list(bench.report_problems(good, 2)), [])
        self.assertTrue(list(bench.report_problems(good, 3)))
        self.assertTrue(list(bench.report_problems(good[:-1], 2)))
        failed = [line.replace("ok 2", "not ok 2") for line in good]
        self.assertEqual(list(bench.report_problems(failed, 2)), ["failed: 2 - b"])


class Kinds(unittest.TestCase):
    def test_by_kind(self):
        counts = {
            bench.TRAPS: 10, bench.CALLS: bench.READING + 3, 5: 99999,
            512: 4, 512 + 96: 2, 512 + 192 + 8: 7, 512 + 289: 50, 64: 2,
        }  # fmt: skip
        job = sample("drivers", entered=None, counts=counts)
        self.assertEqual((job.its_accesses, job.other_accesses, job.calls, job.commands), (6, 4, 3, 7))
        self.assertEqual(job.entries, 13)
        self.assertEqual(list(job.problems(True)), [])

    def test_the_boot_reads_but_once(self):
        job = sample("boot", entered=None, counts={bench.TRAPS: 1, bench.CALLS: bench.READING_TO_CALLS + 2})
        self.assertEqual(job.calls, 2)
        self.assertEqual(list(job.problems(True)), [])


class Problems(unittest.TestCase):
    def msi(self, entered=0, raised=9, counted=9, **more):
        return list(sample("msi", entered=entered, raised=raised, counted=counted, **more).problems(True))

    def test_all_is_well(self):
        self.assertEqual(self.msi(), [])
        self.assertEqual(list(sample("vda", counts={}).problems(False)), [])

    def test_an_msi_that_is_lost_or_enters(self):
        self.assertEqual(self.msi(counted=8), ["msi: 9 raised, 8 counted"])
        self.assertTrue(self.msi(raised=None, counted=None))
        counts = {bench.TRAPS: 1, bench.CALLS: bench.READING}
        self.assertEqual(self.msi(entered=1, counts=counts), ["msi: EL2 was entered 1 times"])
        # It has to be looked at.
        self.assertTrue(self.msi(entered=None))

    def test_counts_that_disagree(self):
        self.assertTrue(list(sample("vda", entered=1).problems(True)))
        self.assertTrue(list(sample("vda", counts={}).problems(True)))
        self.assertTrue(list(sample("boot", entered=None).problems(True)))

    def test_a_control_that_is_not_seen(self):
        counts = {bench.TRAPS: 3, bench.CALLS: bench.READING}
        self.assertEqual(list(sample("control", entered=3, counts=counts).problems(True)), [])
        self.assertEqual(list(sample("control").problems(True)), ["control: no entry into EL2 was seen"])
        self.assertEqual(len(list(sample("control", entered=2, counts=counts).problems(True))), 1)

    def test_interrupts_that_enter(self):
        job = sample("vda", entered=1)
        job.interval.entries["IRQ"] = 1
        self.assertIn("vda: EL2 took IRQ", list(job.problems(True)))


class Arithmetic(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(str(bench.Spread((1000,))), "1,000")
        self.assertEqual(str(bench.Spread((1000, 1000))), "1,000 (each time)")
        self.assertEqual(str(bench.Spread((1030, 1000, 990))), "1,000 (-1.0 to +3.0 %)")

    def test_difference(self):
        self.assertAlmostEqual(bench.difference(bench.Spread((100, 300, 200)), bench.Spread((201,))), 0.5)

    def test_verdict(self):
        self.assertEqual(bench.verdict(2.0, 2.0), "2 %, met")
        self.assertEqual(bench.verdict(2.0, -1.0), "2 %, met")
        self.assertEqual(bench.verdict(2.0, 2.01), "2 %, MISSED")
        self.assertEqual(bench.verdict(None, 50.0), "")

    def test_verdict_that_the_spread_hides(self):
        narrow, wide = bench.Spread((1000, 1009, 1010)), bench.Spread((1000, 1000, 1011))
        self.assertEqual(bench.verdict(1.0, 0.5, narrow, narrow), "1 %, met")
        self.assertEqual(bench.verdict(1.0, 0.5, narrow, wide), "1 %, met, finer than the spread")
        self.assertEqual(bench.verdict(1.0, 1.5, wide, narrow), "1 %, MISSED, finer than the spread")

    def test_columns(self):
        rows = [("a", "bbb"), ("aaa", "b")]
        self.assertEqual(list(bench.table(rows)), ["a    bbb", "aaa    b"])


class Comparisons(unittest.TestCase):
    def setUp(self):
        disk = [sample("vda", count, counts={}) for count in (90, 100, 110)]
        bare = [sample("boot", 1000, counts={}), *disk]
        boot = bench.Sample(interval("boot", 1015, None, start=30), counts={1: 62_500_000, 2: 2, 4: 6, 8: 5})
        msi = sample("msi", raised=5, counted=5, interrupts=5)
        self.bare = [*bare, msi]
        self.comparison = bench.Comparison(
            self.bare, [boot, *(sample("vda", count) for count in (102, 102, 300)), msi]
        )

    def test_medians_are_compared(self):
        found = {job: (round(per_cent, 9), aim) for job, per_cent, aim in self.comparison.differences()}
        self.assertEqual(found, {"boot": (1.5, 2.0), "vda": (2.0, 1.0), "msi": (0.0, None)})
        last = [row[-1] for row in self.comparison.instructions()]
        self.assertEqual(last, ["aim", "2 %, met", "1 %, MISSED, finer than the spread", ""])

    def test_where_it_comes_from(self):
        first, own, second = self.comparison.remarks()
        self.assertIn("30 instructions from the reset", first)
        self.assertIn(" -15 against bare", first)
        self.assertIn("110 of all instructions are EL2's own, before the host and in traps of accesses: 11.00 % of bare", own)
        self.assertIn("5 raised, 5 counted: 1.000 interrupts each; 0 entries", second)

    def test_a_machine_that_was_not_measured(self):
        comparison = bench.Comparison(self.bare, [])
        self.assertEqual(list(comparison.differences()), [])
        self.assertEqual(len(list(comparison.instructions())), 1)
        self.assertEqual(len(list(comparison.traps())), 1)
        self.assertEqual(len(list(comparison.remarks())), 1)

    def test_a_second_of_the_guest(self):
        rows = {row[0]: row for row in self.comparison.traps()}
        self.assertEqual(rows["boot to user space"][1:6], ("2", "4", "0", "2", "0"))
