#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""How slow this machine is now, and the time limits that follow from it.

Every limit in the tests is written for an idle core of the machine that `REFERENCE` was measured on. The pace is
how many times longer the same work takes here, on all cores at once, beside whatever else runs. A limit is
multiplied by it. A machine that is faster keeps the limits as they are written.

The gate measures once and hands the pace to its steps in PORTCULLIS_PACE. A runner that is started by itself
measures.

    pace.py SECONDS    prints the limit, for a script
"""

import functools
import os
import subprocess
import sys
import time

VARIABLE = "PORTCULLIS_PACE"
# Seconds that `work` takes on each of two cores of the idle reference machine at once.
REFERENCE = 0.72
ROUNDS = 5_000_000
WORK = "--work"


def work():
    """Keeps one core busy; returns the seconds that it took."""
    start = time.monotonic()
    value = 1
    for _ in range(ROUNDS):
        value = value * 5 & 0xFFFF | 1
    return time.monotonic() - start


def measure():
    """The pace: the slowest of all cores at the same work, against the reference; at least 1."""
    command = [sys.executable, __file__, WORK]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(os.cpu_count() or 1)
    ]
    slowest = max(float(worker.communicate()[0]) for worker in workers)
    return max(1.0, round(slowest / REFERENCE, 1))


@functools.cache
def factor():
    """The pace that the gate has measured, or else the one that is measured here, once."""
    return float(os.environ.get(VARIABLE) or measure())


def limit(seconds):
    """The limit that is written as `seconds`, in seconds of this machine."""
    return round(seconds * factor())


def times():
    """The pace as a whole number, for who waits inside a machine that runs here: 1 where it is hardly slower."""
    return max(1, round(factor()))


if __name__ == "__main__":
    print(work() if sys.argv[1] == WORK else limit(int(sys.argv[1])))
