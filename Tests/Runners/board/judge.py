# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What a board is booted for, and what is wrong with what its host has reported."""

import dataclasses
import fnmatch
import os
import re

from Runners import counts, qemu, tap

GIC_VERSIONS = (3, 4)
CPU_COUNTS = (1, 4)
# What is said of an attack that has not succeeded in the control.
HELD = "does not fail without mediation: "
# EL2 drains its log between the host's lines; its lines tell themselves apart by this.
FOREIGN = ("portcullis: ",)
# What a host prints that lives on where it should not, and of the ITS that it has kept then.
LIFE = re.compile(r"TAP version|ok |not ok |# the host goes on|Bail out!")
LIVE = "# the ITS is live"
# What the checked image tells now and then.
COMPARED = re.compile(r"portcullis: check: (\d+) traps of (\w+) as specified")
# How many traps of each must be compared.
LEAST_COMPARED = {"ITSes": 64, "Redistributors": 1}


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot: what is started on which board."""

    form: str
    image: os.PathLike
    gic: int = GIC_VERSIONS[0]
    cpus: int = CPU_COUNTS[0]

    @property
    def title(self):
        """What tells this boot from the others."""
        return f"form={self.form} gic-version={self.gic} smp={self.cpus}"


def patterns(path):
    """The patterns of file `path`: one a line as in a shell, `#` starts a comment."""
    texts = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [text for text in texts if text and not text.startswith("#")]


def read(lines):
    """The finished reader of `lines`."""
    return tap.read(lines, FOREIGN)


def last(lines):
    """The last line that is not blank, or nothing."""
    return next((line for line in reversed(lines) if line.strip()), "")


def lives(lines):
    """What shows that the host lives."""
    return [f"the host lives: {line!r}" for line in lines if LIFE.match(line)]


def mediated(reader, status, least):
    """What is wrong with a run in which every test must pass."""
    problems = [*reader.errors, *reader.failed()]
    if reader.run < least:
        problems.append(f"{reader.run} tests were run, at least {least} are due")
    return problems + qemu.problems(status)


def compared(lines):
    """What is wrong with a run of the checked image, in which the specification must have gone along."""
    told = [match for line in lines if (match := COMPARED.match(line))]
    for what, least in LEAST_COMPARED.items():
        traps = max((int(match[1]) for match in told if match[2] == what), default=0)
        if traps < least:
            yield f"{traps} traps of {what} were compared, at least {least} are due"


def unmediated(reader, status, expected):
    """What is wrong with a run in which every attack must be seen to succeed."""
    problems = list(reader.errors)
    if status == 0:
        problems.append("exit status 0: the host claims that nothing failed")
    if status == qemu.OUT_OF_TIME:
        problems.append("out of time")
    return problems + list(failures(reader.points, expected))


def failures(points, expected):
    """Tests that patterns name and that do not fail, and patterns that name none."""
    for pattern in expected:
        matching = [point for point in points if fnmatch.fnmatchcase(point.name, pattern)]
        if not matching:
            yield f"no test is named {pattern!r}"
        yield from (f"{HELD}{point}" for point in matching if point.skipped or point.passed)


@dataclasses.dataclass
class Outcome:
    """What became of a boot."""

    passed: int = 0
    failed: int = 0
    problems: list = dataclasses.field(default_factory=list)
    summary: list = dataclasses.field(default_factory=list)


def summary(title, what, problems):
    """The lines that say what became of a boot."""
    return [f"{title}: {what}: {'BAD' if problems else 'good'}", *(f"  {problem}" for problem in problems)]


def conclude(outcomes, results):
    """Prints what became of all boots and leaves the counts in `results`; the exit status."""
    print("#")
    for line in (line for outcome in outcomes for line in outcome.summary):
        print(f"# {line}")
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    counts.write(results, passed, failed)
    return 1 if not outcomes or any(outcome.problems for outcome in outcomes) else 0
