# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What is typed at a board is typed at its prompt, and what it prints comes line by line."""

import unittest

import board

ECHO = ["sh", "-c", "printf 'one\\ntwo> '; read -r x; printf 'got %s\\n$ ' \"$x\"; read -r y; echo \"$y\""]


class Lines(unittest.TestCase):
    def test_each_reply_follows_its_prompt(self):
        dialogue = [(b"two> ", b"first\n"), (b"$ ", b"second\n")]
        self.assertEqual(
            list(board.lines(ECHO, 10, dialogue)), ["one", "got first", "second", 0]
        )

    def test_a_prompt_that_never_comes_is_not_answered(self):
        self.assertEqual(list(board.lines(ECHO, 1, [(b"three> ", b"x\n")]))[-1], 124)

    def test_without_a_dialogue_nothing_can_be_read(self):
        self.assertEqual(list(board.lines(ECHO, 10)), ["one", "two> got ", "$ ", 0])


if __name__ == "__main__":
    unittest.main()
