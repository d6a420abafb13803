#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an EL2 image on every board there is to test and judges the TAP that its host prints.

A run is good if its TAP is complete, has enough tests that were not skipped, has no failure, and
QEMU's exit status is 0. With --expect-failures FILE a run is good if its TAP is complete and every
test that a pattern of FILE names was seen to fail: the control of the tests themselves.
"""

import argparse
import fnmatch
import json
import pathlib
import sys

import board
import tap

GIC_VERSIONS = (3, 4)
CPU_COUNTS = (1, 4)
LEAST_TESTS = 40
SECONDS = 120

# EL2 drains its log between the host's lines; its lines tell themselves apart by this.
FOREIGN = ("portcullis: ",)


def attack_patterns(path):
    """The patterns of file `path`: one a line as in a shell, `#` starts a comment."""
    texts = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [text for text in texts if text and not text.startswith("#")]


def boot(command, seconds):
    """Runs the board, prints what it prints; returns the finished reader and the exit status."""
    reader = tap.Reader(FOREIGN)
    status = None
    for item in board.lines(command, seconds):
        if isinstance(item, int):
            status = item
        else:
            print(item, flush=True)
            reader.feed(item)
    reader.finish()
    return reader, status


def judge_mediated(reader, status, least):
    """What is wrong with a run in which every test must pass."""
    problems = list(reader.errors)
    problems += [f"failed: {p.number} - {p.name}" for p in reader.points if not p.passed]
    run = sum(not point.skipped for point in reader.points)
    if run < least:
        problems.append(f"{run} tests were run, at least {least} are due")
    if status != 0:
        problems.append("out of time" if status == 124 else f"exit status {status}")
    return problems


def judge_unmediated(reader, status, patterns):
    """What is wrong with a run in which every attack must be seen to succeed."""
    problems = list(reader.errors)
    if status == 0:
        problems.append("exit status 0: the host claims that nothing failed")
    if status == 124:
        problems.append("out of time")
    for pattern in patterns:
        matching = [p for p in reader.points if fnmatch.fnmatchcase(p.name, pattern)]
        if not matching:
            problems.append(f"no test is named {pattern!r}")
        for point in matching:
            if point.skipped or point.passed:
                problems.append(f"does not fail without mediation: {point.number} - {point.name}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--qemu", default="qemu-system-aarch64")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="limit of one run")
    parser.add_argument("--least", type=int, default=LEAST_TESTS, help="tests that must be run")
    parser.add_argument("--expect-failures", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--results", type=pathlib.Path, help="where to write the counts as JSON")
    parser.add_argument(
        "--print-arguments", action="store_true", help="print QEMU's arguments and leave"
    )
    options = parser.parse_args()
    if options.print_arguments:
        print(*board.arguments(options.image))
        return 0

    patterns = []
    if options.expect_failures:
        patterns = attack_patterns(options.expect_failures)
        if not patterns:
            print(f"{options.expect_failures}: names no test", file=sys.stderr)
            return 1

    if options.results:
        options.results.unlink(missing_ok=True)
    passed = failed = bad = 0
    summary = []
    for gic in GIC_VERSIONS:
        for cpus in CPU_COUNTS:
            title = f"gic-version={gic} smp={cpus}"
            print(f"# {title}", flush=True)
            command = [options.qemu, *board.arguments(options.image, gic, cpus)]
            reader, status = boot(command, options.seconds)
            if patterns:
                problems = judge_unmediated(reader, status, patterns)
            else:
                problems = judge_mediated(reader, status, options.least)
            good = [p for p in reader.points if p.passed and not p.skipped]
            skipped = sum(p.skipped for p in reader.points)
            failures = [p for p in reader.points if not p.passed]
            passed += len(good)
            # A run that is wrong as a whole (cut off, hung) counts as one failure.
            failed += len(failures) or bool(problems)
            bad += bool(problems)
            verdict = "BAD" if problems else "good"
            summary.append(
                f"{title}: {len(good)} passed, {len(failures)} failed, {skipped} skipped: {verdict}"
            )
            summary += [f"  {problem}" for problem in problems]
            if patterns and not problems:
                summary += [f"  fails as it must: {p.number} - {p.name}" for p in failures]

    print("#")
    for line in summary:
        print(f"# {line}")
    if options.results:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text(json.dumps({"passed": passed, "failed": failed}))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
