# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The runner's boots: all that are due, and each sees when something else ran than was to run."""

import contextlib
import io
import pathlib
import struct
import tempfile
import types
import unittest
import unittest.mock

from Runners import counts, qemu
from Runners.board import judge, payload, run

HOST = bytearray(64) + b"of 2" + payload.BUILT_IN
struct.pack_into("<Q", HOST, payload.SIZE_AT, 0x200)
HOST[payload.MAGIC_AT : payload.MAGIC_AT + 4] = payload.MAGIC
HOST = bytes(HOST)

REFUSED = "portcullis: refused: width not permitted, ipa 0x8080080 va 0x8080080 esr 0x93000007"


class Payload(unittest.TestCase):
    def test_image_keeps_all_but_its_words(self):
        made = payload.image(HOST)
        self.assertEqual(len(made), len(HOST))
        self.assertEqual(made.replace(payload.LOADED, payload.BUILT_IN), HOST)

    def test_an_image_has_another_header(self):
        made = payload.image(HOST, text_offset=0x80000)
        self.assertEqual(struct.unpack_from("<2Q", made, payload.OFFSET_AT), (0x80000, 0x200))
        self.assertEqual(len(payload.image(HOST, appended=3)), 0x203)

    def test_an_entry_is_code_for_one_address(self):
        self.assertEqual(payload.entry(0x48200000)[8:12], bytes.fromhex("0104a9d2"))
        for address in (0x48200010, 0x1_4820_0000):
            with self.assertRaises(ValueError):
                payload.entry(address)

    def test_flat_payload_has_no_magic_and_all_of_its_memory(self):
        made = payload.flat(HOST)
        self.assertEqual(len(made), 0x200)
        self.assertNotIn(payload.MAGIC, made)
        self.assertIn(payload.LOADED, made)

    def test_what_is_not_the_test_host_is_refused(self):
        for name, wrong in {
            "no header": HOST[:40],
            "another magic": HOST.replace(payload.MAGIC, b"ELF\0"),
            "other words": payload.image(HOST),
            "its words twice": HOST + payload.BUILT_IN,
        }.items():
            with self.subTest(name), self.assertRaises(ValueError):
                payload.image(wrong)


