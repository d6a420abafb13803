# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Has spin search all states of a model, and reads what it says."""

import dataclasses
import re
import subprocess

# Megabytes that a search may take.
MEMORY = 2500
# The longest way of a search: a longer one is an error.
DEPTH = 100_000
VIOLATION = re.compile(r"^pan:\d+: assertion violated (.*) \(at depth (\d+)\)$", re.MULTILINE)
CYCLE = re.compile(r"^pan:\d+: (?:acceptance|non-progress) cycle \(at depth (\d+)\)$", re.MULTILINE)
OTHER = re.compile(r"^pan:\d+: (.*) \(at depth (\d+)\)$", re.MULTILINE)
FAIR = "(fairness enabled)"
FIGURES = {
    "states": re.compile(r"^\s*(\d+) states, stored", re.MULTILINE),
    "transitions": re.compile(r"^\s*(\d+) transitions", re.MULTILINE),
    "depth": re.compile(r"depth reached (\d+)"),
    "megabytes": re.compile(r"^\s*([\d.]+)\s+total actual memory usage", re.MULTILINE),
    "errors": re.compile(r"errors: (\d+)"),
}
INCOMPLETE = ("Search not completed", "max search depth too small", "out of memory", "reached -DMEMLIM")
# Of the report of what was not reached, and of the program that spin writes.
PROCTYPE = re.compile(r"^unreached in (?:proctype )?(\S+)$")
UNREACHED = re.compile(r"^\t\S*?\.pml:(\d+), state (\d+), \"(.*)\"$")
STATEMENT = re.compile(r"// STATE (\d+) - \S+ - \[(.*)\] \(")
MERGED = re.compile(r"/\* merge: (.*)\(-?\d+, (\d+), -?\d+\) \*/")
STRUCTURE = re.compile(r"typedef struct P(\d+) \{ /\* (\S+) \*/")
LINES = re.compile(r"^short src_ln(\d+) \[\] = \{([^}]*)\}", re.MULTILINE)

class Broken(Exception):
    """A program that must succeed has failed."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What a search came to."""

    # The first thing that was found, with the properties that it may be about; None where there is none.
    found: str | None
    words: frozenset
    trail: int
    figures: dict
    # Whether every state was looked at.
    is_complete: bool
    # Statements, as (line, text).
    reached: frozenset = frozenset()
    unreached: frozenset = frozenset()

    @property
    def is_verified(self):
        return self.found is None and self.is_complete and self.figures.get("errors") == 0


def parse(output, reached=frozenset(), unreached=frozenset(), formula=None):
    """The result that the output of a search tells."""
    figures = {}
    for name, expression in FIGURES.items():
        if match := expression.search(output):
            figures[name] = float(match[1]) if "." in match[1] else int(match[1])
    is_complete = "states" in figures and not any(text in output for text in INCOMPLETE)
    if formula:
        is_complete = is_complete and FAIR in output and f"({formula})" in output
    found, words, trail = None, frozenset(), 0
    if match := VIOLATION.search(output):
        found, trail = match[1], int(match[2])
        words = frozenset(re.findall(r"\w+", found))
    elif match := CYCLE.search(output):
        found, trail = "a cycle", int(match[1])
        words = frozenset([formula])
    elif match := OTHER.search(output):
        found, trail = match[1], int(match[2])
    return Result(found, words, trail, figures, is_complete, reached, unreached)


def run(command, folder, limit):
    """What a program prints, in a folder; raises `Broken` where it fails."""
    try:
        result = subprocess.run(
            list(map(str, command)), cwd=folder, check=False, text=True, timeout=limit,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Broken(f"{command[0]} takes more than {limit} s") from error
    if result.returncode != 0:
        raise Broken(f"{command[0]} ends with {result.returncode}: {result.stdout[-1000:]}")
    return result.stdout


def search(path, flags, kind, formula, folder, limit, until_found=False):
    """Searches a model compiled with flags, for one formula or for assertions and deadlocks.

    All states, with each stored whole. Assertions and deadlocks bear partial order reduction; formulas are
    searched without it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    text = run(["spin", "-a", *flags, path], folder, limit)
    if "Error" in text:
        raise Broken(text)
    options = ["-DSAFETY"] if kind == "safety" else ["-DNFAIR=3", "-DNOREDUCE"]
    run(
        ["gcc", "-O0" if until_found else "-O1", "-w", f"-DMEMLIM={MEMORY}", "-DCOLLAPSE", *options, "-o", "pan", "pan.c"],
        folder, limit,
    )  # fmt: skip
    arguments = [f"-m{DEPTH}"] + ([] if kind == "safety" else ["-a", "-f", "-N", formula])
    if kind == "liveness" and until_found:
        arguments.append("-A")  # a defect may break assertions as well
    output = run(["./pan", *arguments], folder, limit)
    (folder / "output.txt").write_text(output, "utf-8")
    if kind != "safety" or until_found:
        return parse(output, formula=formula if kind == "liveness" else None)
    compiled = statements(
        *((folder / name).read_text("utf-8") for name in ("pan.h", "pan.c", "pan.m"))
    )
    if not compiled:
        raise Broken("what spin has written has no statement")
    return parse(output, *coverage(compiled, output))


def statements(header, program, moves):
    """The line and the text of each statement, by its proctype and number."""
    numbers = {name: number for number, name in STRUCTURE.findall(header)}
    lines = {
        number: [int(each) for each in re.findall(r"\d+", values)] for number, values in LINES.findall(program)
    }
    found = {}
    for part in moves.split("/* PROC ")[1:]:
        name = part.split(" ", 1)[0]
        of = lines[numbers[name]]
        texts = STATEMENT.findall(part) + [(state, text) for text, state in MERGED.findall(part)]
        for state, text in texts:
            if not text.startswith((".(goto)", "goto ", "else", "-end-", "break")):
                found[name, int(state)] = (of[int(state)], text)
    return found


def coverage(compiled, output):
    """Lines with their statements: of those that are compiled, what was reached, and what was not."""
    name, unreached = None, set()
    for line in output.splitlines():
        if match := PROCTYPE.match(line):
            name = ":init:" if match[1] == "init" else match[1]
        elif match := UNREACHED.match(line):
            unreached.add((name, int(match[2])))
    reached = {place for key, place in compiled.items() if key not in unreached}
    return frozenset(reached), frozenset(compiled.values()) - reached
