# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What a guest prints of its disk."""

import unittest

from Runners.bench import throughput


class Rates(unittest.TestCase):
    def test_rates(self):
        lines = ["ok 1 - x", "# throughput read 67108864 50", "# throughput write 67108864 200"]
        self.assertEqual(throughput.rates(lines), {"read": [128.0], "write": [32.0]})

    def test_no_time(self):
        with self.assertRaises(ValueError):
            throughput.rates(["# throughput read 1 0"])
