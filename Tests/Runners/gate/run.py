# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the steps of `make test` or `make test-all`, and ends with a table and one count of all tests.

A step that counts its tests leaves `{"passed": N, "failed": M}` in RESULTS/STEP.json. A step that fails without
telling of a failed test counts as one. One that could not run its tests here leaves why as `not_run` beside no
count, and is told of as not run. All steps run, whatever became of others, but for those that need what a failed
one was to leave. The exit status is about the steps of this run: 0 where all have passed.
"""

import os
import shlex
import signal
import sys

from Runners import commandline, counts, pace
from Runners.gate import display, ledger, schedule, steps as all_steps

# How much of a failed step's output is shown.
LAST_LINES = 30
# How much of it is said again below the table, where whoever has the end of the output alone still finds it.
AGAIN = 6
# The steps that have not passed on this commit.
LEFT = "left"


def rows(shown, results, earlier):
    """The lines of the table: each step, its result, of this run or an earlier one, or why there is none."""
    width = max(len(step.name) for step in shown)
    yield f"{'step':<{width}}  seconds  budget  passed  failed"
    for step in shown:
        result = results.get(step.name) or earlier.get(step.name)
        if not isinstance(result, ledger.Result):
            yield f"{step.name:<{width}}  {result or 'not run'}"
            continue
        counted = bool(result.passed or result.failed)
        passed, failed = (result.passed, result.failed) if counted else ("-", "-")
        notes = [
            *(["over budget"] if result.is_over_budget else []),
            *([f"not run: {result.not_run}"] if result.not_run else []),
            *(["earlier"] if step.name not in results else []),
        ]
        yield (
            f"{step.name:<{width}}  {result.seconds:7.0f}  {result.budget:6.0f}  {passed:>6}  {failed:>6}"
            f"  {', '.join(notes)}"
        ).rstrip()


def overrides(flags):
    """The variables on make's command line that change what a step is."""
    _, _, told = f" {flags} ".partition(" -- ")
    return [word for word in shlex.split(told) if word.partition("=")[0] not in ("STEPS", "FROM", "V")]


class Gate:
    """One run of a gate. Raises ValueError where no such steps can be run."""

    def __init__(self, options, screen):
        self._options = options
        self._screen = screen
        self._commit = ledger.commit()
        if overrides(os.environ.get("MAKEFLAGS", "")) and "+" not in self._commit:
            self._commit += "+"
        self._ledger = ledger.Ledger(options.results / "ledger.json")
        self._steps = all_steps.gate(options.gate)
        self._to_run = self._choose(options.steps.split(), options.begin)
        self._ends = {}

    def _choose(self, names, begin):
        if names and begin:
            raise ValueError("STEPS and FROM cannot be told both")
        if names == [LEFT]:
            names = self._left({})
            if not names:
                raise ValueError(f"nothing is left on commit {ledger.short(self._commit)}")
        chosen = all_steps.chosen(self._options.gate, self._steps, names, begin)
        # What they need and has passed is there.
        return [
            step
            for step in all_steps.with_needs(self._steps, chosen)
            if step in chosen or not self._has_passed(step)
        ]

    def _has_passed(self, step):
        result = self._ledger.of(step.name, self._commit)
        return result is not None and result.is_good

    def _left(self, results):
        """The names of the steps that have not passed on this commit, of which this run's results may be others."""
        return [
            step.name
            for step in self._steps
            if not (
                results[step.name].is_good
                if isinstance(results.get(step.name), ledger.Result)
                else self._has_passed(step)
            )
        ]

    def run(self):
        """Runs what is to run; the exit status."""
        self._pace = pace.measure()
        count = len(self._to_run)
        self._screen.say(
            f"{count} step{'s' if count != 1 else ''} of make {self._options.gate}; their output is in"
            f" {self._options.results / 'logs'}/STEP.log"
        )
        self._screen.say(f"time limits × {self._pace:g}, for the speed of this machine now")
        results = {}
        try:
            for step, running, status in schedule.run(self._to_run, self._start, self._screen):
                if running is None:
                    results[step.name] = "not run: what it needs has failed"
                    self._screen.say(f"----  {step.name}: {results[step.name]}")
                    continue
                results[step.name] = self._judge(step, running, status)
                self._ledger.note(results[step.name])
        except KeyboardInterrupt:
            self._conclude(results)
            self._screen.say(f"interrupted; `make {self._options.gate} STEPS={LEFT}` goes on")
            return 130
        return self._conclude(results)

    def _start(self, step, jobs):
        (self._options.results / f"{step.name}.json").unlink(missing_ok=True)
        command = [*shlex.split(self._options.make), "--no-print-directory", step.name, *step.variables]
        log = self._options.results / "logs" / f"{step.name}.log"
        limit = step.budget * self._pace * schedule.PATIENCE
        environment = schedule.environment(step, pace.VARIABLE, self._pace, jobs)
        return schedule.Running(step, command, log, limit, environment)

    def _judge(self, step, running, status):
        path = self._options.results / f"{step.name}.json"
        passed, failed = counts.read(path)
        told = f", {passed} passed, {failed} failed" if passed or failed else ""
        if status != 0 and failed == 0:
            failed = 1
        # What was changed meanwhile may have been what was tested.
        if ledger.commit() != self._commit.removesuffix("+") and "+" not in self._commit:
            self._commit += "+"
        result = ledger.Result(
            step.name, self._commit, running.seconds, step.budget * self._pace, passed, failed,
            counts.not_run(path) if not passed and not failed else None,
        )  # fmt: skip
        word = "FAIL" if failed else "----" if result.not_run else "ok"
        self._screen.say(f"{word:<5} {step.name} ({display.clock(running.seconds)}{told})")
        if failed:
            lines = running.log.read_text("utf-8").splitlines()[-LAST_LINES:]
            self._ends[step.name] = lines
            for line in [f"the last lines of {running.log}:", *lines]:
                self._screen.say(f"      | {line}")
        return result

    def _conclude(self, results):
        say = self._screen.say
        earlier = {step.name: self._ledger.of(step.name, self._commit) for step in self._steps}
        say("==> summary")
        for line in rows(self._steps, results, earlier):
            say(line)
        for name, lines in self._ends.items():
            say(f"how {name} ended:")
            for line in lines[-AGAIN:]:
                say(f"  | {line}")
        left = self._left(results)
        say(f"not passed on commit {ledger.short(self._commit)}: {' '.join(left) or 'none'}")
        told = [result for result in results.values() if isinstance(result, ledger.Result)]
        passed = sum(result.passed for result in told)
        failed = sum(result.failed for result in told)
        say(f"{passed} passed, {failed} failed")
        # A whole gate in which no test was run is no success.
        is_empty = not passed and not self._options.steps and not self._options.begin
        return 1 if failed or len(told) < len(self._to_run) or is_empty else 0


def interrupt(*_):
    """A signal that ends the gate ends its steps, too."""
    raise KeyboardInterrupt


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("gate", choices=("test", "test-all"))
    parser.add_argument("--make", default="make")
    parser.add_argument("--results", **commandline.path("where the steps leave their counts", required=True))
    parser.add_argument("--from", dest="begin", default="", metavar="STEP", help="the step to begin at")
    parser.add_argument(
        "--steps", default="", metavar="STEPS",
        help="the steps to run, with spaces between; `left`: those that have not passed on this commit",
    )  # fmt: skip
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        gate = Gate(options, display.of())
    except ValueError as error:
        print(f"make {options.gate}: {error}", file=sys.stderr)
        return 2
    return gate.run()


if __name__ == "__main__":
    sys.exit(main())
