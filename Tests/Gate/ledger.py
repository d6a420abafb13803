# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What became of each step when it was last run, and on which commit."""

import dataclasses
import json
import subprocess


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a step."""

    step: str
    commit: str
    seconds: float
    # At the pace of the machine.
    budget: float
    passed: int
    failed: int
    # Why its tests could not be run here.
    not_run: str | None = None

    @property
    def is_over_budget(self):
        return self.seconds > self.budget


def commit():
    """The commit that is checked out; with a `+` where the work tree has changes, so that it equals no other."""

    def git(*arguments):
        command = ["git", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown+"


class Ledger:
    """The last result of each step, in a file that is written after each."""

    def __init__(self, path):
        self._path = path
        try:
            rows = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            rows = []
        self._results = {row["step"]: Result(**row) for row in rows}

    def note(self, result):
        self._results[result.step] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows = [dataclasses.asdict(each) for each in self._results.values()]
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(rows, indent=1), "utf-8")
        whole.replace(self._path)

    def of(self, step, commit):
        """The result of a step on a commit; None where it was last run on another, or with other changes."""
        result = self._results.get(step)
        return result if result and result.commit == commit and "+" not in commit else None
