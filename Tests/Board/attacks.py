#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every attack without and with mediation and prints what became of it.

Each image is booted with GICv3 and GICv4. What an attack comes to:

    overwritten  EL2's canary was changed by the ITS
    held         the canary is intact and the ITS still serves its host
    wedged       the canary is intact, but the ITS does not go on, or serves nobody afterwards
    not run      the host skipped it, or did not get as far

It is an error if an attack does not hold with mediation, if one that the lists name does not
overwrite the canary without, and if one does that they do not name.
"""

import argparse
import fnmatch
import json
import pathlib
import re
import sys

import board
import run
import tap

AREA = "attack: "
OVERWRITTEN = "words of EL2's memory that were overwritten"
WHAT = re.compile(r'\s+- what: "(.*)"')
# So many must be seen to succeed without mediation, or the attacks are none.
LEAST_OVERWRITTEN = 20
LEAST_ATTACKS = 60
GIC_VERSIONS = (3, 4)
CPUS = 4
SECONDS = 300

# Patterns of the attacks that overwrite the canary without mediation: with any GIC, and with one
# that has virtual LPIs beside those.
LISTS = {3: ("attacks.txt",), 4: ("attacks.txt", "attacks-gicv4.txt")}


class Run:
    """One boot: the attacks in their order and what became of each."""

    def __init__(self, command, seconds):
        self.reader = tap.Reader(run.FOREIGN)
        self.status = None
        self.differences = {}  # of a test, by its number
        for item in board.lines(command, seconds):
            if isinstance(item, int):
                self.status = item
                continue
            self.reader.feed(item)
            if self.reader.points and (match := WHAT.match(item)):
                self.differences.setdefault(self.reader.points[-1].number, []).append(match[1])
        self.reader.finish()
        self.outcomes = {
            point.name.removeprefix(AREA): self._outcome(point)
            for point in self.reader.points
            if point.name.startswith(AREA)
        }

    def _outcome(self, point):
        if point.skipped:
            return "not run"
        if point.passed:
            return "held"
        return "overwritten" if OVERWRITTEN in self.differences.get(point.number, ()) else "wedged"

    def problems(self):
        """What makes the report as a whole unfit to be judged."""
        problems = list(self.reader.errors)
        if self.status == 124:
            problems.append("out of time")
        if len(self.outcomes) < LEAST_ATTACKS:
            problems.append(f"{len(self.outcomes)} attacks, at least {LEAST_ATTACKS} are due")
        return problems


def judge_without(outcomes, patterns):
    """What is wrong with a run without mediation."""
    seen = [name for name, outcome in outcomes.items() if outcome == "overwritten"]
    if len(seen) < LEAST_OVERWRITTEN:
        yield f"{len(seen)} attacks succeed, at least {LEAST_OVERWRITTEN} are due"
    for pattern in patterns:
        matching = [name for name in outcomes if fnmatch.fnmatchcase(AREA + name, pattern)]
        if not matching:
            yield f"no attack is named {pattern!r}"
        for name in matching:
            if name not in seen:
                yield f"does not succeed although it is listed: {name} ({outcomes[name]})"
    for name in seen:
        if not any(fnmatch.fnmatchcase(AREA + name, pattern) for pattern in patterns):
            yield f"succeeds although it is not listed: {name}"


def judge_with(outcomes):
    """What is wrong with a run with mediation."""
    for name, outcome in outcomes.items():
        if outcome != "held":
            yield f"{name}: {outcome}"


def attack_patterns(gic):
    """The patterns that hold for a version of the GIC, of attacks alone."""
    folder = pathlib.Path(__file__).parent
    patterns = (pattern for name in LISTS[gic] for pattern in run.attack_patterns(folder / name))
    return [pattern for pattern in patterns if pattern.startswith(AREA)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("unmediated", type=pathlib.Path, help="the control image")
    parser.add_argument("mediated", type=pathlib.Path, help="the image")
    parser.add_argument("--qemu", default="qemu-system-aarch64")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="limit of one run")
    parser.add_argument("--results", type=pathlib.Path, help="where to write the table as JSON")
    options = parser.parse_args()

    columns = {}
    problems = []
    for word, image in (("without", options.unmediated), ("with", options.mediated)):
        for gic in GIC_VERSIONS:
            title = f"{word}, GICv{gic}"
            arguments = board.arguments(image, gic, CPUS)
            this = Run([options.qemu, *arguments], options.seconds)
            columns[title] = this.outcomes
            found = this.problems()
            if word == "without":
                found += judge_without(this.outcomes, attack_patterns(gic))
            else:
                found += judge_with(this.outcomes)
            problems += [f"{title}: {problem}" for problem in found]

    names = list(dict.fromkeys(name for outcomes in columns.values() for name in outcomes))
    width = max(map(len, names), default=0)
    print(f"{'attack':<{width}}", *(f"{title:<15}" for title in columns), sep="  ")
    for name in names:
        outcomes = (f"{outcomes.get(name, 'not run'):<15}" for outcomes in columns.values())
        print(f"{name:<{width}}", *outcomes, sep="  ")
    for outcome in ("overwritten", "held", "wedged", "not run"):
        counts = (
            f"{sum(outcomes.get(name, 'not run') == outcome for name in names):<15}"
            for outcomes in columns.values()
        )
        print(f"{outcome + ' of ' + str(len(names)):<{width}}", *counts, sep="  ")
    for problem in problems:
        print(f"attacks: {problem}", file=sys.stderr)
    if options.results:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text(json.dumps(columns, indent=1))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
