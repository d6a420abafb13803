# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The example of the documentation is the file that is compiled and run."""

import unittest

from Runners import ROOT

MOST_LINES = 100


class Example(unittest.TestCase):
    def setUp(self):
        self.file = (ROOT / "Tests/CAPI/Example.c").read_text("utf-8")

    def test_the_article_has_the_file_whole(self):
        article = (ROOT / "Sources/Hypervisor/Hypervisor.docc/Embedding.md").read_text("utf-8")
        _, _, behind = article.partition("```c\n")
        self.assertEqual(behind.partition("```\n")[0], self.file)

    def test_it_is_short(self):
        self.assertLessEqual(len(self.file.splitlines()), MOST_LINES)
