# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots unmodified Linux kernels on several boards, bare and through Portcullis, and runs its tests.

Both must pass all tests, and their kernels' logs may differ in what is listed alone. What a board cannot
do without Portcullis it need not do with it, but then the run says so: nothing that was not run
counts as passed.
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

Machine = machine.Machine
# (machine, what is run)
SHORT = [
    (Machine("6.1", 3, 2), "short"),
    (Machine("6.12", 4, 4), "short"),
    (Machine("6.1", 4, 1, "neoverse-n1"), "short"),
    (Machine("6.12", 3, 2, "max"), "boot"),
    (Machine("6.1", 3, 2, u_boot=True), "boot"),
]
FULL = [
    *(
        (Machine(kernel, gic, cpus), "full")
        for kernel in machine.KERNELS
        for gic in machine.GIC_VERSIONS
        for cpus in (1, 2, 4)
    ),
    *(
        (Machine(kernel, gic, 2, processor), "short")
        for processor in machine.PROCESSORS[1:]
        for kernel in machine.KERNELS
        for gic in machine.GIC_VERSIONS
    ),
]


def compare(bare, through, differences):
    """What the tests and the logs of two runs differ in though they may not."""
    names = [point.name for point in bare.reader.points]
    if names != [p.name for p in through.reader.points if not p.name.startswith(OF_EL2)]:
        yield "the tests of the two boots are not the same"
    for number, (left, right) in enumerate(zip(bare.logs, through.logs), 1):
        for text in differences.between(left, right):
            yield f"log {number}, {text}"


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

    passed = failed = 0
    summary = []
    for each, what in matrix:
        runs = []
        problems = []
        # By itself, by kexec, by a reset.
        boots = 1 if what == "boot" else 2 + each.can_kexec
        if what != "boot" and not each.can_kexec:
            summary.append(f"{each.title}: no kexec, which this kernel fails bare too")
        for name, el2 in (("bare", None), ("portcullis", options.image)):
            print(f"# {each.title} {what} {name}", flush=True)
            with tempfile.TemporaryDirectory() as temporary:
                directory = pathlib.Path(temporary)
                images = machine.Images(
                    options.fetched, each.kernel, options.toolchain, directory
                )
                words = (
                    f"TESTS={what} CPUS={each.cpus} EL2={int(bool(el2))} KEXEC={int(each.can_kexec)}"
                )
                disks = machine.make_disks(directory)
                ramdisk = images.ramdisk if what == "boot" else images.ramdisk_with_kernel
                command = machine.arguments(each, images, disks, el2, words, ramdisk=ramdisk)
                start = time.monotonic()
                typed = machine.dialogue(each, images, words, ramdisk) if el2 else ()
                run = boot.Boot([options.qemu, *command], SECONDS[what], dialogue=typed)
                run.judge(LEAST[what], boots)
                seconds = time.monotonic() - start
            if options.logs:
                file = options.logs / f"{each.title.replace(' ', '_')}-{name}.log"
                file.write_text("".join(f"{line}\n" for line in run.lines), "utf-8")
            problems += [f"{name}: {problem}" for problem in run.problems]
            runs.append(run)
            summary.append(f"{each.title} {name}: {run.passed} passed in {seconds:.0f} s")
        problems += compare(*runs, logs.Differences.read(DIFFERENCES, each.title))
        # The tests are those of the boot through Portcullis; the bare one is what they are held against.
        passed += runs[1].passed
        failed += len(problems)
        summary += [f"  {problem}" for problem in problems]

    print("#")
    for line in summary:
        print(f"# {line}")
    counts.write(options.results, passed, failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
