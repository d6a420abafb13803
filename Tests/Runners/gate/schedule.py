# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs steps side by side, as many as there are processors, each as soon as what it comes after is done."""

import collections
import os
import pathlib
import signal
import subprocess
import threading
import time

from Runners import turns

# The makefile takes the images as they are where this is set: steps side by side must not rebuild them.
BUILT = "PORTCULLIS_BUILT"
IMAGES = "images"
# Seconds that a step has to clean up in when it is ended.
GRACE = 3
# A step that takes so many times its budget hangs, and is ended.
PATIENCE = 5


def session(leader):
    """The processes of a session that have not ended."""
    members = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything.
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(its_session) == leader and state not in "ZX":
            members.append(int(stat.parent.name))
    return members


def kill(processes, number):
    """Sends a signal to those that are still there."""
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            pass


class Running:
    """A step that runs: its output goes to a file, the last line of it is `last`."""

    def __init__(self, step, command, log, limit, environment):
        self.step = step
        self.log = log
        self.last = ""
        self.is_over = False
        self.start = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        # A session of its own, so that all that it has started can be ended with it.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="backslashreplace", env=environment, start_new_session=True,
        )  # fmt: skip
        self._timer = threading.Timer(limit, self._time_out)
        self._timer.daemon = True
        self._timer.start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with self._process.stdout, self.log.open("w", encoding="utf-8") as file:
            for line in self._process.stdout:
                file.write(line)
                file.flush()
                if line.strip():
                    self.last = line.strip()
            if self.is_over:
                file.write("ended: it took too long\n")

    def _time_out(self):
        self.is_over = True
        self.end()

    def end(self):
        """Ends it and all that it has started, which may be in process groups of their own."""
        self._timer.cancel()
        end = time.monotonic() + GRACE
        while (members := session(self._process.pid)) and time.monotonic() < end:
            kill(members, signal.SIGTERM)
            time.sleep(0.1)
        while members := session(self._process.pid):
            kill(members, signal.SIGKILL)
            time.sleep(0.05)
        self._process.wait()

    @property
    def seconds(self):
        return time.monotonic() - self.start

    def poll(self):
        """The exit status, None as long as it runs."""
        if self._reader.is_alive():
            return None
        self._timer.cancel()
        return self._process.wait()


def is_ready(step, waiting, running):
    """Whether what it comes after is done, and nobody works in its folders."""
    return not any(each in waiting or each in running for each in step.after) and not any(
        folder in other.step.folders for other in running.values() for folder in step.folders
    )


def run(steps, start, display, slots=None):
    """Runs all steps; yields each, when it is done, with its `Running` and the exit status.

    `start(step, jobs)` starts one that may do `jobs` things at a time. A step that comes after one that failed is
    not started: it is yielded with None for both. `display` is told of each start and asked to refresh itself.
    """
    slots = slots or os.cpu_count() or 1
    waiting = collections.OrderedDict((step.name, step) for step in steps)
    running = {}
    failed = set()
    try:
        while waiting or running:
            for name, step in list(waiting.items()):
                if failed.intersection(step.after):
                    del waiting[name]
                    failed.add(name)
                    yield step, None, None
                elif len(running) < slots and is_ready(step, waiting, running):
                    del waiting[name]
                    others = len(waiting) + len(running)
                    running[name] = start(step, max(1, slots - others))
                    display.started(running[name])
            for name, each in list(running.items()):
                status = each.poll()
                if status is not None:
                    del running[name]
                    if status != 0:
                        failed.add(name)
                    yield each.step, each, status
            display.refresh(running.values(), len(waiting))
            time.sleep(0.1)
    finally:
        for each in running.values():
            each.end()


def environment(step, pace_variable, pace, jobs):
    """What a step is told of the machine, and whether the images are there."""
    told = {pace_variable: str(pace), turns.VARIABLE: str(jobs)}
    if IMAGES in step.after:
        told[BUILT] = "1"
    return os.environ | told
