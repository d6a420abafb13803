# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a program that prints TAP, holds it to that, and counts."""

import subprocess
import sys

from Runners import commandline, counts, tap


def main():
    parser = commandline.parser(__doc__, "--results")
    parser.add_argument("--title", default="C API tests", help="what is counted")
    parser.add_argument("command", nargs="+", help="the program with its arguments, after --")
    options = parser.parse_args()

    run = subprocess.run(options.command, check=False, stdout=subprocess.PIPE, text=True)
    reader = tap.read(run.stdout.splitlines())
    errors = reader.errors
    failed = len(reader.failures)
    passed = len(reader.points) - failed
    if run.returncode != 0 and failed == 0:
        errors.append(f"exit status {run.returncode}")
    if errors or failed:
        print(run.stdout, end="")
        print(*errors, sep="\n", file=sys.stderr)
    failed += len(errors)
    counts.write(options.results, passed, failed)
    print(f"{options.title}: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
