# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Has an unmodified Linux under Portcullis do everything at once for a long time, and judges what came of it:
no interrupt is lost, nothing is refused, and EL2 uses as much of everything at the end as after the warm-up.
"""

import pathlib
import re
import sys
import tempfile
import time

from Runners import commandline, counts, qemu
from Runners.linux import boot, logs, machine, statistic

# What the guest prints, see guest/soak.
BEGIN = "# soak begins"
END = "# soak ends"
SAMPLE = re.compile(r"# sample (\d+)")
SAMPLE_END = "# end of sample"
COUNT = re.compile(r"(\d+) (\d+)")
TOLD = re.compile(r"(soak|state) (\S+) (.*)")
FAILED = "soak failed: "

# What is in use now, and must be the same in every pause.
PAGE = statistic.PAGE
GAUGES = statistic.named(
    "TABLES_HELD", "TABLE_PAGES", "TABLE_PAGES_FREE", "CLAIMED_PAGES", "SHARED_PAGES", "PINS", "LOG_BYTES",
    "LOG_LOST",
)  # fmt: skip
SERVICE_GAUGES = statistic.named(
    "PAGES", "PAGES_FREE", "DEVICES", "COLLECTIONS", "RETIRING", "UNFINISHED_DOORBELLS", "VPE_TABLES_HELD",
    of=PAGE,
)  # fmt: skip
# Those which must be zero in every pause: nothing is under way then, and nothing was lost.
IDLE = {*statistic.named("RETIRING", "UNFINISHED_DOORBELLS")}
LOST = {*statistic.named("LOG_LOST")}
# Accesses that were refused, LPI tables that were, commands that were, by the first number.
REFUSED = ((16, 64, "access refused"), (80, 128, "LPI table refused"))
SERVICE_REFUSED = (256, 288, "command refused")
# Accesses that did nothing: as many in every pause, that is none by what the jobs do.
IGNORED = statistic.named("TABLES_IGNORED")
SERVICE_IGNORED = statistic.named("IGNORED", of=PAGE)
# What must have been counted, or the numbers above tell nothing.
ALIVE = statistic.named("TRAPS", "REDISTRIBUTORS", "TABLE_PAGES")
SERVICE_ALIVE = statistic.named("DOORBELLS", "PAGES", "DEVICES", of=PAGE)

# Where the board has its ITS.
ITS = 0x0808_0000

JOBS = ("vda", "nvme0n1", "network", "edu", "vectors", "cpus", "drivers")
# How long a machine may take beyond its minutes, in seconds: a start, warm-up and pauses.
BEYOND = 900

# Warnings of a kernel that has done nothing wrong.
ALLOWED = (
    # The board's own slowness.
    re.compile(r"hrtimer: interrupt took \d+ ns"),
    # A CPU that is to idle has packets or tasklets left; a soak without Portcullis has it, too.
    re.compile(r"NOHZ tick-stop error: local softirq work is pending, handler #[0-9a-f]+!!!"),
)


class Report:
    """What a guest has printed, as far as it is one of a soak."""

    def __init__(self, lines, is_bare=False):
        self.is_bare = is_bare
        self.samples = []  # (seconds, {number: count})
        self.states = []  # (seconds, text)
        self.last = {}
        self.failures = []
        self.problems = []
        counts = None
        for line in lines:
            if match := SAMPLE.fullmatch(line):
                counts = {}
                self.samples.append((int(match[1]), counts))
            elif line == SAMPLE_END:
                counts = None
            elif counts is not None:
                match = COUNT.fullmatch(line)
                if match:
                    counts[int(match[1])] = int(match[2])
                else:
                    self.problems.append(f"no line of a sample: {line!r}")
            elif FAILED in line:
                self.failures.append(line.strip())
            elif match := TOLD.fullmatch(line):
                if match[1] == "state":
                    self.states.append((int(match[2]), match[3]))
                else:
                    pairs = (word.partition("=") for word in match[3].split())
                    self.last = {name: int(value) for name, _, value in pairs if value.isdecimal()}
        if counts is not None:
            self.problems.append("a sample has no end")
        self.began = BEGIN in lines
        self.ended = END in lines
        try:
            at = lines.index(BEGIN) if self.began else len(lines)
            start, rest = lines[:at], [logs.BOOT, *lines[at:]]
            self.start = [entry for log in logs.sections(start) for entry in log]
            self.log = [entry for log in logs.sections(rest) for entry in log]
        except ValueError as error:
            self.start = self.log = []
            self.problems.append(str(error))


def named(numbers, of_service, count):
    """Every number of EL2 as a whole and of each of `count` ITSes with its name."""
    for number, name in numbers.items():
        yield number, name
    for its in range(count):
        for index, name in of_service.items():
            yield PAGE * (its + 1) + index, f"ITS {its}, {name}"


def refusals(counts, itses):
    """What of a sample is a refusal, in words."""
    ranges = [*REFUSED]
    for its in range(itses):
        first, end, name = SERVICE_REFUSED
        base = PAGE * (its + 1)
        ranges.append((base + first, base + end, f"ITS {its}, {name}"))
    for first, end, name in ranges:
        for number in range(first, end):
            if counts.get(number):
                yield f"{name}, reason {number - first}: {counts[number]}"


def problems(report, seconds):
    """What is wrong with a soak that was to last so long, in words."""
    yield from report.problems
    yield from report.failures
    if not report.began or not report.ended:
        yield "the soak has not come to its end"
    if len(report.samples) < 2 or report.samples[-1][0] < seconds:
        reached = report.samples[-1][0] if report.samples else "no"
        yield f"{len(report.samples)} pauses, the last after {reached} of {seconds} s"
    if len(report.states) != len(report.samples):
        yield f"{len(report.states)} states in {len(report.samples)} pauses"
    yield from job_problems(report)
    yield from count_problems(report)
    yield from log_problems(report)


def job_problems(report):
    """What is wrong with what the jobs did."""
    for job in JOBS:
        if not report.last.get(job):
            yield f"{job}: no round"
    if report.last.get("failures") != 0:
        yield f"rounds that failed: {report.last.get('failures', 'not told')}"
    if not report.last.get("moves"):
        yield "no vector was moved"
    raised, handled = report.last.get("raised"), report.last.get("handled")
    if not raised or raised != handled:
        yield f"interrupts: {raised} raised, {handled} handled"
    for seconds, text in report.states:
        words = dict(re.findall(r"(\w+)=(\S*)", text))
        if words.get("raised") != words.get("handled"):
            yield f"after {seconds} s interrupts are lost: {text}"
        first = dict(re.findall(r"(\w+)=(\S*)", report.states[0][1]))
        for what in ("cpus", "drivers"):
            if not words.get(what) or words.get(what) != first.get(what):
                yield f"after {seconds} s {what} are not as at first: {text}"


def count_problems(report):
    """What is wrong with what EL2 has counted."""
    if report.is_bare or not report.samples:
        return
    began, first = report.samples[0]
    itses = first.get(0, 0)
    if not itses:
        yield "EL2 tells of no ITS"
    for number, name in named(ALIVE, SERVICE_ALIVE, itses):
        if not first.get(number):
            yield f"{name}: nothing is counted"
    zero = IDLE | LOST
    for seconds, sample in report.samples:
        for text in refusals(sample, itses):
            yield f"after {seconds} s: {text}"
        for number, name in named(GAUGES | IGNORED, SERVICE_GAUGES | SERVICE_IGNORED, itses):
            value, expected = sample.get(number, 0), first.get(number, 0)
            if value != expected:
                yield f"after {seconds} s: {name}: {value}, after {began} s {expected}"
            elif number % PAGE in zero and value:
                yield f"after {seconds} s: {name}: {value}, where none is due"


def log_problems(report):
    """What the kernel has said that it should not."""
    yield from logs.fatal(report.start)
    yield from logs.fatal(report.log)
    known = {without_numbers(entry.text) for entry in report.start}
    for entry in report.log:
        if entry.level > logs.WARNING or any(each.fullmatch(entry.text) for each in ALLOWED):
            continue
        text = without_numbers(entry.text)
        if text not in known:
            known.add(text)
            yield f"the kernel warns: {entry.text}"


def without_numbers(text):
    """A line of a log, whatever its numbers."""
    return re.sub(r"0x[0-9a-f]+|\d+", "#", text)


def summary(report):
    """What was done and how much of everything is in use, in lines."""
    yield ", ".join(f"{report.last.get(job, 0)} rounds of {job}" for job in JOBS)
    last = report.last
    yield (
        f"{last.get('raised')} interrupts of edu raised, {last.get('handled')} handled, "
        f"{last.get('extra')} more counted by the kernel"
    )
    yield f"{last.get('moves')} moves of a vector, {last.get('missed')} in vain, of a CPU or a driver that was off"
    if report.is_bare or not report.samples:
        return
    (began, first), (ended, end) = report.samples[0], report.samples[-1]
    itses = end.get(0, 0)
    for number, name in ((2, "traps"), (3, "traps that left work")):
        yield f"{name}: {first.get(number, 0)} at first, {end.get(number, 0)} at the end"
    commands = [
        sum(
            counts.get(PAGE * (its + 1) + index, 0)
            for its in range(itses)
            for index in range(192, 256)
        )
        for counts in (first, end)
    ]
    yield f"commands: {commands[0]} at first, {commands[1]} at the end"
    refused = sum(1 for _, counts in report.samples for _ in refusals(counts, itses))
    yield f"reasons for which anything was refused: {refused}"
    for number, name in named(GAUGES | IGNORED, SERVICE_GAUGES | SERVICE_IGNORED, itses):
        values = [counts.get(number, 0) for _, counts in report.samples]
        text = f"{values[0]}" if len(set(values)) == 1 else " ".join(map(str, values))
        yield f"{name}: {text}"
    yield f"(in {len(report.samples)} pauses, from {began} s to {ended} s)"


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "--results")
    parser.add_argument("image", type=pathlib.Path, help="the EL2 image", nargs="?")
    machine.add_options(parser, 4)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument(
        "--provoke", action="store_true", help="the control: one refusal, with which the soak must fail"
    )
    parser.add_argument("--log", type=pathlib.Path, help="where to leave what was printed")
    options = parser.parse_args()
    if options.cpus < 2 or options.minutes < 1:
        parser.error("at least 2 CPUs and a minute are due")

    each = machine.of(options)
    title = f"{each.title}{'' if options.image else ' bare'}, {options.minutes} minutes"
    print(f"# {title}", flush=True)
    start = time.monotonic()

    def say(line):
        if line.startswith(("soak ", "state ", "portcullis: ", SAMPLE.pattern[:8])):
            print(f"{time.monotonic() - start:6.0f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        images = machine.Images(options.fetched, each.kernel, options.tools, directory)
        words = f"TESTS=soak MINUTES={options.minutes} CPUS={each.cpus} EL2={int(bool(options.image))}"
        if options.provoke:
            # User space may reach registers that a driver has.
            words += f" PROVOKE={ITS:#x} iomem=relaxed"
        disks = machine.make_disks(directory)
        command = machine.arguments(each, images, disks, options.image, words)
        limit = options.minutes * 60 * 3 // 2 + BEYOND
        lines, status = qemu.run([options.qemu, *command], limit, say)
    if options.log:
        boot.leave(lines, options.log)

    report = Report(lines, is_bare=not options.image)
    found = list(problems(report, options.minutes * 60))
    found += qemu.problems(status, what="QEMU's exit status")
    print("#")
    for line in summary(report):
        print(f"# {line}")
    for line in found:
        print(f"# PROBLEM: {line}")
    print(f"# {title}: {'FAILED' if found else 'passed'}")
    counts.write(options.results, int(not found), len(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
