# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Measures what Portcullis costs an unmodified Linux: instructions of its boot, disks, network and MSIs.

Each machine boots bare, at EL1, and through Portcullis, with the same devices and the same jobs
(guest/bench). Instructions are those of all CPUs under QEMU's `-icount`, EL2's among them, and not
its clock, which also moves while the CPUs are idle. The same boot repeats exactly, and so nearly do jobs whose
device answers at once or by the guest's clock. Disks with data answer when the emulator's other thread comes to
it: there the CPU has gone idle in one repeat and not in the next, which is another path of the kernel. So jobs are
repeated and medians compared. What a kernel does
by the clock makes a boot another one when anything before it is; so each of its repeats is told
another word, of no meaning, for a boot that is only the same again says nothing of that. Boards
with GICv3 alone: QEMU has GICv4 only together with EL2, and there a bare Linux is at EL2, which is another
kernel to compare with.

A job that fails, an MSI that is lost or enters EL2, and counts of EL2 that are not those of the emulator
make the exit status 1. An aim that is missed is printed as such and is no failure, as in `make bench`.
"""

import dataclasses
import pathlib
import re
import statistics
import sys
import tempfile
import time

from Runners import commandline, qemu, tap
from Runners.bench import marks
from Runners.linux import boot, initramfs, machine, program, statistic

SECONDS = 600
# (how often each job is done, how many boots there are; jobs are done in the first one)
SHORT = (5, 5)
FULL = (15, 9)
MACHINES = [machine.Machine(kernel, 3, cpus) for cpus in (1, 2) for kernel in machine.KERNELS]

MARK = machine.SOURCES / "program" / "mark.c"

# At most so many per cent more instructions than bare.
AIMS = {
    marks.BOOT: 2.0, "requests": 1.0, "vda": 1.0, "nvme0n1": 1.0, "pings": 1.0, "network": 1.0,
}  # fmt: skip
MSI = "msi"
NOTHING = "nothing"
# It enters EL2: what counts entries from outside must see them. Only on boards of several CPUs: on one,
# QEMU 7.2 can hang in its timers when that CPU is stopped inside EL2.
CONTROL = "control"
JOBS = {
    marks.BOOT: "boot to user space",
    "drivers": "drivers are loaded",
    "requests": "virtio-blk, 512 requests answered at once",
    "vda": "virtio-blk, 512 reads, 512 writes of 4 KiB",
    "nvme0n1": "NVMe, 512 reads, 512 writes of 4 KiB",
    "pings": "virtio-net, 500 packets there and back",
    "network": "virtio-net, 2 MiB over TCP",
    MSI: "1,000 MSIs of edu",
    CONTROL: "control: driver of edu off and on",
    NOTHING: "nothing: the marks themselves",
}

# Numbers of EL2's counts.
PAGE = statistic.PAGE
FREQUENCY, TRAPS, CALLS, TICKS = (
    statistic.NUMBERS[symbol] for symbol in ("FREQUENCY", "TRAPS", "CALLS", "TICKS")
)
ACCESSES = range(statistic.NUMBERS["ACCEPTED"])
COMMANDS = range(statistic.NUMBERS["ACCEPTED"], statistic.NUMBERS["COMMANDS_REFUSED"])
# Each reading of the counts is so many calls, and that many before it comes to the count of calls.
READING = 1 + 2 * PAGE
READING_TO_CALLS = 1 + CALLS + 1

JOB = re.compile(r"# job (\S+)")
FIGURE = re.compile(r"# (interrupts|raised|counted|count) (\d+)(?: (\d+))?")


@dataclasses.dataclass
class Sample:
    """One job, as it was once."""

    interval: marks.Interval
    interrupts: int = 0
    # Of those whose number the job knows.
    raised: int | None = None
    counted: int | None = None
    # EL2's counts by their numbers: by how much they rose.
    counts: dict = dataclasses.field(default_factory=dict)

    @property
    def its_accesses(self):
        """Accesses to registers of an ITS."""
        return self._of_its(ACCESSES)

    @property
    def commands(self):
        """Commands that an ITS was given."""
        return self._of_its(COMMANDS)

    @property
    def other_accesses(self):
        """All other accesses that EL2 took."""
        return self.counts.get(TRAPS, 0) - self.its_accesses

    @property
    def calls(self):
        """HVC and SMC, without those that read the counts."""
        reading = READING_TO_CALLS if self.interval.job == marks.BOOT else READING
        return self.counts.get(CALLS, 0) - reading

    @property
    def entries(self):
        """What EL2 says of how often it was entered."""
        return self.its_accesses + self.other_accesses + self.calls

    @property
    def own(self):
        """Instructions of EL2 itself: those before the host, and those of the handler of its traps of accesses.

        Left out are the vectors' own, some dozens for each entry, and calls, most of which are firmware's.
        """
        # An instruction is a nanosecond of the guest's clock (qemu.ICOUNT).
        ticks = self.counts.get(TICKS, 0)
        return self.interval.start + (ticks * 10**9 // self.counts[FREQUENCY] if ticks else 0)

    def _of_its(self, numbers):
        return sum(
            count
            for number, count in self.counts.items()
            if number >= PAGE and number % PAGE in numbers
        )

    def problems(self, through):
        """What is wrong with it, by itself."""
        job = self.interval.job
        entered = self.interval.entered
        if through:
            if self.entries < 0 or entered not in (None, self.entries):
                yield f"{job}: EL2 was entered {entered} times and has counted {self.entries}"
            for kind in marks.VECTORS[1:]:
                if entered and self.interval.entries[kind]:
                    yield f"{job}: EL2 took {kind}"
        if job == CONTROL and through and not entered:
            yield f"{job}: no entry into EL2 was seen"
        if job == MSI:
            if self.raised is None or self.counted != self.raised:
                yield f"{job}: {self.raised} raised, {self.counted} counted"
            if through and entered != 0:
                yield f"{job}: EL2 was entered {entered} times"


def samples(intervals, lines):
    """The jobs in their order, with what the guest has printed of them. Raises ValueError where the two
    are not of the same jobs."""
    found = [Sample(interval) for interval in intervals]
    told = 0
    for line in lines:
        if match := JOB.fullmatch(line):
            if told == len(found) or found[told].interval.job != match[1]:
                raise ValueError(f"job {told} is another one: {line!r}")
            told += 1
        elif match := FIGURE.fullmatch(line):
            if not told or (match[1] == "count") != bool(match[3]):
                raise ValueError(f"no figure of a job: {line!r}")
            current = found[told - 1]
            if match[1] == "count":
                current.counts[int(match[2])] = int(match[3])
            else:
                setattr(current, match[1], int(match[2]))
    if told != len(found):
        raise ValueError(f"{told} jobs are told of, {len(found)} were measured")
    return found


def report_problems(lines, points):
    """What is wrong with the guest's report, which is to have so many points."""
    reader = tap.read(lines, (*boot.FOREIGN, qemu.IDLE_WARNING))
    yield from reader.errors
    for point in reader.points:
        if not point.passed or point.skipped:
            yield f"failed: {point}"
    if len(reader.points) != points:
        yield f"{len(reader.points)} jobs were reported, {points} are due"


