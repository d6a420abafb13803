#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the steps of `make test`, each a make target, and ends with one count of all of them.

A step that counts its tests leaves `{"passed": N, "failed": M}` in RESULTS/STEP.json. A step that
fails without telling of a failed test counts as one. One that could not run its tests here leaves why as
`not_run` beside no count, and is told of as not run. All steps run, whatever became of others.
"""

import argparse
import pathlib
import shlex
import subprocess
import sys
import time

import counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make", default="make")
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("steps", nargs="+")
    options = parser.parse_args()

    passed = failed = 0
    summary = []
    for index, step in enumerate(options.steps, 1):
        print(f"==> [{index}/{len(options.steps)}] {step}", flush=True)
        result = options.results / f"{step}.json"
        result.unlink(missing_ok=True)
        start = time.monotonic()
        command = [*shlex.split(options.make), "--no-print-directory", step]
        status = subprocess.run(command, check=False).returncode
        seconds = time.monotonic() - start
        good, bad = counts.read(result)
        if status != 0 and bad == 0:
            bad = 1
        passed += good
        failed += bad
        told = f", {good} passed, {bad} failed" if good or bad else ""
        why = counts.not_run(result)
        if why and not good and status == 0:
            summary.append(f"---- {step} was not run: {why}")
            continue
        summary.append(f"{'ok  ' if status == 0 else 'FAIL'} {step} ({seconds:.0f} s{told})")

    print("==> summary")
    print(*summary, sep="\n")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
