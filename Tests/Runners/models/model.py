# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What a model says of itself: the tables in the comment that it begins with.

A table stands below a line with its title and a colon. Its first row has the headings.

    Correspondence   what of the model stands for which functions: `Room/File.swift: name, name`
    Runs             a search: `safety`, or `liveness` of the formula that has the run's name; the flags
    Reached          a state that some run must come to: the name of its condition, and the run
    Mutations        a defect: its flag, the run that must find it, the property, and the test of the code
"""

import dataclasses
import pathlib
import re

from Runners import ROOT

MODELS = ROOT / "Tests/Models"
SOURCES = ROOT / "Sources"
TITLES = ("Correspondence", "Runs", "Reached", "Mutations")
KINDS = ("safety", "liveness")
# What a model consists of, each of which stands for something.
DEFINITION = re.compile(r"^(?:active )?(?:proctype|inline) (\w+)", re.MULTILINE)
CONDITION = re.compile(r"^\s*#\s*(?:ifdef|ifndef|if|elif)\b(.*)$", re.MULTILINE)
WORD = re.compile(r"\b[A-Z][A-Z_0-9]+\b")
FORMULA = re.compile(r"^ltl (\w+)", re.MULTILINE)
FUNCTION = r"\b(?:func|var|let|case|struct) {}\b"
TEST = re.compile(r'^"(.*)"$')
# At least so many defects must each model refute.
LEAST_MUTATIONS = 5


class Malformed(Exception):
    """The tables of a model do not say what they should."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One search of all states."""

    name: str
    kind: str
    flags: tuple


@dataclasses.dataclass(frozen=True)
class Refuted:
    """What a search must find: a state that is reached, or the property that a defect breaks."""

    flag: str
    run: Run
    wanted: str
    test: str = ""


@dataclasses.dataclass(frozen=True)
class Model:
    """A file with its tables."""

    path: pathlib.Path
    text: str
    correspondence: tuple
    runs: tuple
    reached: tuple
    mutations: tuple

    @property
    def name(self):
        return self.path.stem


def tables(text):
    """The rows of each table in the first comment, without headings and rules."""
    found, title = {}, None
    for line in text.partition("*/")[0].splitlines():
        line = line.strip().removeprefix("*").strip()
        if line.endswith(":") and line[:-1] in TITLES:
            title = line[:-1]
            found[title] = []
        elif title and line.startswith("|"):
            found[title].append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
        elif title and found[title]:
            title = None
    return {title: [row for row in rows[1:] if set(row[0]) != {"-"}] for title, rows in found.items()}


def read(path):
    """The model in a file; raises `Malformed`."""
    text = path.read_text("utf-8")
    found = tables(text)
    for title in TITLES:
        if not found.get(title):
            raise Malformed(f"{path.name}: no table {title}")
    try:
        runs = {name: Run(name, kind, tuple(flags.split())) for name, kind, flags in found["Runs"]}
        reached = tuple(Refuted(name, runs[run], "state_reached") for name, run in found["Reached"])
        mutations = tuple(
            Refuted(flag, runs[run], wanted, test) for flag, run, wanted, test in found["Mutations"]
        )
        rows = tuple((parts.split(", "), code) for parts, code in found["Correspondence"])
    except (KeyError, ValueError) as error:
        raise Malformed(f"{path.name}: a row has too few cells, or names no run: {error}") from error
    return Model(path, text, rows, tuple(runs.values()), reached, mutations)


def everything():
    """All models, in the order of their names."""
    return [read(path) for path in sorted(MODELS.glob("*.pml"))]


def places(code):
    """The files and names of a cell `Room/File.swift: name, name; File.swift: name`."""
    for part in code.split("; "):
        path, _, names = part.partition(": ")
        yield path, names.split(", ")


def stale(model, sources=SOURCES):
    """Names in the correspondence that nothing has, or has any more."""
    named = set()
    for parts, code in model.correspondence:
        named.update(parts)
        if code.startswith("none: "):
            continue
        for path, names in places(code):
            file = sources / path
            text = file.read_text("utf-8") if file.is_file() else None
            if text is None:
                yield f"{model.path.name}: there is no Sources/{path}"
                continue
            for name in names:
                if not re.search(FUNCTION.format(re.escape(name)), text):
                    yield f"{model.path.name}: Sources/{path} has no {name}"
    defined = set(DEFINITION.findall(model.text))
    for name in sorted(defined - named):
        yield f"{model.path.name}: {name} corresponds to nothing"
    for name in sorted(named - defined):
        yield f"{model.path.name}: no proctype and no inline is named {name}"


def faults(model, tests):
    """What is wrong with the tables; `tests` are the titles of the code's tests."""
    yield from stale(model)
    conditions = set(WORD.findall(" ".join(CONDITION.findall(model.text))))
    formulas = set(FORMULA.findall(model.text))
    for run in model.runs:
        if run.kind not in KINDS:
            yield f"{model.path.name}: {run.name} is neither of {KINDS}"
        elif (run.kind == "liveness") != (run.name in formulas):
            yield f"{model.path.name}: {run.name} is {run.kind}; the formulas are {sorted(formulas)}"
    for state in model.reached:
        if f"#define {state.flag} " not in model.text:
            yield f"{model.path.name}: {state.flag} is not defined"
    if len(model.mutations) < LEAST_MUTATIONS:
        yield f"{model.path.name}: {len(model.mutations)} mutations, where {LEAST_MUTATIONS} are the least"
    for mutation in model.mutations:
        if mutation.flag not in conditions:
            yield f"{model.path.name}: nothing depends on {mutation.flag}"
        if mutation.wanted not in formulas and not re.search(rf"\bbit\b[^;]*\b{mutation.wanted}\b", model.text):
            yield f"{model.path.name}: there is no property {mutation.wanted}"
        test = TEST.match(mutation.test)
        if test and test[1] not in tests:
            yield f"{model.path.name}: no test is named {mutation.test}"
        elif not test and not mutation.test.startswith("no test: "):
            yield f"{model.path.name}: {mutation.flag} names no test, nor says why there is none"