@dataclasses.dataclass(frozen=True)
class Spread:
    """One figure of all repeats."""

    values: tuple

    @property
    def median(self):
        """The one in the middle, or between those two."""
        return statistics.median(self.values)

    @property
    def width(self):
        """How far the greatest is from the least, in per cent of the median."""
        return 100 * (max(self.values) - min(self.values)) / self.median

    def __str__(self):
        """The median, and how far the least and the greatest are from it, in per cent."""
        text = f"{self.median:,.0f}"
        if min(self.values) == max(self.values):
            return f"{text} (each time)" if len(self.values) > 1 else text
        low, high = (100 * (value / self.median - 1) for value in (min(self.values), max(self.values)))
        return f"{text} ({low:+.1f} to {high:+.1f} %)"


def difference(bare, through):
    """How many per cent more the second is."""
    return 100 * (through.median / bare.median - 1)


def verdict(aim, per_cent, *spreads):
    """An aim, and whether it is met; where the figures differ by more among themselves, that too."""
    if aim is None:
        return ""
    text = f"{aim:g} %, {'met' if per_cent <= aim else 'MISSED'}"
    return f"{text}, finer than the spread" if any(each.width > aim for each in spreads) else text


def table(rows):
    """Rows of text in columns, the first one to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = (
            text.rjust(width) if column else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths))
        )
        yield "  ".join((first, *others)).rstrip()


class Comparison:
    """One machine's samples by job, bare and through Portcullis."""

    def __init__(self, bare, through):
        self._bare = _by_job(bare)
        self._through = _by_job(through)

    def _instructions(self, job):
        return (
            Spread(tuple(sample.interval.instructions for sample in each[job]))
            for each in (self._bare, self._through)
        )

    def differences(self):
        """(job, per cent, aim)"""
        for job in JOBS:
            if job in self._bare and job in self._through:
                yield job, difference(*self._instructions(job)), AIMS.get(job)

    def instructions(self):
        """The table of instructions."""
        yield "instructions", "times", "bare", "through Portcullis", "difference", "aim"
        for job, per_cent, aim in self.differences():
            bare, through = self._instructions(job)
            times = f"{len(bare.values)}, {len(through.values)}"
            difference_text = "" if job == NOTHING else f"{per_cent:+.2f} %"
            yield JOBS[job], times, str(bare), str(through), difference_text, verdict(aim, per_cent, bare, through)

    def traps(self):
        """The table of entries into EL2, each for the repeat that has the most."""
        yield (
            "entries into EL2", "all", "a second", "ITS", "other", "HVC, SMC", "commands", "counted outside",
            "MSIs",
        )  # fmt: skip
        for job, title in JOBS.items():
            told = [sample for sample in self._through.get(job, ()) if sample.counts]
            if not told:
                continue
            most = max(told, key=lambda sample: sample.entries)
            interval = most.interval
            yield (
                title,
                f"{most.entries:,}",
                f"{most.entries / interval.seconds:,.0f}",
                f"{most.its_accesses:,}",
                f"{most.other_accesses:,}",
                f"{most.calls:,}",
                f"{most.commands:,}",
                "" if interval.entered is None else f"{interval.entered:,}",
                f"{most.interrupts:,}",
            )

    def remarks(self):
        """What the tables have no column for."""
        if marks.BOOT in self._bare and marks.BOOT in self._through:
            through = self._through[marks.BOOT][0].interval
            bare = self._bare[marks.BOOT][0].interval
            rest = through.instructions - through.start - bare.instructions
            yield (
                f"boot: {through.start:,} instructions from the reset to the host; from there to user space, "
                f"with EL2's traps, {rest:+,} against bare"
            )
            own = self._through[marks.BOOT][0].own
            yield (
                f"boot: {own:,} of all instructions are EL2's own, before the host and in traps of accesses: "
                f"{100 * own / bare.instructions:.2f} % of bare; "
                "the rest of the difference is a kernel that goes another way"
            )
        raised = sum(sample.raised or 0 for sample in self._through.get(MSI, ()))
        counted = sum(sample.counted or 0 for sample in self._through.get(MSI, ()))
        entered = sum(sample.interval.entered or 0 for sample in self._through.get(MSI, ()))
        each = f"{counted / raised:.3f}" if raised else "no"
        yield (
            f"MSIs: {raised:,} raised, {counted:,} counted: {each} interrupts each; "
            f"{entered} entries into EL2"
        )


