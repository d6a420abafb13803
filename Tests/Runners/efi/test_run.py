# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import types
import unittest

from Runners.efi import machine, run
from Runners.linux import logs

TOLD = [
    "\x1b[1mportcullis: Portcullis at EL2, image at 0x7b400000 size 0xd00000",
    "portcullis: ITS at 0x8080000 claimed, GITS_TYPER 0x1",
]


def judged(level, lines, through, gic=3, what="short"):
    """What is wrong with a boot whose log says this exception level, and which printed these lines."""
    trial = run.Trial(types.SimpleNamespace(), None, machine.Machine(gic=gic), what, print)
    log = [logs.Entry(6, f"CPU: All CPU(s) started at {level}")]
    return list(trial._judge(types.SimpleNamespace(lines=lines, logs=[log]), through))


class TrialTests(unittest.TestCase):
    def test_through_portcullis_linux_is_at_el1_and_each_start_is_told(self):
        self.assertEqual(judged("EL1", TOLD * 2, True), [])
        self.assertEqual(judged("EL1", TOLD, True, what="boot"), [])
        self.assertEqual(len(judged("EL2", TOLD * 2, True)), 1)
        self.assertEqual(len(judged("EL1", TOLD, True)), 2)

    def test_bare_nobody_is_there(self):
        self.assertEqual(judged("EL1", [], False), [])
        self.assertEqual(judged("EL2", [], False, gic=4), [])
        self.assertEqual(len(judged("EL1", TOLD, False)), 2)
        self.assertEqual(len(judged("EL1", [], False, gic=4)), 1)


if __name__ == "__main__":
    unittest.main()
