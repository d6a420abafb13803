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


def lines(report, folder=FOLDER):
    """The lines of each file, and how many were run, from what llvm-cov exports."""
    found = {}
    for entry in report["data"][0]["files"]:
        path = pathlib.Path(entry["filename"])
        if path.parent == folder.resolve():
            summary = entry["summary"]["lines"]
            found[path.name] = (summary["count"], summary["covered"])
    return found


def table(found):
    """A line for each file, and one for all."""
    total = tuple(map(sum, zip(*found.values(), strict=True))) if found else (0, 0)
    for name, (count, covered) in [*sorted(found.items()), ("all", total)]:
        percent = 100 * covered / count if count else 0
        yield f"lines {name:<24} {covered:>5} / {count:<5} {percent:6.2f} %"