def _by_job(each):
    found = {}
    for sample in each:
        found.setdefault(sample.interval.job, []).append(sample)
    return found


class Bench:
    """What all machines have in common."""

    def __init__(self, options):
        self._options = options
        self._vectors = marks.symbols(options.elf, options.tools)["el2_vectors"]
        self._repeats, self._boots = FULL if options.full else SHORT

    def measure(self, each):
        """The comparison of a machine, and what was wrong."""
        problems = []
        found = []
        for el2 in (False, True):
            mine = []
            for number in range(self._boots):
                more, wrong = self._boot(each, el2, number)
                mine += more
                way = "through Portcullis" if el2 else "bare"
                problems += [f"{each.title} {way}: {problem}" for problem in wrong]
            found.append(mine)
        return Comparison(*found), problems

    def _boot(self, each, el2, number):
        """A boot by its number, the first one with jobs: its samples, and what was wrong."""
        options = self._options
        only_boot = number > 0
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            images = machine.Images(options.fetched, each.kernel, options.tools, directory)
            program_of_marks = program.build(MARK, directory, options.tools)
            more = initramfs.Archive()
            more.add_file("bin/mark", program_of_marks.read_bytes(), True)
            ramdisk = directory / "ramdisk"
            ramdisk.write_bytes(images.ramdisk.read_bytes() + more.finish())
            words = (
                f"quiet rdinit=/bin/mark TESTS=bench CPUS={each.cpus} EL2={int(el2)} "
                f"REPEATS={self._repeats} BOOT=0{'x' * number} -- {marks.BOOT} /init"
            )
            command = machine.arguments(
                each, images, qemu.NULL_DISKS, options.image if el2 else None, words, ramdisk=ramdisk
            )
            mark = marks.symbols(program_of_marks, options.tools)["mark"]
            # The less hangs on how busy the machine is that QEMU runs on, the better jobs repeat.
            command = [options.qemu, *command, *qemu.AT_ONCE, *qemu.ICOUNT]
            try:
                ran = marks.run(command, mark, SECONDS, self._vectors if el2 else None, only_boot)
            except (OSError, ValueError) as error:
                return [], [f"not measured: {error}"]
        problems = [f"QEMU's exit status {ran.status}"] if ran.status else []
        if only_boot:
            return [Sample(interval) for interval in ran.intervals], problems
        # The drivers, the network and the control are one each.
        problems += report_problems(ran.lines, 2 + (each.cpus > 1) + 7 * self._repeats)
        try:
            found = samples(ran.intervals, ran.lines)
        except ValueError as error:
            return [Sample(interval) for interval in ran.intervals], [*problems, str(error)]
        problems += [problem for sample in found for problem in sample.problems(el2)]
        return found, problems


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "elf", "image", "--only")
    parser.add_argument("--full", action="store_true", help="more repeats")
    options = parser.parse_args()

    matrix = commandline.chosen(MACHINES, options)
    bench = Bench(options)
    problems = []
    missed = 0
    for each in matrix:
        start = time.monotonic()
        comparison, wrong = bench.measure(each)
        problems += wrong
        print(f"\n# {each.title}, in {time.monotonic() - start:.0f} s\n")
        for rows in (comparison.instructions(), comparison.traps()):
            print(*table(list(rows)), "", sep="\n")
        print(*comparison.remarks(), sep="\n", flush=True)
        missed += sum(aim is not None and per_cent > aim for _, per_cent, aim in comparison.differences())
    print(f"\n# {missed} aims missed, {len(problems)} problems")
    return commandline.told(problems, "bench")


if __name__ == "__main__":
    sys.exit(main())
