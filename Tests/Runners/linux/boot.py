# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots a Linux and reads what its guest reports."""

import re
import shutil

from Runners import qemu, tap
from Runners.linux import logs

# What stands between the tests' report: lines of the kernel's log, of EL2, which may be an embedder, and of QEMU's
# console.
FOREIGN = ("<", "[", "portcullis: ", "harness: ")


# Where a line of the kernel's log begins behind a test's, the end of which the kernel was quicker than.
BEHIND = re.compile(r"(?=\[ *\d+\.\d{6}\] )")


def apart(lines):
    """The lines, with those of the kernel's log apart that were printed behind a test's."""
    for line in lines:
        yield from BEHIND.split(line, maxsplit=1) if line.startswith(("ok ", "not ok ")) else (line,)


def report_to(say):
    """An echo that says the report of a guest as it comes, and nothing of the kernel's log."""

    def echo(line):
        if line.startswith(("ok ", "not ok ", "  ", "portcullis: ", "1..")):
            say(line)

    return echo


def control_to(say):
    """As `report_to`, for a boot on which tests must fail: its report is told as comments."""

    def echo(line):
        if line.startswith(("ok ", "not ok ", "  ")):
            say(f"#   {line}")

    return echo


def fresh(logs):
    """An empty folder for logs, where one is wanted."""
    if logs:
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir(parents=True)


def leave(lines, path):
    """Leaves what was printed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


class Boot:
    """One machine, booted in one way: what it printed, read as a report and as logs.

    `echo` gets each line as it comes. `dialogue` is what is typed, as `qemu.run` takes it. `only` makes of the lines
    those that are read.
    """

    def __init__(self, command, seconds, echo, dialogue=(), only=lambda lines: lines):
        self.problems = []
        printed, self.status = qemu.run(command, seconds, echo, dialogue)
        self.lines = list(apart(printed))
        read = list(only(self.lines))
        self.reader = tap.read(read, FOREIGN)
        try:
            self.logs = logs.sections(read)
        except ValueError as error:
            self.logs = []
            self.problems.append(str(error))

    def judge(self, least, boots):
        """Notes what is wrong with this boot by itself; `least` is how many tests are due, `boots` how many
        logs."""
        points = self.reader.points
        self.problems += [*self.reader.errors, *self.reader.failed()]
        self.problems += [f"skipped: {point}" for point in points if point.skipped]
        if len(points) < least:
            self.problems.append(f"{len(points)} tests were run, at least {least} are due")
        if len(self.logs) != boots:
            self.problems.append(f"{len(self.logs)} logs, where {boots} are due")
        for log in self.logs:
            self.problems += logs.fatal(log)
        self.problems += qemu.problems(self.status, what="QEMU's exit status")

    @property
    def passed(self):
        """How many tests have passed."""
        return self.reader.passed
