# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Compares the kernel's log of a bare boot with that of a boot through Portcullis."""

import collections
import dataclasses
import pathlib
import re

# What the guest prints when it has started, and around each part of its log.
BOOT = "# boot"
BEGIN = "# log"
END = "# end"
# `<8 * facility + level>[ seconds] text`
LINE = re.compile(r"<(\d+)>\[ *\d+\.\d+\] (.*)")
WARNING = 4
# What may not be in any log, bare or not.
FATAL = re.compile(r"ITS queue timeout|timed out, (aborting|reset)|\bOops\b|Kernel panic|soft lockup")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One line of a log, without its time."""

    level: int
    text: str

    def __str__(self):
        return f"{'warning: ' if self.level <= WARNING else ''}{self.text}"


def sections(lines):
    """The logs among `lines`, one a boot, each a list of `Entry`.

    Raises ValueError where a part of a log has no end, where a line of it is none of a log, and where
    there is no boot that it belongs to.
    """
    found = []
    is_log = False
    for line in lines:
        if line == BOOT:
            found.append([])
        elif line == BEGIN:
            is_log = True
        elif line == END:
            is_log = False
        elif is_log:
            match = LINE.fullmatch(line)
            if match and found:
                found[-1].append(Entry(int(match[1]) & 7, match[2]))
            elif line.strip():
                raise ValueError(f"no line of a log: {line!r}")
    if is_log:
        raise ValueError("a log has no end")
    return found


class Differences:
    """The differences that are allowed: a file of patterns, each with its reason above it.

    `value PATTERN` is a part of a line that may be another; `line PATTERN` is a line, with any
    level, that may be in one of the logs alone. Python's regular expressions; `#` starts a comment.
    What stands below `[TEXT]` is for machines whose title has TEXT.
    """

    def __init__(self, text, title=""):
        self._values = []
        self._lines = []
        applies = True
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("[") and line.endswith("]"):
                applies = line[1:-1] in title
                continue
            kind, _, pattern = line.partition(" ")
            kinds = {"value": self._values, "line": self._lines}
            if kind not in kinds or not pattern:
                raise ValueError(f"line {number}: neither a value nor a line: {line!r}")
            compiled = re.compile(pattern)
            if applies:
                kinds[kind].append(compiled)

    @classmethod
    def read(cls, path, title):
        """The differences that a file allows for a machine."""
        return cls(pathlib.Path(path).read_text("utf-8"), title)

    def _normal(self, entry):
        text = entry.text
        for pattern in self._values:
            text = pattern.sub("…", text)
        return Entry(entry.level, text)

    def _is_allowed(self, entry):
        return any(pattern.fullmatch(entry.text) for pattern in self._lines)

    def between(self, bares, throughs):
        """What tells boots through Portcullis apart from bare ones, though it is not allowed to; one text a line.

        Lines count, their order does not: the kernel does much at the same time. A line is a difference where it is
        there more often, or less often, in each boot of one kind than in each of the other: what comes and goes
        among boots of one kind is the kernel's own race. But a warning may never be there more often than in some
        bare boot.
        """
        bare, through = (
            [collections.Counter(self._normal(entry) for entry in log) for log in logs]
            for logs in (bares, throughs)
        )
        for entry in dict.fromkeys(entry for log in [*through, *bare] for entry in log):
            times = [log[entry] for log in bare]
            others = [log[entry] for log in through]
            decides = max if entry.level <= WARNING else min
            more = max(decides(others) - max(times), 0) or min(max(others) - min(times), 0)
            if more and not self._is_allowed(entry):
                often = f" ({abs(more)} times)" if abs(more) > 1 else ""
                where = "only through Portcullis" if more > 0 else "only bare"
                yield f"{where}{often}: {entry}"


def fatal(entries):
    """The lines that may not be in any log."""
    return [str(entry) for entry in entries if FATAL.search(entry.text)]
