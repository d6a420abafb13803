# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What of the specification soaks have reached: its rules, and its lines."""

import collections
import pathlib
import re

FOLDER = pathlib.Path("Tests/Specification")
REACHED = re.compile(r"rule (\w+) +(\d+)$")
NAME = re.compile(r"^  /// - `(\w+)`:$", re.MULTILINE)


def rules(folder=FOLDER):
    """The rules that a transition names; what the invariant alone names is checked behind each step."""
    transitions = "".join(
        path.read_text("utf-8")
        for path in sorted(folder.glob("*.swift"))
        if path.name != "Rules.swift" and not path.name.startswith("Invariant")
    )
    named = set(re.findall(r"\.(\w+)", transitions))
    return [rule for rule in NAME.findall((folder / "Rules.swift").read_text("utf-8")) if rule in named]


def reached(outputs):
    """How often each rule has permitted an outcome, from what soaks print."""
    counts = collections.Counter()
    for line in "\n".join(outputs).splitlines():
        if match := REACHED.match(line):
            counts[match[1]] += int(match[2])
    return counts


# How a branch begins that only a run takes which differs: what is not permitted has no outcome.
FORBIDS = re.compile(r"\{ return (\[\]|nil) \}|return (\[\]|nil)$|(default|case \.none): (return )?\[\]$|\[\]$|false$|nil$")


def files(report, folder=FOLDER):
    """The files of the specification in what llvm-cov exports, by their names."""
    for entry in report["data"][0]["files"]:
        path = pathlib.Path(entry["filename"])
        if path.parent == folder.resolve():
            yield path.name, path, entry


def lines(report, folder=FOLDER):
    """The lines of each file, and how many were run: a line is run if it is part of a branch that is."""
    found = {}
    for name, _, entry in files(report, folder):
        counts = {}
        segments = entry["segments"]
        for (line, _, count, has_count, *_), following in zip(segments, [*segments[1:], None], strict=True):
            if has_count:
                for inside in range(line, (following or [line])[0] + 1):
                    counts[inside] = max(counts.get(inside, 0), count)
        found[name] = (len(counts), sum(map(bool, counts.values())))
    return found


def branches(report, folder=FOLDER):
    """Each branch that a run can take which does not differ: its file, line, text, and how often it was taken.

    What the invariant says of a violation is none.
    """
    for name, path, entry in files(report, folder):
        text = path.read_text("utf-8").splitlines()
        for line, column, count, has_count, is_entry, is_gap in entry["segments"]:
            begin = text[line - 1][column - 1 :] if line <= len(text) else ""
            if has_count and is_entry and not is_gap and not FORBIDS.match(begin) and not name.startswith("Invariant"):
                yield name, line, begin.strip(), count


def table(found):
    """A line for each file, and one for all."""
    total = tuple(map(sum, zip(*found.values(), strict=True))) if found else (0, 0)
    for name, (count, covered) in [*sorted(found.items()), ("all", total)]:
        percent = 100 * covered / count if count else 0
        yield f"lines {name:<24} {covered:>5} / {count:<5} {percent:6.2f} %"
