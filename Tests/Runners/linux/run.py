# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots unmodified Linux kernels on several boards, bare and through Portcullis, and runs its tests.

Both must pass all tests, and their kernels' logs may differ in what is listed alone, or in what bare boots of
the machine differ in among themselves. What a board cannot do without Portcullis it need not do with it, but then
the run says so: nothing that was not run counts as passed.

With --smmu the machines have an SMMUv3, which takes a QEMU with its stage 2. Linux does not see one that is
owned: it is held against the same board without it. That devices are behind it is seen where they may reach
nothing: what works on every other machine must then fail.
"""

import collections
import pathlib
import re
import sys
import tempfile
import time

from Runners import commandline, counts, qemu, turns
from Runners.board import flattree
from Runners.linux import boot, logs, machine

# How long a machine may take, in seconds; one that hangs is not waited for longer.
SECONDS = {"boot": 180, "brief": 600, "short": 600, "full": 3600, "denied": 900}
# The least number of tests of a machine, by what is run: a report that is shorter lies.
LEAST = {"boot": 1, "brief": 30, "short": 30, "full": 30, "denied": 7}
# How the names of those tests begin that only a boot through Portcullis has.
OF_EL2 = "EL2: "
DIFFERENCES = pathlib.Path(__file__).parent / "differences.txt"

# What is run where devices may reach nothing, and how EL2 tells of what they tried.
DENIED = "denied"
FAULT = re.compile(r"portcullis: .*\bstream 0x([0-9a-f]+)")
# The devices of every machine: each is a function 0, behind the bridge of device 0.
STREAMS = {f"{device << 3:x}" for device in range(1, 6)}

# At most so many of each kind, where the logs differ in what is not listed, or a bare boot fails.
MOST_BOOTS = 3

Board = machine.Machine
# (board, what is run)
# Each kernel once; one of them with an SMMU that it drives.
BRIEF = [
    (Board("6.12", 4, 4, smmu=machine.NESTED), "brief"),
    (Board("6.1", 3, 2), "brief"),
]
SHORT = [
    (Board("6.1", 3, 2), "short"),
    (Board("6.12", 4, 4), "short"),
    (Board(machine.NEWEST, 4, 4), "short"),
    (Board("6.1", 4, 1, "neoverse-n1"), "short"),
    (Board("6.12", 3, 2, "max"), "boot"),
    (Board("6.1", 3, 2, u_boot=True), "boot"),
]
FULL = [
    *(
        (Board(kernel, gic, cpus), "full")
        for kernel in machine.KERNELS
        for gic in machine.GIC_VERSIONS
        for cpus in (1, 2, 4)
    ),
    *(
        (Board(kernel, gic, 2, processor), "short")
        for processor in machine.PROCESSORS[1:]
        for kernel in machine.KERNELS
        for gic in machine.GIC_VERSIONS
    ),
    *((Board(machine.NEWEST, gic, 4), "short") for gic in machine.GIC_VERSIONS),
]
# With an SMMUv3 of which QEMU has stage 2, and all devices behind it.
BEHIND = [
    *(
        (Board(kernel, gic, cpus, smmu=machine.OWNED), "short")
        for kernel, gic, cpus in (("6.1", 3, 2), ("6.12", 4, 4))
    ),
    (Board("6.12", 3, 2, smmu=machine.OWNED), DENIED),
    *(
        (Board(kernel, gic, cpus, smmu=machine.NESTED), "short")
        for kernel, gic, cpus in (("6.1", 3, 2), ("6.12", 4, 4))
    ),
]


def compare(bares, throughs, differences):
    """What the tests and the logs of boots through Portcullis differ in, from bare ones, though they may not."""
    names = [point.name for point in bares[0].reader.points]
    for through in throughs:
        if names != [p.name for p in through.reader.points if not p.name.startswith(OF_EL2)]:
            yield "the tests of the two boots are not the same"
    pairs = zip(
        zip(*(through.logs for through in throughs)), zip(*(bare.logs for bare in bares))
    )
    for number, (logs_through, logs_bare) in enumerate(pairs, 1):
        for text in differences.between(logs_bare, logs_through):
            yield f"log {number}, {text}"


def denied(command, directory):
    """`command` for a board of whose requesters on PCI only those that no device has are behind the SMMU.

    To EL2 the streams of all devices are then of none, and it lets them reach nothing.
    """
    return [
        *flattree.board_with(
            command,
            directory / "tree",
            "iommu-map",
            lambda cells: [0x8000, cells[1], 0x8000, 0x8000],
        ),
        # The guest ends by a reset.
        *qemu.NO_REBOOT,
    ]


class Trial:
    """One machine, booted bare and through Portcullis; what came of it.

    `images` are those of its kernel; `say` prints.
    """

    def __init__(self, options, images, each, what, say):
        self._options = options
        self._images = images
        self._each = each
        self.title = each.title
        self._made = collections.Counter()
        self._what = what
        self._say = say
        # By itself, by kexec, by a reset.
        self._is_plain = what in ("boot", DENIED)
        self._boots = 1 if self._is_plain else 2 + each.can_kexec
        self.passed = 0
        self.problems = []
        self.summary = []
        if not self._is_plain and not each.can_kexec:
            self.summary.append(f"{self.title}: no kexec, which this kernel fails bare too")

    def run(self):
        """Boots it until what is wrong with it is known."""
        if self._what == DENIED:
            self._deny()
        else:
            self._compare()

    def _compare(self):
        bares = [self._yardstick()]
        throughs = [self._boot("portcullis")]
        # The tests are those of the boot through Portcullis; the bare one is what they are held against.
        self.passed = throughs[0].passed
        allowed = logs.Differences.read(DIFFERENCES, self.title)
        found = list(compare(bares, throughs, allowed))
        for _ in range(MOST_BOOTS - 1):
            for kind, name in ((bares, "bare"), (throughs, "portcullis")):
                if found and not self.problems:
                    self.summary += [f"  seen before another boot: {text}" for text in found]
                    kind.append(self._boot(name))
                    found = list(compare(bares, throughs, allowed))
        self.problems += found

    def _yardstick(self):
        """A bare boot that passes by itself. One that doesn't says nothing of Portcullis: it is told, and made again."""
        for number in range(1, MOST_BOOTS + 1):
            before = len(self.problems)
            run = self._boot("bare")
            if len(self.problems) == before or number == MOST_BOOTS:
                return run
            self.summary += [f"  seen before another boot: {text}" for text in self.problems[before:]]
            del self.problems[before:]

    def _deny(self):
        run = self._boot("portcullis", change=denied)
        self.passed = run.passed
        streams = {match[1] for line in run.lines if (match := FAULT.match(line))}
        if not streams & STREAMS:
            self.problems.append(f"EL2 tells of no fault of a device, but of {sorted(streams)}")

    def _command(self, directory, el2, words, ramdisk):
        """The arguments that start the machine, and what is typed at it."""
        disks = machine.make_disks(directory)
        typed = machine.dialogue(self._each, self._images, words, ramdisk) if el2 else ()
        return machine.arguments(self._each, self._images, disks, el2, words, ramdisk=ramdisk), typed

    @staticmethod
    def _only(lines):
        """Those of the printed lines that are the guest's or EL2's."""
        return lines

    def _judge(self, run, through):
        """What else is wrong with a boot, bare or `through` Portcullis."""
        return []

    def _boot(self, name, change=None):
        options, each, what, images = self._options, self._each, self._what, self._images
        el2 = options.image if name == "portcullis" else None
        self._made[name] += 1
        if self._made[name] > 1:
            name += f" {self._made[name]}"
        self._say(f"# {self.title} {what} {name}")
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary)
            words = f"TESTS={what} CPUS={each.cpus} EL2={int(bool(el2))} KEXEC={int(each.can_kexec)}"
            ramdisk = images.ramdisk if self._is_plain else images.ramdisk_with_kernel
            command, typed = self._command(directory, el2, words, ramdisk)
            command = [options.smmu_qemu if each.smmu and options.smmu_qemu else options.qemu, *command]
            if change:
                command = change(command, directory)
            start = time.monotonic()
            run = boot.Boot(command, SECONDS[what], boot.report_to(self._say), typed, self._only)
            run.judge(LEAST[what], self._boots)
            run.problems += self._judge(run, bool(el2))
            seconds = time.monotonic() - start
        if options.logs:
            boot.leave(run.lines, options.logs / f"{self.title} {name}.log".replace(" ", "_"))
        self.problems += [f"{name}: {problem}" for problem in run.problems]
        self.summary.append(f"{self.title} {name}: {run.passed} passed in {seconds:.0f} s")
        return run


