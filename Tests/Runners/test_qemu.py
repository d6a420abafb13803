# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What is typed at a board is typed at its prompt, and what it prints comes line by line."""

import pathlib
import re
import tempfile
import unittest
import unittest.mock

from Runners import pace, qemu

ECHO = ["sh", "-c", "printf 'one\\ntwo> '; read -r x; printf 'got %s\\n$ ' \"$x\"; read -r y; echo \"$y\""]


class Lines(unittest.TestCase):
    def test_each_reply_follows_its_prompt(self):
        dialogue = [(b"two> ", b"first\n"), (b"$ ", b"second\n")]
        self.assertEqual(
            qemu.run(ECHO, 10, dialogue=dialogue), (["one", "got first", "second"], 0)
        )

    def test_a_prompt_that_never_comes_is_not_answered(self):
        self.assertEqual(qemu.run(ECHO, 1, dialogue=[(b"three> ", b"x\n")])[1], qemu.OUT_OF_TIME)

    def test_without_a_dialogue_nothing_can_be_read(self):
        self.assertEqual(qemu.run(ECHO, 10), (["one", "two> got ", "$ "], 0))


    def test_a_line_ends_a_machine_that_stays_on(self):
        said = []
        stays = ["sh", "-c", "printf 'x\\nyy\\nz\\n'; exec tail -f /dev/null"]
        self.assertEqual(qemu.run(stays, 10, said.append, until=re.compile("y+")), (["x", "yy"], 0))
        self.assertEqual(said, ["x", "yy"])


class Status(unittest.TestCase):
    def test_what_is_due(self):
        self.assertEqual(qemu.problems(0), [])
        self.assertEqual(qemu.problems(2, due=2), [])
        self.assertEqual(qemu.problems(0, due=2), ["exit status 0"])
        self.assertEqual(qemu.problems(3, what="QEMU's exit status"), ["QEMU's exit status 3"])
        self.assertEqual(qemu.problems(qemu.OUT_OF_TIME), ["out of time"])


class Arguments(unittest.TestCase):
    def test_a_comma_of_a_value_is_written_twice(self):
        self.assertIn(",bootargs=a=b,,c", qemu.module("kernel", 0x50000000, "a=b,c")[1])

    def test_the_host_of_an_embedder_has_its_word(self):
        words = qemu.board("harness.elf", bootargs="a", host="host.img")
        self.assertIn("loader,file=host.img,addr=0x40200000,force-raw=on", words)
        self.assertTrue(words[words.index("-append") + 1].startswith(f"a {qemu.EMBEDDED}"))


class Pace(unittest.TestCase):
    def words(self, factor, **more):
        with unittest.mock.patch.object(pace, "factor", lambda: factor):
            return qemu.board("el2.img", **more)

    def test_a_slow_board_is_told_so(self):
        for factor, word in ((1.0, None), (1.4, None), (1.6, "2"), (2.0, "2"), (3.4, "4"), (100.0, "8")):
            with self.subTest(factor):
                due = f"a testhost.pace={word}" if word else "a"
                words = self.words(factor, bootargs="a")
                self.assertEqual(words[words.index("-append") + 1], due)
                loaded = self.words(factor, payload=("host.img", 0x49000000, "a"))
                self.assertTrue(any(each.endswith(f",bootargs={due}") for each in loaded))

    def test_u_boot_hands_over_no_words(self):
        self.assertNotIn("-append", self.words(4.0, u_boot=True))


class Version(unittest.TestCase):
    def program(self, text):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        program = pathlib.Path(self.directory.name, "qemu")
        program.write_text(f"#!/bin/sh\necho '{text}'\n", "utf-8")
        program.chmod(0o755)
        return program

    def test_an_older_one_lacks_stage_2_and_a_newer_one_does_not(self):
        for text, version, lacks in (
            ("QEMU emulator version 7.2.22 (Debian 1:7.2)", (7, 2, 22), True),
            ("QEMU emulator version 9.0.4", (9, 0, 4), True),
            ("QEMU emulator version 9.1.0", (9, 1, 0), False),
            ("QEMU emulator version 10.0.2 (Debian)", (10, 0, 2), False),
            ("QEMU emulator version 10.0", (10, 0), False),
            ("something else", (), True),
        ):
            with self.subTest(text):
                program = self.program(text)
                self.assertEqual(qemu.version(program), version)
                self.assertEqual(qemu.lack(program) is not None, lacks)
