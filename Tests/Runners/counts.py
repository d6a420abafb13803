# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""How many tests have passed and failed: the file that a step of `make test` leaves for the gate."""

import json


def write(path, passed, failed, **more):
    """Leaves the counts, and what else is told by name, in `path`; nothing where there is none."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all.
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"passed": passed, "failed": failed, **more}, indent=1), "utf-8")
        new.replace(path)


def read(path):
    """(passed, failed) as `path` has them; none of either where the step does not count, and a failure where what it
    has left can't be read."""
    try:
        result = json.loads(path.read_text("utf-8"))
        return int(result["passed"]), int(result["failed"])
    except FileNotFoundError:
        return 0, 0
    except (ValueError, KeyError, TypeError):
        return 0, 1


def not_run(path):
    """Why the step's tests were not run, as `path` has it; None where they were."""
    try:
        return json.loads(path.read_text("utf-8")).get("not_run")
    except FileNotFoundError:
        return None
