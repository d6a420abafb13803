# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs independent jobs side by side, and prints what they print as if they ran one after the other.

A job whose turn it is prints at once; what a later one prints is kept until its turn comes.
"""

import concurrent.futures
import os
import queue

VARIABLE = "PORTCULLIS_JOBS"
_END = object()


def jobs():
    """How many jobs may run at a time: what the gate gives this step, or else one a processor."""
    return int(os.environ.get(VARIABLE) or os.cpu_count() or 1)


def in_turn(work, items, most=None):
    """Runs `work(item, say)` for each item, at most `most` at a time; yields the results in the items' order.

    `say(line)` takes the place of `print` in a job. An exception of a job is raised at its turn.
    """
    with concurrent.futures.ThreadPoolExecutor(most or jobs()) as pool:
        started = []
        for item in items:
            said = queue.SimpleQueue()
            job = pool.submit(work, item, said.put)
            # Also behind a job that raised, or its turn would never end.
            job.add_done_callback(lambda _, said=said: said.put(_END))
            started.append((job, said))
        try:
            for job, said in started:
                while (line := said.get()) is not _END:
                    print(line, flush=True)
                yield job.result()
        finally:
            for job, _ in started:
                job.cancel()