def run_all(options, matrix, kind=Trial, more=()):
    """The trials of all machines, run; `more` modules are in their RAM disks."""
    with tempfile.TemporaryDirectory() as temporary:
        images = {
            kernel: machine.Images(options.fetched, kernel, options.tools, pathlib.Path(temporary), more=more)
            for kernel in {each.kernel for each, _ in matrix}
        }

        def run(pair, say):
            each, what = pair
            trial = kind(options, images[each.kernel], each, what, say)
            trial.run()
            return trial

        return list(turns.in_turn(run, matrix))


def conclude(trials, results):
    """Says what came of the trials, and writes the counts; the exit status."""
    print("#")
    for line in (line for each in trials for line in each.summary):
        print(f"# {line}")
    # Last, where whoever reads an end of the log finds them.
    for each in trials:
        for problem in each.problems:
            print(f"# {each.title}: {problem}")
    failed = sum(len(each.problems) for each in trials)
    counts.write(results, sum(each.passed for each in trials), failed)
    return 1 if failed else 0


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "image", "--smmu-qemu", "--only", "--logs", "--results")
    parser.add_argument("--full", action="store_true", help="the whole matrix")
    parser.add_argument("--brief", action="store_true", help="each kernel once")
    parser.add_argument(
        "--smmu", action="store_true", help="machines with all devices behind an SMMUv3 instead"
    )
    options = parser.parse_args()

    whole = (
        BRIEF if options.brief else BEHIND if options.smmu else FULL if options.full else SHORT
    )
    matrix = commandline.chosen(whole, options, lambda each: each[0].title)
    boot.fresh(options.logs)

    return conclude(run_all(options, matrix), options.results)


if __name__ == "__main__":
    sys.exit(main())
