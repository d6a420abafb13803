# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots unmodified Linux kernels on several boards, bare and through Portcullis, and runs its tests.

Both must pass all tests, and their kernels' logs may differ in what is listed alone, or in what bare boots of
the machine differ in among themselves. What a board cannot do without Portcullis it need not do with it, but then
the run says so: nothing that was not run counts as passed.
"""

import pathlib
import shutil
import sys
import tempfile
import time

import boot
import commandline
import counts
import logs
import machine

# How long a machine may take, in seconds; one that hangs is not waited for longer.
SECONDS = {"boot": 180, "short": 600, "full": 3600}
# The least number of tests of a machine, by what is run: a report that is shorter lies.
LEAST = {"boot": 1, "short": 30, "full": 30}
# How the names of those tests begin that only a boot through Portcullis has.
OF_EL2 = "EL2: "
DIFFERENCES = pathlib.Path(__file__).parent / "differences.txt"

# At most so many, where the logs differ in what is not listed.
BARE_BOOTS = 3

Board = machine.Machine
# (board, what is run)
SHORT = [
    (Board("6.1", 3, 2), "short"),
    (Board("6.12", 4, 4), "short"),
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
]


def compare(bares, through, differences):
    """What the tests and the logs of a run differ in, from bare ones, though they may not."""
    names = [point.name for point in bares[0].reader.points]
    if names != [p.name for p in through.reader.points if not p.name.startswith(OF_EL2)]:
        yield "the tests of the two boots are not the same"
    for number, (log, *lefts) in enumerate(zip(through.logs, *(bare.logs for bare in bares)), 1):
        for text in differences.between(lefts, log):
            yield f"log {number}, {text}"


class Trial:
    """One machine, booted bare and through Portcullis; what came of it."""

    def __init__(self, options, each, what):
        self._options = options
        self._each = each
        self._what = what
        # By itself, by kexec, by a reset.
        self._boots = 1 if what == "boot" else 2 + each.can_kexec
        self.passed = 0
        self.problems = []
        self.summary = []
        if what != "boot" and not each.can_kexec:
            self.summary.append(f"{each.title}: no kexec, which this kernel fails bare too")

    def run(self):
        """Boots it until what is wrong with it is known."""
        bares = [self._boot("bare")]
        through = self._boot("portcullis")
        # The tests are those of the boot through Portcullis; the bare one is what they are held against.
        self.passed = through.passed
        allowed = logs.Differences.read(DIFFERENCES, self._each.title)
        while found := list(compare(bares, through, allowed)):
            if self.problems or len(bares) == BARE_BOOTS:
                break
            self.summary += [f"  seen with one bare boot: {text}" for text in found]
            bares.append(self._boot(f"bare, {len(bares) + 1}"))
        self.problems += found
        self.summary += [f"  {problem}" for problem in self.problems]

    def _boot(self, name):
        options, each, what = self._options, self._each, self._what
        el2 = options.image if name == "portcullis" else None
        print(f"# {each.title} {what} {name}", flush=True)
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary)
            images = machine.Images(options.fetched, each.kernel, options.toolchain, directory)
            words = f"TESTS={what} CPUS={each.cpus} EL2={int(bool(el2))} KEXEC={int(each.can_kexec)}"
            disks = machine.make_disks(directory)
            ramdisk = images.ramdisk if what == "boot" else images.ramdisk_with_kernel
            command = machine.arguments(each, images, disks, el2, words, ramdisk=ramdisk)
            start = time.monotonic()
            typed = machine.dialogue(each, images, words, ramdisk) if el2 else ()
            run = boot.Boot([options.qemu, *command], SECONDS[what], dialogue=typed)
            run.judge(LEAST[what], self._boots)
            seconds = time.monotonic() - start
        if options.logs:
            file = options.logs / f"{each.title} {name}.log".replace(",", "").replace(" ", "_")
            file.write_text("".join(f"{line}\n" for line in run.lines), "utf-8")
        self.problems += [f"{name}: {problem}" for problem in run.problems]
        self.summary.append(f"{each.title} {name}: {run.passed} passed in {seconds:.0f} s")
        return run


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("image", type=pathlib.Path, help="the EL2 image")
    commandline.add_matrix(parser, "the whole matrix")
    parser.add_argument("--logs", type=pathlib.Path, help="where to leave what was printed")
    counts.add_option(parser)
    options = parser.parse_args()

    matrix = [each for each in (FULL if options.full else SHORT) if options.only in each[0].title]
    if not matrix:
        print(f"no machine is named {options.only!r}", file=sys.stderr)
        return 1
    if options.logs:
        shutil.rmtree(options.logs, ignore_errors=True)
        options.logs.mkdir(parents=True)

    trials = [Trial(options, *each) for each in matrix]
    for each in trials:
        each.run()
    print("#")
    for line in (line for each in trials for line in each.summary):
        print(f"# {line}")
    failed = sum(len(each.problems) for each in trials)
    counts.write(options.results, sum(each.passed for each in trials), failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
