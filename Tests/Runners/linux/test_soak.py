# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The judge of the soak is judged: whatever may go wrong in one does, once, and must be told."""

import unittest

from Runners.linux import logs, soak

FIRST = {
    0: 1, 1: 62500000, 2: 5000, 64: 4, 67: 8, 128: 65, 129: 959, 130: 80, 131: 38, 132: 80,
    512 + 34: 12, 512 + 201: 700, 512 + 289: 900, 512 + 320: 45, 512 + 321: 2003, 512 + 322: 5,
    512 + 323: 4,
}  # fmt: skip
TOLD = (
    "soak 60 vda=9 nvme0n1=9 network=9 edu=9 vectors=9 moves=90 missed=3 cpus=9 busy=1 drivers=9 "
    "extra=0 failures=0 raised=450 handled=450 traps=7000 commands=2000 refused=0"
)
STATE = "cpus=4 raised={0} handled={0} drivers=nvme,edu,virtio-pci,"


def guest(counts=None, state=None, told=TOLD, log=("<6>[ 9.0] IRQ moved",), start=(), end=True):
    """What a guest prints: two pauses, the last of which has `counts` beside the first's."""
    last = {**FIRST, 2: 9000, 512 + 201: 1500, **(counts or {})}

    def sample(seconds, values):
        return [
            f"# sample {seconds}",
            *(f"{number} {value}" for number, value in values.items() if value),
            "# end of sample",
        ]

    return [
        "portcullis: Portcullis at EL2",
        logs.BOOT,
        logs.BEGIN,
        "<4>[ 0.5] CPU1 is slow",
        *start,
        logs.END,
        soak.BEGIN,
        "soak warm-up vda=5",
        *sample(0, FIRST),
        f"state 0 {STATE.format(100)}",
        logs.BEGIN,
        *log,
        logs.END,
        *sample(60, last),
        f"state 60 {state or STATE.format(450)}",
        told,
        *([soak.END] if end else []),
    ]


def judge(seconds=60, is_bare=False, **arguments):
    return list(soak.problems(soak.Report(guest(**arguments), is_bare), seconds))


class Judge(unittest.TestCase):
    def assert_told(self, text, **arguments):
        found = judge(**arguments)
        self.assertTrue(any(text in problem for problem in found), found)

    def test_nothing_wrong(self):
        self.assertEqual(judge(), [])

    def test_every_gauge(self):
        for number, name in soak.named(soak.GAUGES, soak.SERVICE_GAUGES, 1):
            for change in (1, -1):
                value = FIRST.get(number, 0) + change
                if value >= 0:
                    self.assert_told(name, counts={number: value})

    def test_what_must_be_zero_is_not_the_same_throughout(self):
        for number in (134, 512 + 324, 512 + 325):
            lines = guest(counts={number: 3})
            at = lines.index("# end of sample")
            lines.insert(at, f"{number} 3")
            found = list(soak.problems(soak.Report(lines), 60))
            self.assertEqual(len(found), 2, found)
            self.assertTrue(all("where none is due" in problem for problem in found))

    def test_every_refusal(self):
        for number, text in (
            (16, "access refused, reason 0"),
            (26, "access refused, reason 10"),
            (80, "LPI table refused, reason 0"),
            (512 + 256, "command refused, reason 0"),
            (512 + 270, "ITS 0, command refused, reason 14"),
        ):
            self.assert_told(text, counts={number: 1})

    def test_a_second_its(self):
        both = {0: 2, 1024 + 289: 1, 1024 + 320: 1, 1024 + 322: 1}
        lines = guest(counts={**both, 1024 + 257: 1})
        at = lines.index("# end of sample")
        lines[at:at] = [f"{number} {value}" for number, value in both.items()]
        # The first pause of the guest tells of one ITS already; the last word counts.
        found = list(soak.problems(soak.Report(lines), 60))
        self.assertEqual(found, ["after 60 s: ITS 1, command refused, reason 1: 1"])

    def test_accesses_without_effect(self):
        self.assert_told("Redistributors, accesses without effect", counts={68: 1})
        self.assert_told("ITS 0, accesses without effect", counts={512 + 288: 1})

    def test_lost_interrupts(self):
        self.assert_told("450 raised, 449 handled", told=TOLD.replace("handled=450", "handled=449"))
        lost = "cpus=4 raised=450 handled=449 drivers=nvme,edu,virtio-pci,"
        self.assert_told("interrupts are lost", state=lost)
        self.assert_told(
            "interrupts", told=TOLD.replace("raised=450", "raised=0").replace("=450", "=0")
        )

    def test_what_does_not_come_back(self):
        self.assert_told("cpus are not", state=STATE.format(450).replace("cpus=4", "cpus=3"))
        self.assert_told("drivers are not", state=STATE.format(450).replace("nvme,", ","))

    def test_jobs(self):
        for job in soak.JOBS:
            self.assert_told(f"{job}: no round", told=TOLD.replace(f"{job}=9", f"{job}=0"))
        self.assert_told("no vector", told=TOLD.replace("moves=90", "moves=0"))
        self.assert_told("failed: 1", told=TOLD.replace("failures=0", "failures=1"))
        self.assert_told("not told", told="soak 60 vda=1")
        self.assert_told("soak failed: vda", start=[logs.END, "soak failed: vda, x", logs.BEGIN])

    def test_the_end(self):
        self.assert_told("not come to its end", end=False)
        self.assert_told("60 of 1800 s", seconds=1800)
        for cut in range(len(guest())):
            self.assertTrue(list(soak.problems(soak.Report(guest()[:cut]), 60)), cut)

    def test_nothing_counted(self):
        lines = [line for line in guest() if not line.startswith("801 ")]
        self.assertIn("ITS 0, doorbells: nothing is counted", soak.problems(soak.Report(lines), 60))
        empty = [line for line in guest() if not line[:1].isdigit()]
        self.assertIn("EL2 tells of no ITS", soak.problems(soak.Report(empty), 60))

    def test_the_log(self):
        self.assertEqual(judge(log=["<4>[ 9.0] CPU2 is slow"]), [], "the start says so, too")
        self.assertEqual(judge(log=["<4>[ 9.0] hrtimer: interrupt took 99953840 ns"]), [])
        self.assert_told("warns: what is this", log=["<4>[ 9.0] what is this"])
        self.assert_told("ITS queue timeout", log=["<3>[ 9.0] ITS queue timeout (64 32)"])
        self.assert_told("timed out", log=["<6>[ 9.0] nvme: I/O 5 timed out, aborting"])
        self.assert_told("no line of a log", log=["what is this"])

    def test_bare(self):
        lines = [line for line in guest() if not line[:1].isdigit()]
        self.assertEqual(list(soak.problems(soak.Report(lines, is_bare=True), 60)), [])
        lost = [line.replace("handled=450", "handled=449") for line in lines]
        self.assertTrue(list(soak.problems(soak.Report(lost, is_bare=True), 60)))

    def test_the_summary(self):
        text = "\n".join(soak.summary(soak.Report(guest(counts={512 + 320: 46}))))
        self.assertIn("ITS 0, pages in use: 45 46", text)
        self.assertIn("commands: 700 at first, 1500 at the end", text)
