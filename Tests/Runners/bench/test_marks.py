# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What is made of the stops of a machine."""

import unittest

from Runners.bench import marks

VECTORS = 0x1000
SYNCHRONOUS = 0x1400
IRQ = 0x1480
SYNCHRONOUS_32 = 0x1600


class Vectors(unittest.TestCase):
    def test_entries(self):
        entries = dict(marks.entries(VECTORS))
        self.assertEqual(entries[SYNCHRONOUS], "synchronous")
        self.assertEqual(entries[IRQ], "IRQ")
        self.assertEqual(entries[SYNCHRONOUS_32], "synchronous")
        self.assertEqual(max(entries), 0x1780)
        self.assertEqual(len(entries), 8)


class Counting(unittest.TestCase):
    def test_the_boot_begins_with_the_reset(self):
        counter = marks.Counter(VECTORS)
        self.assertFalse(counter.has_host)
        counter.at_host(100)
        self.assertTrue(counter.has_host)
        self.assertEqual(counter.watched, set())
        counter.at_mark("boot", 1000, 0.5)
        [boot] = counter.intervals
        self.assertEqual((boot.job, boot.start, boot.instructions, boot.seconds), ("boot", 100, 1000, 0.5))
        self.assertIsNone(boot.entered)

    def test_a_job_is_between_its_marks(self):
        counter = marks.Counter(VECTORS)
        counter.at_mark("boot", 1000, 1.0)
        counter.at_mark("disk begin", 1500, 2.0)
        self.assertEqual(counter.watched, set(dict(marks.entries(VECTORS))))
        counter.at_vector(IRQ)
        counter.at_vector(SYNCHRONOUS_32)
        counter.at_mark("disk end", 1700, 2.25)
        self.assertEqual(counter.watched, set())
        disk = counter.intervals[1]
        self.assertEqual((disk.job, disk.instructions, disk.seconds), ("disk", 200, 0.25))
        self.assertEqual(disk.entries, {"synchronous": 1, "IRQ": 1, "FIQ": 0, "SError": 0})
        self.assertEqual(disk.entered, 2)

    def test_what_is_not_watched(self):
        for vectors, job in ((VECTORS, "drivers"), (None, "disk")):
            counter = marks.Counter(vectors)
            counter.at_mark("boot", 1000, 1.0)
            counter.at_mark(f"{job} begin", 1500, 2.0)
            self.assertEqual(counter.watched, set())
            counter.at_mark(f"{job} end", 1500, 2.0)
            self.assertIsNone(counter.intervals[1].entered)

    def test_marks_out_of_order(self):
        for names in (
            ["disk begin"],
            ["boot", "boot"],
            ["boot", "disk end"],
            ["boot", "disk begin", "disk begin"],
            ["boot", "disk begin", "network end"],
            ["boot", "disk"],
        ):
            counter = marks.Counter()
            for name in names[:-1]:
                counter.at_mark(name, 0, 0.0)
            with self.assertRaises(ValueError, msg=names):
                counter.at_mark(names[-1], 0, 0.0)
