# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of how the lines of a boot are read."""

import unittest

from Runners.linux import boot


class Apart(unittest.TestCase):
    def test_a_line_of_the_kernel_behind_a_test_is_its_own(self):
        lines = ["ok 42 - 200 of 200 are handled[   21.925927] reboot: Restarting system"]
        self.assertEqual(
            list(boot.apart(lines)),
            ["ok 42 - 200 of 200 are handled", "[   21.925927] reboot: Restarting system"],
        )

    def test_other_lines_stay(self):
        lines = ["ok 1 - queue [0] of 2", "not ok 2 - [x]", "[    1.000000] a[    2.000000] b", "", "  - what: \"1\""]
        self.assertEqual(list(boot.apart(lines)), lines)
