# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The boards in dts/acpi: their tables, compiled by iasl, and what `inspect` must say of each."""

import dataclasses
import re
import subprocess

from Runners import ROOT

SOURCES = ROOT / "dts/acpi"
# Has the tables that a board does not have itself.
COMMON = "common"
# Boards without a table that the common one has.
WITHOUT = {"no-its": ("IORT",), "gic-v2": ("IORT",)}


def compile_all(directory):
    """Compiles all boards, each to a folder below `directory`; raises CalledProcessError where iasl finds an error."""
    compiled = {}
    for source in sorted(SOURCES.glob("*/*.asl")):
        target = directory / source.parent.name / source.stem
        target.parent.mkdir(parents=True, exist_ok=True)
        # Its own notion of a file's name: it appends a suffix.
        subprocess.run(["iasl", "-p", target, source], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        target.with_suffix(".aml").rename(target)
        compiled.setdefault(source.parent.name, {})[source.stem] = target
    for board, own in compiled.items():
        for name, path in compiled[COMMON].items():
            if name not in own and name not in WITHOUT.get(board, ()):
                (directory / board / name).write_bytes(path.read_bytes())
    return sorted(compiled)


@dataclasses.dataclass
class Due:
    """What is due to a board: an exit status, and patterns of lines."""

    status: int
    says: list = dataclasses.field(default_factory=list)

    def judge(self, status, text):
        """What is wrong with the status and the output."""
        if status != self.status:
            yield f"exit status {status}, where {self.status} is due: {text.strip().splitlines()[-1:]}"
        for pattern in self.says:
            if not any(re.fullmatch(pattern, line) for line in text.splitlines()):
                yield f"no line matches {pattern!r}"


def parse(text):
    """What a table of it says is due, by board; raises ValueError for a line that means nothing."""
    found = {}
    last = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word == "says" and last and rest:
            last.says.append(rest)
        elif rest.isdigit() and word not in found:
            last = found[word] = Due(int(rest))
        else:
            raise ValueError(f"line {number}: {line!r}")
    return found
