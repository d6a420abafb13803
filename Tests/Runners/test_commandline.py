# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What is chosen is there, and what is wrong fails."""

import contextlib
import io
import types
import unittest

from Runners import commandline

MACHINES = [types.SimpleNamespace(title=title) for title in ("smp=1", "smp=4")]


class Chosen(unittest.TestCase):
    def chosen(self, *words):
        options = commandline.parser("A runner.", "--only").parse_args(words)
        return [each.title for each in commandline.chosen(MACHINES, options)]

    def test_those_that_are_named(self):
        self.assertEqual(self.chosen(), ["smp=1", "smp=4"])
        self.assertEqual(self.chosen("--only", "4"), ["smp=4"])

    def test_none_is_a_failure(self):
        with self.assertRaises(SystemExit) as left:
            self.chosen("--only", "gic")
        self.assertEqual(left.exception.code, "nothing has 'gic' in its title")


class Told(unittest.TestCase):
    def test_each_is_said_and_fails(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(commandline.told([], "a"), 0)
            self.assertEqual(commandline.told(["b", "c"], "a"), 1)
        self.assertEqual(said.getvalue(), "a: b\na: c\n")
