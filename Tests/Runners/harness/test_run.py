# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The harness's boots, and what is said of a run that is not as it must be."""

import pathlib
import re
import tempfile
import types
import unittest

from Runners import ROOT, qemu, tap
from Runners.board import judge
from Runners.harness import linux, run as harness

BOARD = (ROOT / "Tests/Harness/board.h").read_text("utf-8")


def reader(*points):
    """The finished reader of a report: names, with a minus in front of those that fail."""
    lines = [tap.VERSION]
    for number, name in enumerate(points, 1):
        lines.append(f"{'not ok' if name.startswith('-') else 'ok'} {number} - {name.lstrip('-')}")
    return judge.read([*lines, f"1..{len(points)}"])


class Boots(unittest.TestCase):
    def setUp(self):
        self.boots = list(harness.boots(pathlib.Path("on"), pathlib.Path("off")))

    def test_every_board_is_mediated_and_has_a_control(self):
        for is_control in (False, True):
            boards = {(b.gic, b.cpus) for b in self.boots if not b.bootargs and b.processor != "max" and b.is_control == is_control}
            self.assertEqual(boards, {(gic, cpus) for gic in (3, 4) for cpus in (1, 4)})

    def test_each_second_vm_has_a_control_which_has_more_attacks(self):
        boards = {True: set(), False: set()}
        for each in self.boots:
            if "harness.guest" in each.bootargs:
                boards[each.is_control].add((each.gic, each.cpus))
        self.assertEqual(boards[True], boards[False])
        self.assertTrue(boards[True])
        with tempfile.TemporaryDirectory() as name:
            attacks = pathlib.Path(name, "attacks")
            attacks.write_text("# none\nattack: *\n", "utf-8")
            for each in self.boots:
                found = harness.patterns(each, attacks)
                self.assertEqual(len(found) > 1, "harness.guest" in each.bootargs)

    def test_one_board_has_a_processor_with_landing_pads(self):
        (each,) = (b for b in self.boots if b.processor == "max")
        arguments = each.arguments("host")
        last = max(at for at, word in enumerate(arguments) if word == "-cpu")
        self.assertEqual(arguments[last + 1], "max")

    def test_a_control_is_another_image(self):
        for each in self.boots:
            self.assertEqual(str(each.image), "off" if each.is_control else "on")

    def test_the_host_is_put_where_the_harness_starts_it(self):
        base = re.search(r"HOST_BASE (0x[0-9a-f]+)", BOARD)[1]
        self.assertEqual(int(base, 16), qemu.HARNESS_HOST_ADDRESS)
        self.assertIn(f"loader,file=host,addr={base},force-raw=on", self.boots[0].arguments("host"))


class Linux(unittest.TestCase):
    def test_kernel_and_ram_disk_are_where_the_harness_leaves_memory_alone(self):
        with tempfile.TemporaryDirectory() as name:
            disk = pathlib.Path(name, "disk")
            disk.write_bytes(bytes(5))
            images = types.SimpleNamespace(kernel=pathlib.Path("vmlinuz"), ramdisk=disk)
            found = linux.arguments(linux.MACHINE, images, ("a", "b"), "harness.elf", qemu.HARNESS_HOST_ADDRESS, "WORD")
        self.assertIn("loader,file=vmlinuz,addr=0x40200000,force-raw=on", found)
        self.assertIn(f"loader,file={disk},addr={linux.RAMDISK_ADDRESS:#x},force-raw=on", found)
        words = found[found.index("-append") + 1]
        self.assertIn(f" initrd={linux.RAMDISK_ADDRESS:#x},5 WORD", words)
        self.assertNotIn("guest-loader", " ".join(found))
        places = [int(re.search(rf"{name} (0x[0-9a-f]+)", BOARD)[1], 16) for name in ("HOST_TREE", "HARNESS_BASE")]
        self.assertTrue(places[0] < linux.RAMDISK_ADDRESS < places[1])


class Judgement(unittest.TestCase):
    def test_a_control_is_booted_until_each_attack_has_succeeded_once(self):
        def judged(*boots):
            left = list(boots)
            found, _ = harness.judge_control(lambda: left.pop(0), ["a", "b"], most=2)
            return found, len(left)

        one, other, both = reader("-a", "b"), reader("a", "-b"), reader("-a", "-b")
        self.assertEqual(judged((both, 1), (one, 1)), ([], 1))
        self.assertEqual(judged((one, 1), (other, 1)), ([], 0))
        self.assertEqual(judged((one, 1), (one, 1), (both, 1)), ([f"{judge.HELD}2 - b"], 1))
        self.assertEqual(judged((one, 124), (both, 1)), (["out of time", f"{judge.HELD}2 - b"], 1))
        self.assertEqual(judged((one, 1), (other, 124)), (["out of time"], 0))

    def test_the_harness_that_ran_is_the_one_that_was_to_run(self):
        mediated, *_, control = harness.boots("on", "off")
        self.assertEqual(harness.judge_start(control, [harness.CONTROL]), [])
        self.assertEqual(len(harness.judge_start(control, [harness.MEDIATED])), 1)
        self.assertEqual(len(harness.judge_start(mediated, [harness.CONTROL])), 1)

    def test_the_end_of_a_board(self):
        self.assertEqual(harness.judge_end([judge.LIVE, harness.SWITCHED_OFF, ""]), [])
        self.assertEqual(len(harness.judge_end([judge.LIVE, harness.SWITCHED_OFF, "# the host goes on"])), 2)
        self.assertEqual(len(harness.judge_end([harness.SWITCHED_OFF])), 1)
