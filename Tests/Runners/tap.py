# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""A strict reader of TAP version 14, for a producer that may be cut off or lie at any point."""

import dataclasses
import re

VERSION = "TAP version 14"
PLAN = re.compile(r"1\.\.(\d+)")
POINT = re.compile(r"(ok|not ok) (\d+) - (.*)")
# A difference that a test has found, in its diagnostic block.
WHAT = re.compile(r'\s+- what: "(.*)"')
DIRECTIVE = re.compile(r"\s#\s*(SKIP|TODO)\b\s*(.*)$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Point:
    """One test point: its number, its name, and what became of it."""

    number: int
    name: str
    passed: bool
    skipped: bool
    # What was not as it should be.
    differences: set = dataclasses.field(default_factory=set, compare=False)

    def __str__(self):
        return f"{self.number} - {self.name}"


class Reader:
    """Takes the output line by line; `errors` tells what a complete report may not have.

    What stands before the version line is the boot's and is not looked at. From there on every
    line must be TAP, or start with one of the `foreign` prefixes.
    """

    def __init__(self, foreign=()):
        self.points = []
        self.planned = None
        self.errors = []
        self._foreign = tuple(foreign)
        self._started = False
        self._in_yaml = False
        self._plan_at = None

    def feed(self, line):
        """Takes one line without its end."""
        if not self._started:
            self._started = line == VERSION
            return
        if self.points and (match := WHAT.match(line)):
            self.points[-1].differences.add(match[1])
        if self._in_yaml:
            self._in_yaml = line != "  ..."
            return
        if line == "  ---":
            if not self.points:
                self.errors.append("a diagnostic block before the first test")
            self._in_yaml = True
        elif line == "" or line.startswith("#") or self._foreign and line.startswith(self._foreign):
            pass
        elif line.startswith("Bail out!"):
            self.errors.append(line)
        elif line == VERSION:
            self.errors.append("a second version line: the host started twice")
        elif match := PLAN.fullmatch(line):
            self._plan(int(match[1]))
        elif match := POINT.fullmatch(line):
            self._point(match[1] == "ok", int(match[2]), match[3])
        else:
            self.errors.append(f"not TAP: {line!r}")

    def finish(self):
        """Call after the last line; adds what only the end can show."""
        if not self._started:
            self.errors.append(f"no line {VERSION!r}")
            return
        if self._in_yaml:
            self.errors.append("the output ends inside a diagnostic block")
        if self.planned is None:
            self.errors.append("no plan")
        elif self.planned != len(self.points):
            self.errors.append(f"{self.planned} tests planned, {len(self.points)} reported")
        elif self._plan_at not in (0, len(self.points)):
            self.errors.append("the plan stands between the tests")

    @property
    def run(self):
        """How many tests were not skipped."""
        return len(self.points) - self.skipped

    @property
    def passed(self):
        """How many tests have passed."""
        return sum(point.passed and not point.skipped for point in self.points)

    @property
    def skipped(self):
        """How many tests were skipped."""
        return sum(point.skipped for point in self.points)

    @property
    def failures(self):
        """The tests that have failed."""
        return [point for point in self.points if not point.passed]

    def failed(self):
        """What is said of each test that has failed."""
        return [f"failed: {point}" for point in self.failures]

    def _plan(self, count):
        if self.planned is not None:
            self.errors.append("a second plan")
        self.planned = count
        self._plan_at = len(self.points)

    def _point(self, passed, number, rest):
        directive = DIRECTIVE.search(rest)
        name = rest[: directive.start()] if directive else rest
        name = name.strip()
        if number != len(self.points) + 1:
            self.errors.append(f"test number {number} where {len(self.points) + 1} was due")
        if not name:
            self.errors.append(f"test {number} has no name")
        if any(point.name == name for point in self.points):
            self.errors.append(f"two tests are named {name!r}")
        if directive and directive[1].upper() == "TODO":
            self.errors.append(f"test {number} is marked as TODO")
        skipped = bool(directive) and directive[1].upper() == "SKIP"
        if skipped and not directive[2].strip():
            self.errors.append(f"test {number} is skipped without a reason")
        self.points.append(Point(number, name, passed, skipped and passed))


def read(lines, foreign=()):
    """The finished reader of `lines`."""
    reader = Reader(foreign)
    for line in lines:
        reader.feed(line)
    reader.finish()
    return reader
