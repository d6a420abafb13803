# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Puts known defects back into the ITS and SMMU mediation, one at a time, and tells which are caught.

Each is a replacement of one place in a room below Sources, applied to a copy of the sources. The detectors
of the ITS are the soak (a fixed seed) and, where it finds nothing, the exhaustive search of small worlds;
that of the virtual SMMU is its soak, and that of the devices' table the soak of pages that change owners.
In the sources as they are no detector may find anything.
"""

import os
import pathlib
import subprocess
import sys
import time

from Runners import commandline, counts, pace
from Runners.mutants import tree
from Runners.mutants.defects import DEFECTS

# What is compiled for the detectors needs to look into modules and across them.
FLAGS = ["-Xswiftc", "-enable-testing", "-Xswiftc", "-cross-module-optimization"]
# How long a detector may take to find a defect.
SECONDS = 300
# Of a soak that is slower than the others.
MOST_STEPS = {"soak-iommu": 50_000}


class Detectors:
    """The soaks and the exhaustive search, built from a copy of the sources."""

    def __init__(self, swift, copy, steps):
        self.swift = swift
        self.copy = copy
        self.scratch = copy.parent / "build"
        self.steps = steps
        self.environment = os.environ | {"PORTCULLIS_FUZZ": "1", "SWIFT_BACKTRACE": "enable=no"}

    def of(self, defect):
        """The names of what is to find a defect."""
        if defect.detectors:
            return defect.detectors
        return ("soak", "exhaustive") if defect.room == "ITS" else ("soak-smmu",)

    def _arguments(self, name):
        if name == "exhaustive":
            return ["--deeper", "-2"]
        steps = min(self.steps, MOST_STEPS.get(name, self.steps))
        return ["--steps", str(steps), "--seed", "3"]

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

    def finding(self, names):
        """What the first detector that finds something says; nothing if none does. Each is built when its turn comes."""
        for name in names:
            self._build(name)
            command = [self.scratch / "release" / name, *self._arguments(name)]
            try:
                result = subprocess.run(
                    command, env=self.environment, text=True, check=False,
                    timeout=pace.limit(SECONDS),
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return f"{name}: does not end"
            if result.returncode != 0:
                lines = [line for line in result.stdout.splitlines() if line.strip()]
                told = next((line for line in lines if "rror" in line), lines[-1] if lines else "")
                return f"{name}: {told or f'ends with {result.returncode}'}"
        return None


def main():
    parser = commandline.parser(__doc__, "--results")
    parser.add_argument("--swift", default="swift")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path(".build-mutants"))
    parser.add_argument("--steps", type=int, default=2_000_000, help="of the soak")
    parser.add_argument("names", nargs="*", help="of the defects; all of them if none is named")
    options = parser.parse_args()

    copy = options.scratch / "tree"
    detectors = Detectors(options.swift, copy, options.steps)
    chosen = [each for each in DEFECTS if not options.names or each.name in options.names]
    tree.copy(copy)
    for name in dict.fromkeys(name for defect in chosen for name in detectors.of(defect)):
        if finding := detectors.finding([name]):
            print(f"without a defect: {finding}", file=sys.stderr)
            return 1
    caught = missed = 0
    for defect in chosen:
        try:
            tree.copy(copy, defect)
        except tree.Stale as stale:
            print(f"STALE   {stale}", flush=True)
            missed += 1
            continue
        start = time.monotonic()
        names = detectors.of(defect)
        finding = detectors.finding(names)
        seconds = time.monotonic() - start
        caught += finding is not None
        missed += finding is None
        verdict = "caught " if finding else "MISSED "
        print(f"{verdict} {defect.name} ({defect.known}, {seconds:.0f} s): {finding}"[:200],
              flush=True)  # fmt: skip
    print(f"{caught} caught, {missed} missed")
    counts.write(options.results, caught, missed)
    return 1 if missed or not caught else 0


if __name__ == "__main__":
    sys.exit(main())
