# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What became of each step when it was last run on a commit."""

import dataclasses
import json
import subprocess

# So many results are kept, the newest.
MOST = 1000


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

    @property
    def is_good(self):
        return not self.failed and not self.not_run


def short(name):
    """A commit as people read it."""
    return name.removesuffix("+")[:12] + ("+" if name.endswith("+") else "")


def commit():
    """The commit that is checked out; with a `+` where the work tree has changes, untracked files among them."""

    def git(*arguments):
        command = ["git", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown+"


class Ledger:
    """The last result of each step on each commit, in a file that is written after each.

    One that cannot be read is begun anew.
    """

    def __init__(self, path):
        self._path = path
        self._results = {}
        try:
            for row in json.loads(path.read_text("utf-8")):
                result = Result(**row)
                self._results[result.step, result.commit] = result
        except FileNotFoundError:
            pass
        except (ValueError, TypeError):
            path.replace(path.with_suffix(".unreadable"))
            self._results = {}

    def note(self, result):
        key = result.step, result.commit
        # The newest is last.
        self._results.pop(key, None)
        self._results[key] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows = [dataclasses.asdict(each) for each in self._results.values()][-MOST:]
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(rows, indent=1), "utf-8")
        whole.replace(self._path)

    def of(self, step, commit):
        """The result of a step on a commit; None where there is none, and where the work tree had changes."""
        return None if "+" in commit else self._results.get((step, commit))
