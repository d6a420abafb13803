#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the steps of `make test` or `make test-all`, and ends with a table and one count of all tests.

A step that counts its tests leaves `{"passed": N, "failed": M}` in RESULTS/STEP.json. A step that fails without
telling of a failed test counts as one. One that could not run its tests here leaves why as `not_run` beside no
count, and is told of as not run. All steps run, whatever became of others, but for those that need what a failed
one was to leave.
"""

import argparse
import pathlib
import shlex
import sys

import counts
import display
import ledger
import pace
import schedule
import steps as all_steps

# How much of a failed step's output is shown.
LAST_LINES = 30


def rows(shown, results):
    """The lines of the table: each step, its result or why there is none."""
    width = max(len(step.name) for step in shown)
    yield f"{'step':<{width}}  seconds  budget  passed  failed"
    for step in shown:
        result = results.get(step.name)
        if not isinstance(result, ledger.Result):
            yield f"{step.name:<{width}}  {result or 'not run'}"
            continue
        counted = bool(result.passed or result.failed)
        passed, failed = (result.passed, result.failed) if counted else ("-", "-")
        notes = [
            *(["over budget"] if result.is_over_budget else []),
            *([f"not run: {result.not_run}"] if result.not_run else []),
        ]
        yield (
            f"{step.name:<{width}}  {result.seconds:7.0f}  {result.budget:6.0f}  {passed:>6}  {failed:>6}"
            f"  {', '.join(notes)}"
        ).rstrip()


class Gate:
    """One run of a gate."""

    def __init__(self, options, screen):
        self._options = options
        self._screen = screen
        self._pace = pace.measure()
        self._commit = ledger.commit()
        self._ledger = ledger.Ledger(options.results / "ledger.json")
        self._steps = all_steps.gate(options.gate)

    def _to_run(self):
        names = self._options.steps.split()
        if names == ["left"]:
            names = [step.name for step in self._steps if not self._has_passed(step)]
            return [step for step in self._steps if step.name in names]
        return all_steps.chosen(self._steps, names, self._options.begin)

    def _has_passed(self, step):
        result = self._ledger.of(step.name, self._commit)
        return result is not None and not result.failed and not result.not_run

    def run(self):
        """Runs what is to run; the exit status."""
        to_run = all_steps.with_needs(self._steps, self._to_run())
        self._screen.say(
            f"{len(to_run)} steps; this machine takes {self._pace:g} times the time that limits are written for"
        )
        results = {}
        for step, running, status in schedule.run(to_run, self._start, self._screen):
            if running is None:
                results[step.name] = "not run: what it needs has failed"
                self._screen.say(f"----  {step.name}: {results[step.name]}")
                continue
            results[step.name] = self._judge(step, running, status)
            self._ledger.note(results[step.name])
        return self._conclude(results)

    def _start(self, step, jobs):
        (self._options.results / f"{step.name}.json").unlink(missing_ok=True)
        command = [*shlex.split(self._options.make), "--no-print-directory", step.name, *step.variables]
        log = self._options.results / "logs" / f"{step.name}.log"
        limit = step.budget * self._pace * schedule.PATIENCE
        environment = schedule.environment(pace.VARIABLE, self._pace, jobs)
        return schedule.Running(step, command, log, limit, environment)

    def _judge(self, step, running, status):
        path = self._options.results / f"{step.name}.json"
        passed, failed = counts.read(path)
        if status != 0 and failed == 0:
            failed = 1
        result = ledger.Result(
            step.name, self._commit, running.seconds, step.budget * self._pace, passed, failed,
            counts.not_run(path),
        )  # fmt: skip
        told = f", {passed} passed, {failed} failed" if passed or failed else ""
        word = "FAIL" if failed else "----" if result.not_run else "ok"
        self._screen.say(f"{word:<5} {step.name} ({display.clock(running.seconds)}{told})")
        if failed:
            lines = running.log.read_text("utf-8").splitlines()[-LAST_LINES:]
            for line in [f"the last lines of {running.log}:", *lines]:
                self._screen.say(f"      | {line}")
        return result

    def _conclude(self, results):
        say = self._screen.say
        say("==> summary")
        # What was run before on this commit is part of the whole.
        for step in self._steps:
            results.setdefault(step.name, self._ledger.of(step.name, self._commit))
        for line in rows(self._steps, results):
            say(line)
        if self._pace > 1:
            say(f"budgets are {self._pace:g} times those of an idle reference machine")
        left = [step.name for step in self._steps if not isinstance(results[step.name], ledger.Result)]
        say(f"not run on this commit ({self._commit}): {' '.join(left) or 'none'}")
        told = [result for result in results.values() if isinstance(result, ledger.Result)]
        passed = sum(result.passed for result in told)
        failed = sum(result.failed for result in told)
        say(f"{passed} passed, {failed} failed")
        return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gate", choices=("test", "test-all"))
    parser.add_argument("--make", default="make")
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--from", dest="begin", metavar="STEP", help="the step to begin at")
    parser.add_argument(
        "--steps", default="", metavar="STEPS",
        help="the steps to run, with spaces between; `left`: those that have not passed on this commit",
    )  # fmt: skip
    options = parser.parse_args()
    try:
        return Gate(options, display.of()).run()
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
