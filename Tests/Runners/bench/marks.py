# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a machine from mark to mark (program/mark.c) and counts what it executes in between.

A debugger's breakpoint stands at the mark, so that marks cost the same with and without EL2 and none enters
it. In jobs that are to do without EL2 more breakpoints stand at the vectors by which the host enters it:
there the emulator counts, not what is measured. Where EL2 is entered often they would change what is
measured, since the clock leaps to the next timer at each stop.
"""

import concurrent.futures
import dataclasses
import pathlib
import tempfile

from Runners import qemu
from Runners.bench import debugger
from Runners.linux import machine
from Runners.programs import output

# What an exception of the host may be, in the order of the vectors.
VECTORS = ("synchronous", "IRQ", "FIQ", "SError")
VECTOR_SIZE = 0x80
# Exceptions from below, of AArch64 and then of AArch32.
FROM_BELOW = 0x400
INSTRUCTION = 4

# The marks of a job are `JOB begin` and `JOB end`; this one is alone, its job begins with the reset.
BOOT = "boot"
# The jobs that do enter EL2.
USERS = (BOOT, "drivers")
BEGIN = "begin"
END = "end"


def entries(vectors):
    """(address, the kind of exception) of each of these vectors of EL2 by which the host enters it."""
    for index in range(2 * len(VECTORS)):
        yield vectors + FROM_BELOW + VECTOR_SIZE * index, VECTORS[index % len(VECTORS)]


@dataclasses.dataclass
class Interval:
    """What was executed between two marks."""

    job: str
    instructions: int = 0
    # Of the guest's clock.
    seconds: float = 0.0
    # How often EL2 was entered, by the kind of exception, where that was looked at.
    entries: dict | None = None
    # From the reset to the host's first instruction.
    start: int = 0

    @property
    def entered(self):
        """All entries, None where that was not looked at."""
        return None if self.entries is None else sum(self.entries.values())


def symbols(elf, tools):
    """The symbols of a file and their values."""
    listing = output(tools / "llvm-nm", "--defined-only", elf)
    return {fields[2]: int(fields[0], 16) for fields in map(str.split, listing.splitlines())}


class Counter:
    """Makes intervals of what the machine stops at; `vectors` is where EL2's are, if it is there."""

    def __init__(self, vectors=None):
        self.intervals = []
        self._names = {} if vectors is None else dict(entries(vectors))
        self._current = Interval(BOOT)
        self._from = (0, 0.0)

    @property
    def watched(self):
        """The vectors that the job under way is not to come to."""
        return set(self._names) if self._current and self._current.entries is not None else set()

    @property
    def has_host(self):
        """Whether the host has begun."""
        return bool(self.intervals) or self._current.start > 0

    def at_host(self, instructions):
        """The host's first instruction."""
        self._current.start = instructions

    def at_vector(self, address):
        """A CPU is about to execute the first instruction of a vector."""
        self._current.entries[self._names[address]] += 1

    def at_mark(self, name, instructions, seconds):
        """A mark."""
        job, _, edge = name.rpartition(" ")
        if name == BOOT and not self.intervals:
            job, edge = BOOT, END
        if edge == BEGIN and self._current is None:
            self._current = Interval(job)
            if self._names and job not in USERS:
                self._current.entries = dict.fromkeys(VECTORS, 0)
            self._from = (instructions, seconds)
        elif edge == END and self._current is not None and job == self._current.job:
            self._current.instructions = instructions - self._from[0]
            self._current.seconds = seconds - self._from[1]
            self.intervals.append(self._current)
            self._current = None
        else:
            raise ValueError(f"a mark out of order: {name!r}")


@dataclasses.dataclass
class Run:
    """What came of one boot."""

    intervals: list
    lines: list
    status: int


def run(command, mark, seconds, vectors=None, only_boot=False):
    """Runs QEMU by `command` to its end, or to the mark of the boot; `mark` is the mark's address, and
    `vectors` is where those of EL2 are, with Portcullis.

    Raises OSError where it takes longer than `seconds`, and ValueError where it does not stop as it should.
    """
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(1) as pool:
        sockets = [pathlib.Path(name) / what for what in ("gdb", "qmp")]
        # The time limit ends a machine that does not end by itself.
        ran = pool.submit(qemu.run, [*command, *qemu.controlled(*sockets)], seconds)
        counter = _watch(*sockets, mark, seconds, vectors, only_boot)
        lines, status = ran.result()
    return Run(counter.intervals, lines, status)


def _watch(gdb, monitor, mark, seconds, vectors, only_boot):
    connected = qemu.Monitor(qemu.connect(monitor, seconds))
    target = debugger.Debugger(qemu.connect(gdb, seconds))
    counter = Counter(vectors)
    # Breakpoints, and those that stand one instruction behind one to which the machine is to come again.
    standing = set()
    behind = set()
    try:
        while True:
            wanted = counter.watched | {mark}
            if vectors is not None and not counter.has_host:
                wanted.add(machine.KERNEL_ADDRESS)
            wanted = behind | {address for address in wanted if address + INSTRUCTION not in behind}
            for address in standing - wanted:
                target.clear_breakpoint(address)
            for address in wanted - standing:
                target.set_breakpoint(address)
            standing = wanted
            target.run()
            registers = target.registers()
            address = registers[debugger.PC]
            if address in behind:
                behind.remove(address)
                continue
            instructions = connected.instructions()
            if address == machine.KERNEL_ADDRESS:
                counter.at_host(instructions)
                continue
            if address == mark:
                clock = registers[1] / registers[2]
                counter.at_mark(target.text(registers[0]), instructions, clock)
                if only_boot:
                    connected.end()
                    break
            else:
                counter.at_vector(address)
            behind.add(address + INSTRUCTION)
    except debugger.Gone:
        pass
    except BaseException:
        # Nobody else would end a machine that stands still.
        connected.end()
        raise
    finally:
        target.close()
        connected.close()
    return counter