class Boots(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            testhost = directory / "testhost.img"
            testhost.write_bytes(HOST)
            self.all = list(run.boots("el2.img", "el2.elf", testhost, directory))
        self.form = {boot.form: boot for boot in self.all}

    def test_every_board_and_every_form(self):
        boards = [(boot.gic, boot.cpus) for boot in self.all if boot.form == "image"]
        self.assertEqual(boards, [(3, 1), (3, 4), (4, 1), (4, 4)])
        others = [boot.form for boot in self.all if boot.form != "image" and not boot.form.startswith("refused-")]
        self.assertEqual(
            others,
            [
                "elf",
                "handover",
                "handover-two-levels",
                "handover-disabled",
                "handover-kept",
                "vlpi-checked",
                "u-boot",
                "u-boot-efi",
                "loader-sp-el0",
                "module-image",
                "module-flat",
                "module-bootargs",
                "masters-claimed",
                "devices-listed",
                "its-disabled",
                "gic-disabled",
                "smmu-disabled",
                "memory-silent",
                "smmu",
                "log-warning",
                "console-8250",
                "ram-at-zero",
                "console-nowhere",
                "no-its",
                "cpus",
                "module-text-offset",
                "module-appended",
                "no-psci",
            ],
        )
        self.assertEqual(len(list(run.boots("el2.img", None, None, None))), 4)

    def test_the_host_has_the_its_at_work(self):
        idle = {boot.form for boot in self.all if not boot.works}
        self.assertEqual(idle, {"its-disabled", "gic-disabled", "smmu-disabled"})

    def test_titles_differ(self):
        self.assertEqual(len({boot.title for boot in self.all}), len(self.all))

    def test_arguments(self):
        self.assertIn("el2.elf", self.form["elf"].arguments)
        for form in ("module-image", "module-flat", "module-bootargs", "module-appended"):
            self.assertIn("guest-loader,", self.form[form].arguments[-1])

    def test_the_wrong_host_is_seen(self):
        built_in, loaded = "# 2 of 2 tests passed", "# 2 of 2 tests PASSED"
        for form, right, wrong in (
            ("image", built_in, loaded),
            ("elf", built_in, loaded),
            ("module-image", loaded, built_in),
            ("module-flat", loaded, built_in),
        ):
            with self.subTest(form):
                self.assertEqual(self.form[form].judge([right]), [])
                self.assertNotEqual(self.form[form].judge([wrong]), [])
                self.assertNotEqual(self.form[form].judge([]), [])
                self.assertNotEqual(self.form[form].judge([REFUSED, right]), [])

    def test_the_sign_is_looked_for(self):
        for form, sign in (("module-bootargs", run.FIGURE), ("log-warning", run.REFUSAL)):
            line = "bench: read32-instructions 0" if sign == run.FIGURE else REFUSED
            with self.subTest(form):
                self.assertEqual(self.form[form].judge(["", line]), [])
                self.assertNotEqual(self.form[form].judge(["# 2 of 2 tests passed"]), [])

    def test_a_board_that_is_switched_off_says_nothing_more(self):
        boot = self.form["handover-kept"]
        end = "portcullis: switched off: a live ITS was not handed over, number 0"
        self.assertEqual(boot.judge([judge.LIVE, end, ""]), [])
        for lines in (
            [],
            [judge.LIVE],
            [end],
            [judge.LIVE, end, "ok 1 - a: b"],
            [judge.LIVE, end, "# the host goes on"],
            ["TAP version 14", judge.LIVE, end],
            [judge.LIVE, end, "noise"],
        ):
            with self.subTest(lines):
                self.assertNotEqual(boot.judge(lines), [])


    def test_a_board_that_is_refused_says_why(self):
        boot = self.form["refused-gic-v2"]
        line = "portcullis: not started: the board has no GICv3"
        self.assertEqual(boot.judge([line]), [])
        for lines in ([], [line + "."], [line, "TAP version 14"], ["portcullis: not started: x"]):
            with self.subTest(lines):
                self.assertNotEqual(boot.judge(lines), [])

    def test_a_board_that_is_refused_without_a_console(self):
        boot = self.form["refused-console"]
        self.assertEqual(boot.judge([""]), [])
        self.assertNotEqual(boot.judge(["TAP version 14"]), [])

    def test_a_board_is_refused_for_every_reason(self):
        forms = {boot.form.removeprefix("refused-") for boot in self.all if boot.form.startswith("refused-")}
        self.assertEqual(
            forms,
            {
                "redistributors",
                "spin-table",
                "doorbell",
                "monitor",
                "gic-v5",
                "console",
                "gic-v2",
                "option",
                "el1",
                "el3",
                "cpus",
                "misplaced-kernel",
                "ram-disk-in-kernel",
                "kernel-in-tree",
            },
        )


GOOD = ["TAP version 14", "ok 1 - a", "ok 2 - b", "# 2 of 2 tests passed", "1..2"]
BAD = ["TAP version 14", "ok 1 - a", "not ok 2 - b", "# 1 of 2 tests passed", "1..2"]


class Attempts(unittest.TestCase):
    def attempt(self, boot, lines, status=0, patterns=(), **more):
        """The outcome of a boot that prints these lines."""
        options = types.SimpleNamespace(qemu="old", smmu_qemu=None, seconds=1, least=2, checked=False)
        options.__dict__.update(more)
        booted = unittest.mock.patch.object(qemu, "run", return_value=(lines, status))
        lacks = unittest.mock.patch.object(
            qemu, "lack", lambda program: None if program == "new" else "too old"
        )
        with booted as self.booted, lacks:
            return run.attempt(boot, options, patterns, pathlib.Path("."), lambda line: None)

    def test_good(self):
        outcome = self.attempt(run.Boot("image", "el2.img"), GOOD)
        self.assertEqual((outcome.passed, outcome.failed, outcome.problems), (2, 0, []))

    def test_a_test_that_fails(self):
        outcome = self.attempt(run.Boot("image", "el2.img"), BAD, 1)
        self.assertEqual((outcome.passed, outcome.failed), (1, 1))
        self.assertIn("failed: 2 - b", outcome.problems)

    def test_a_boot_that_is_wrong_as_a_whole(self):
        for lines, status in ((GOOD[:-1], 0), (GOOD, 124), ([], 0), (GOOD[:3] + GOOD[4:], 0)):
            outcome = self.attempt(run.Boot("image", "el2.img"), lines, status)
            self.assertEqual(outcome.failed, 1)
            self.assertTrue(outcome.problems)

    def test_a_sign(self):
        sign = run.Boot("module-bootargs", "el2.img", sign="x+")
        self.assertEqual(self.attempt(sign, ["xx"]).passed, 1)
        outcome = self.attempt(sign, ["y"])
        self.assertEqual((outcome.passed, outcome.failed), (0, 1))

    def test_the_checked_image_tells_how_much_it_has_compared(self):
        def told(traps, redistributors=1, **boot):
            lines = [
                f"portcullis: check: {count} traps of {what} as specified, heap 1 KiB"
                for what, count in (("ITSes", traps), ("Redistributors", redistributors))
            ]
            return self.attempt(run.Boot("image", "el2.img", **boot), [*lines, *GOOD], checked=True)

        self.assertEqual(told(64).problems, [])
        self.assertTrue(told(32).problems)
        self.assertTrue(told(64, 0).problems)
        self.assertTrue(self.attempt(run.Boot("image", "el2.img"), GOOD, checked=True).problems)
        # An ITS that is handed over is not compared.
        self.assertEqual(told(0, bootargs="portcullis.handover").problems, [])
        self.assertEqual(told(0, works=False).problems, [])

    def test_silence(self):
        silent = run.Boot("refused-console", "el2.img", silent=True)
        self.assertEqual(self.attempt(silent, []).passed, 1)
        for lines, status in ((GOOD, 0), ([], 124)):
            self.assertEqual(self.attempt(silent, lines, status).failed, 1)

    def test_the_status_that_is_due(self):
        sign = run.Boot("no-its", "el2.img", sign="x+", status=2)
        self.assertEqual(self.attempt(sign, ["xx"], 2).passed, 1)
        for status in (0, 1, 124):
            self.assertEqual(self.attempt(sign, ["xx"], status).failed, 1)

    def test_a_control(self):
        boot = run.Boot("image", "el2.img")
        outcome = self.attempt(boot, BAD, 1, patterns=["b"])
        self.assertEqual(outcome.problems, [])
        self.assertTrue(self.attempt(boot, BAD, 1, patterns=["a"]).problems)

    def test_an_smmu_takes_a_qemu_that_has_it(self):
        boot = run.Boot("smmu", "el2.img", smmu=True)
        outcome = self.attempt(boot, GOOD)
        self.assertEqual((outcome.passed, outcome.failed, outcome.problems), (0, 0, []))
        self.assertIn("not run: too old", outcome.summary[0])
        self.assertEqual(self.attempt(boot, GOOD, smmu_qemu="new").passed, 2)
        self.assertEqual(self.booted.call_args.args[0][0], "new")

    def test_the_exit_status_and_the_counts_are_those_of_all(self):
        good, bad = judge.Outcome(2, 0), judge.Outcome(1, 1, ["failed"])
        with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
            results = pathlib.Path(name, "run.json")
            self.assertEqual(judge.conclude([good, good], results), 0)
            self.assertEqual(counts.read(results), (4, 0))
            self.assertEqual(judge.conclude([good, bad], results), 1)
            self.assertEqual(counts.read(results), (3, 1))
            self.assertEqual(judge.conclude([], results), 1)
