# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Puts known defects back into the ITS and SMMU mediation, one at a time, and tells what finds each.

Each is a replacement of one place in a room below Sources, applied to a copy of the sources. A defect of the ITS, of the
Redistributors or of the SMMU that a host sees is for the comparison with the specification to find, within a minute of a CPU and
without what the soak checks by itself. Then the suites that do without the specification are asked: the soak (a fixed seed) and,
for an ITS, where nothing has found it, the exhaustive search of small worlds. A defect of the devices' table is for the soak of
pages that change owners. In the sources as they are no detector may find anything.
"""

import difflib
import os
import pathlib
import resource
import subprocess
import sys

from Runners import commandline, counts, pace
from Runners.mutants import tree, verdict
from Runners.mutants.defects import COMPARISON_SMMU, COMPARISONS, DEFECTS, EXHAUSTIVE

# What is compiled for the detectors needs to look into modules and across them.
FLAGS = ["-Xswiftc", "-enable-testing", "-Xswiftc", "-cross-module-optimization"]
# How long a suite may run.
SECONDS = 600
# Of a soak that is slower than the others.
MOST_STEPS = {"soak-iommu": 50_000, COMPARISON_SMMU: 100_000}


def chosen(names):
    """The defects of these names, or all; the program ends where one has no defect."""
    known = [each.name for each in DEFECTS]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known)
            hint = f"; near it: {', '.join(near)}" if near else ""
            sys.exit(f"mutants: no defect of Tests/Runners/mutants/defects.py is named {name}{hint}")
    return [each for each in DEFECTS if not names or each.name in names]


def spent():
    """The seconds of a CPU that what has run so far has taken, whatever else runs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Detectors:
    """The comparison, the soaks and the exhaustive search, built from a copy of the sources."""

    def __init__(self, swift, copy, steps):
        self.swift = swift
        self.copy = copy
        self.scratch = copy.parent / "build"
        self.steps = steps
        # Sets have an order by chance, which a result must not depend on.
        self.environment = os.environ | {
            "PORTCULLIS_FUZZ": "1", "SWIFT_BACKTRACE": "enable=no", "SWIFT_DETERMINISTIC_HASHING": "1",
        }  # fmt: skip

    def _command(self, name):
        """The product that a detector is, and its arguments."""
        if name == EXHAUSTIVE:
            return name, ["--deeper", "-2"]
        steps = min(self.steps, MOST_STEPS.get(name, self.steps))
        arguments = ["--steps", str(steps), "--seed", "3"]
        if name in COMPARISONS:
            return COMPARISONS[name], [*arguments, "--check", "1", "--own", "0"]
        return name, arguments

    def _build(self, product):
        result = subprocess.run(
            [self.swift, "build", "--build-system", "native", "-c", "release", "--product",
             product, "--scratch-path", self.scratch.resolve(), *FLAGS],
            cwd=self.copy, env=self.environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if result.returncode != 0:
            print(result.stdout[-4000:], file=sys.stderr)
            raise SystemExit(f"{product} does not build")

    def ask(self, name):
        """What a detector says of the copy."""
        product, arguments = self._command(name)
        self._build(product)
        start = spent()
        try:
            result = subprocess.run(
                [self.scratch / "release" / product, *arguments], env=self.environment, text=True,
                check=False, timeout=pace.limit(SECONDS),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return verdict.Answer(name, pace.limit(SECONDS), "does not end")
        seconds = spent() - start
        if result.returncode == 0:
            return verdict.Answer(name, seconds)
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        told = next(
            (line for line in lines if line.startswith("world ") or "rror" in line),
            lines[-1] if lines else f"ends with {result.returncode}",
        )
        return verdict.Answer(name, seconds, told)

    def of(self, defect):
        """What the detectors of a defect say, one after the other; the suites, until one has found it."""
        answers = []
        for name in defect.asked:
            if name not in COMPARISONS and any(each.found and each.name not in COMPARISONS for each in answers):
                break
            # The slowest is for what nothing else finds.
            if name == EXHAUSTIVE and any(answer.found for answer in answers):
                break
            answers.append(self.ask(name))
        return answers


def main():
    parser = commandline.parser(__doc__, "--results")
    parser.add_argument("--swift", default="swift")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path(".build-mutants"))
    parser.add_argument("--steps", type=int, default=2_000_000, help="of the soak")
    parser.add_argument("names", nargs="*", help="of the defects; all of them if none is named")
    options = parser.parse_args()

    defects = chosen(options.names)
    copy = options.scratch / "tree"
    detectors = Detectors(options.swift, copy, options.steps)
    tree.copy(copy)
    for name in dict.fromkeys(name for defect in defects for name in defect.asked):
        answer = detectors.ask(name)
        if answer.found:
            print(f"without a defect: {answer}", file=sys.stderr)
            return 1
        print(f"# without a defect: {answer}", flush=True)
    rows = []
    for number, defect in enumerate(defects, 1):
        answers = []
        try:
            tree.copy(copy, defect)
        except tree.Stale as stale:
            problem = str(stale)
        else:
            answers = detectors.of(defect)
            problem = verdict.fault(answers, pace.limit(verdict.SECONDS))
        rows.append(verdict.Row(defect, answers, problem))
        print(f"{'not ok' if problem else 'ok'} {number} - {defect.name} ({defect.known})")
        for line in (problem, *answers):
            if line:
                print(f"  # {line}"[:200])
        sys.stdout.flush()
    print(f"1..{len(rows)}")
    print(*(f"# {line}" for line in verdict.table(rows)), sep="\n")
    missed = sum(bool(row.problem) for row in rows)
    caught = len(rows) - missed
    print(f"mutants: {caught} caught, {missed} missed")
    counts.write(options.results, caught, missed, defects=[row.figures for row in rows])
    return 1 if missed or not caught else 0


if __name__ == "__main__":
    sys.exit(main())
