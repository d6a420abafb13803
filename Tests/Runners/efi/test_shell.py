# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import pathlib
import unittest

from Runners.efi import machine, shell, start

MAP = """Available  0000000040000000-0000000043FFFFFF 0000000000004000 0000000000000008
  Reserved  :              0 Pages (0 Bytes)
Total Memory:             64 MB (67,108,864 Bytes)
status 0x0"""
# The same with the last 16 MiB reserved.
TAKEN = """Available  0000000040000000-0000000042FFFFFF 0000000000003000 0000000000000008
Reserved   0000000043000000-0000000043FFFFFF 0000000000001000 0000000000000008
  Reserved  :          4,096 Pages (16,777,216 Bytes)
Total Memory:             48 MB (50,331,648 Bytes)
status 0x0"""
ANSWERS = {
    "version": "UEFI v2.70 (EDK II, 0x00010000)",
    "handles": "01: LoadedImage(DxeCore)",
    "files": "11/30/2026  16:59                 931  startup.nsh",
    "written": "there",
    "clock": "16:59:10 (LOCAL)",
    "timer": "",
    "variable": "DE C0",
    "devices": "00   00   04    00 ==> Network Controller - Ethernet controller",
}


def report(after=MAP, second="DE C0", **starts):
    """What the shell answers, with the answers of `starts` between both memory maps."""
    lines = ["== before", *MAP.splitlines()]
    for name, text in starts.items():
        lines += [f"== {name}", *text.splitlines()]
    lines += ["== after", *after.splitlines()]
    for name, answer in ANSWERS.items():
        lines += [f"== {name}", answer, "status 0x0"]
    return [*lines, "== end", "status 0x0", "== second", second]


def judged(each, *arguments, **more):
    return list(each.judge(report(*arguments, **more)))


BARE = start.Start("bare", machine.Machine(), {})
PLAIN = start.Start("plain", machine.Machine(), {"first": machine.APPLICATION, "again": machine.APPLICATION})
REFUSED = start.Start("no EL2", machine.Machine(), {"refused": "portcullis.efi"}, has_el2=False)
FIRST = """portcullis: Portcullis at EL2, image at 0x43000000 size 0x1000000
portcullis: ITS at 0x8080000 claimed, GITS_TYPER 0x1
status 0x0"""
AGAIN = "portcullis: is there already\nstatus 0x14"


class LoadedTests(unittest.TestCase):
    GRUB = list(start.starts(pathlib.Path()))[-1]
    REFUSED = "portcullis: not started: entered at EL1, not at EL2"

    def test_a_refusal_is_told_once_and_nothing_is_started_behind_it(self):
        self.assertEqual(list(self.GRUB.judge([self.REFUSED])), [])
        self.assertEqual(len(list(self.GRUB.judge([]))), 1)
        self.assertEqual(len(list(self.GRUB.judge([self.REFUSED, self.REFUSED]))), 1)
        gone_on = "error: file `/linux.efi' not found."
        self.assertEqual(list(self.GRUB.judge([self.REFUSED, gone_on])), [f"printed: {gone_on}"])

    def test_only_a_script_of_the_shell_is_hurried(self):
        self.assertEqual([prompt for prompt, _ in self.GRUB.dialogue], [b"grub> "])
        entry = next(each for each in start.starts(pathlib.Path()) if each.title == "boot entry")
        self.assertEqual(len(entry.dialogue), 2)


class ReportTests(unittest.TestCase):
    def test_a_shell_that_works_is_good(self):
        self.assertEqual(judged(BARE), [])
        self.assertEqual(judged(PLAIN, TAKEN, first=FIRST, again=AGAIN), [])

    def test_memory_must_be_reserved_and_none_may_be_lost(self):
        self.assertRegex(" ".join(judged(PLAIN, first=FIRST, again=AGAIN)), r"reserved now: \[\]")
        self.assertRegex(" ".join(judged(BARE, TAKEN)), "reserved now: .*0x43000000, 0x1000000 bytes")
        lost = TAKEN.replace("50,331,648", "50,331,647")
        self.assertIn("memory: 67108864 bytes, then 67108863", judged(PLAIN, lost, first=FIRST, again=AGAIN))

    def test_where_it_lies_and_what_it_claims_must_be_told(self):
        wrong = FIRST.replace("0x43000000", "0x43000001").replace("claimed", "seen")
        self.assertEqual(len(judged(PLAIN, TAKEN, first=wrong, again=AGAIN)), 2)
        # Firmware shows neighbours as one range.
        inside = FIRST.replace("0x43000000 size 0x1000000", "0x43100000 size 0xf00000")
        self.assertEqual(judged(PLAIN, TAKEN, first=inside, again=AGAIN), [])

    def test_starting_again_must_be_told_and_refused(self):
        found = judged(PLAIN, TAKEN, first=FIRST, again=FIRST)
        self.assertEqual(len(found), 2)

    def test_what_does_not_work_is_told(self):
        lines = ["== before", *MAP.splitlines(), "== after", *MAP.splitlines(), "== version", "status 0x1"]
        found = " ".join(shell.Report(lines).judge_work())
        for text in ("version: the status is 1", "version: no line", "devices: the status is None", "its end", "second: "):
            self.assertIn(text, found)

    def test_without_el2_it_must_refuse(self):
        self.assertEqual(judged(REFUSED, refused="portcullis: not started: no EL2 here\nstatus 0x3"), [])
        self.assertEqual(len(judged(REFUSED, refused="status 0x0")), 2)

    def test_what_is_refused_must_give_its_memory_back(self):
        wrong = start.Start("wrong", machine.Machine(), {"wrong": f"{machine.APPLICATION} {start.WRONG}"})
        told = f"portcullis: option {start.WRONG} is not known\nstatus 0x1"
        self.assertEqual(judged(wrong, wrong=told), [])
        self.assertRegex(" ".join(judged(wrong, TAKEN, wrong=told)), "reserved now: .*0x43000000")

    def test_the_script_begins_with_what_the_second_start_does(self):
        script = shell.script({"first": "portcullis.efi"}).decode().splitlines()
        self.assertLess(script.index("reset -s"), script.index("portcullis.efi"))
        self.assertEqual(script[-1], "reset")


if __name__ == "__main__":
    unittest.main()
