# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Tells how far the steps are: on a terminal a line for each that runs, elsewhere plain lines."""

import os
import re
import shutil
import sys
import time

CLEAR_TO_END = "\x1b[J"
UP = "\x1b[{}A"
# What would move the cursor: control characters, and escape sequences whole.
MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]")
# Seconds between two lines of the same step, where lines stay.
EVERY = 60


def clock(seconds):
    """Seconds as minutes and seconds."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


class Plain:
    """Lines that stay: one when a step starts, one a minute, one when it is done."""

    def __init__(self, out=sys.stdout):
        self._out = out
        self._told = {}

    def say(self, line=""):
        print(line, file=self._out, flush=True)

    def started(self, running):
        self._told[running.step.name] = time.monotonic()
        self.say(f"start {running.step.name}: {running.log}")

    def refresh(self, running, waiting):
        for each in running:
            name = each.step.name
            if time.monotonic() - self._told[name] >= EVERY:
                self._told[name] = time.monotonic()
                self.say(f"      {name} {clock(each.seconds)} {MOVES.sub('', each.last)[:100]}")


class Terminal(Plain):
    """The lines of what runs are below all others, and are written anew as time goes by."""

    def __init__(self, out=sys.stdout):
        super().__init__(out)
        self._height = 0
        self._start = time.monotonic()
        self._refreshed = 0.0

    def _erase(self):
        if self._height:
            self._out.write(UP.format(self._height) + CLEAR_TO_END)
            self._height = 0

    def say(self, line=""):
        self._erase()
        super().say(line)

    def started(self, running):
        pass

    def refresh(self, running, waiting):
        now = time.monotonic()
        if now - self._refreshed < 0.5:
            return
        self._refreshed = now
        columns, rows = shutil.get_terminal_size()
        lines = [
            *(
                f"  {each.step.name:<20} {clock(each.seconds):>6}  {MOVES.sub('', each.last)}"
                for each in running
            ),
            f"  {clock(now - self._start)}, steps that wait: {waiting}",
        ]
        self._erase()
        shown = [line[: columns - 1] for line in lines[-(rows - 1) :]]
        self._out.write("".join(f"{line}\n" for line in shown))
        self._out.flush()
        self._height = len(shown)


def of(out=sys.stdout):
    """The display that suits the output."""
    is_terminal = out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return Terminal(out) if is_terminal and not os.environ.get("CI") else Plain(out)
