# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks the Promela models of Tests/Models with spin, and that each defect put into them is found.

Each run of a model looks at all states. Each mutation must break the property that it is listed with, and each
statement of a model must be reached in a run, so that a model which does nothing does not pass.
"""

import pathlib
import sys
import time

from Runners import ROOT, commandline, counts, pace, turns
from Runners.gate import lint
from Runners.models import model as models
from Runners.models import search

# How long one search may take.
SECONDS = 150
COLUMNS = ("model", "run", "states", "transitions", "depth", "MB", "s", "result")


def jobs(chosen):
    """What is to be searched, the longest first: (model, run, what must be found or None)."""
    for model in chosen:
        yield from ((model, run, None) for run in model.runs)
    for model in chosen:
        yield from ((model, refuted.run, refuted) for refuted in (*model.reached, *model.mutations))


def title(model, run, refuted):
    """What a search is called."""
    if not refuted:
        return f"{model.name}: {run.name}"
    if refuted in model.reached:
        return f"{model.name}: {refuted.flag} is reached"
    return f"{model.name}: {refuted.flag} breaks {refuted.wanted}"


def fault(result, refuted):
    """Why a search is not what it should be; None where it is."""
    if not refuted:
        if result.found:
            return f"{result.found} after {result.trail} steps"
        return None if result.is_verified else "not all states were searched"
    if not result.found:
        return "nothing is found"
    return None if refuted.wanted in result.words else f"another property is broken: {result.found}"


def row(model, run, refuted, result, seconds, problem):
    """The line of the table for a search, as its cells."""
    figures = result.figures if result else {}
    if problem:
        told = problem
    elif refuted:
        told = f"{refuted.wanted}, {result.trail} steps"
    else:
        told = "verified"
    cells = [figures.get(name, "-") for name in ("states", "transitions", "depth", "megabytes")]
    return (model.name, refuted.flag if refuted else run.name, *cells, round(seconds, 1), told)


def table(rows):
    """The lines of a table."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in [COLUMNS, *rows]]
    widths = [max(len(row[index]) for row in texts) for index in range(len(COLUMNS))]
    for cells in texts:
        yield "  ".join(
            cell.rjust(width) if 2 <= index < 7 else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths))
        ).rstrip()


def unreached(results):
    """Statements of a model that are reached in none of its runs."""
    reached = frozenset().union(*(result.reached for result in results))
    return sorted(frozenset().union(*(result.unreached for result in results)) - reached)


def main():
    parser = commandline.parser(__doc__, "--only", "--results")
    parser.add_argument("--scratch", type=pathlib.Path, default=ROOT / ".build/models")
    options = parser.parse_args()

    rows, passed, failed, number = [], 0, 0, 0

    def tell(name, problem):
        nonlocal passed, failed, number
        number += 1
        passed, failed = passed + (not problem), failed + bool(problem)
        print(f"{'not ok' if problem else 'ok'} {number} - {name}", flush=True)
        if problem:
            print(f"  {problem}", flush=True)

    try:
        known = models.everything()
    except models.Malformed as error:
        sys.exit(str(error))
    tests = lint.titles()
    chosen = list(jobs(known))
    if options.only:
        chosen = commandline.chosen(chosen, options, lambda job: title(*job))
    for model in known:
        tell(f"{model.name}: its tables", "; ".join(models.faults(model, tests)))

    limit = pace.limit(SECONDS)

    def work(job, _):
        model, run, refuted = job
        folder = (options.scratch / model.name / (f"{run.name}-{refuted.flag}" if refuted else run.name)).resolve()
        flags = [f"-D{flag}" for flag in run.flags]
        if refuted:
            flags.append(f"-D{'REACHED=' if refuted in model.reached else ''}{refuted.flag}")
        start = time.monotonic()
        try:
            result, problem = search.search(
                model.path, flags, run.kind, run.name, folder, limit, until_found=bool(refuted)
            ), None
        except search.Broken as error:
            result, problem = None, str(error)
        return job, result, time.monotonic() - start, problem

    of_model = {}
    for job, result, seconds, problem in turns.in_turn(work, chosen):
        model, run, refuted = job
        problem = problem or fault(result, refuted)
        rows.append(row(model, run, refuted, result, seconds, problem))
        tell(title(*job), problem)
        if not refuted and result:
            of_model.setdefault(model.name, []).append(result)
    for model in known if not options.only else ():
        left = unreached(of_model.get(model.name, []))
        tell(f"{model.name}: each statement is reached",
             "; ".join(f"line {line}: {text}" for line, text in left))  # fmt: skip
    print(f"1..{number}")
    print(*(f"# {line}" for line in table(rows)), sep="\n")
    counts.write(options.results, passed, failed, searches=[dict(zip(COLUMNS, each)) for each in rows])
    print(f"models: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
