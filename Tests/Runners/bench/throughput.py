# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the throughput of virtio's DMA through Portcullis, with the mirror and without.

The same kernel reads and writes the same disk on two boards, which differ in the SMMUv3 alone that EL2 owns on
one of them. The boards take turns, since how fast either is hangs on what else the machine does; what is
compared is the median of each. Under an emulator this is what an SMMU's translation costs the emulator: real
hardware has it in a cache.
"""

import pathlib
import re
import statistics
import sys
import tempfile

from Runners import commandline, qemu
from Runners.linux import boot, machine

SECONDS = 300
TURNS = 3
REPEATS = 5
FIGURE = re.compile(r"# throughput (read|write) (\d+) (\d+)")
KINDS = ("read", "write")


def rates(lines):
    """MiB a second of each kind, by what a guest has printed. Raises ValueError where a time is none."""
    found = {kind: [] for kind in KINDS}
    for match in filter(None, map(FIGURE.fullmatch, lines)):
        if not int(match[3]):
            raise ValueError(f"no time to speak of: {match[0]!r}")
        found[match[1]].append(int(match[2]) / (1 << 20) / (int(match[3]) / 100))
    return found


def measure(options, each):
    """One boot of a machine: rates by kind, and what was wrong."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        images = machine.Images(options.fetched, each.kernel, options.tools, directory)
        words = f"quiet TESTS=throughput CPUS={each.cpus} EL2=1 REPEATS={REPEATS}"
        command = machine.arguments(each, images, qemu.NULL_DISKS, options.image, words)
        run = boot.Boot([options.qemu, *command], SECONDS, echo=lambda line: None)
    run.judge(2 * REPEATS, 1)
    return rates(run.lines), run.problems


def main():
    options = commandline.parser(__doc__, *commandline.LINUX, "image").parse_args()

    problems = []
    for kernel in machine.KERNELS:
        plain = machine.Machine(kernel, 3, 2)
        mirrored = machine.Machine(kernel, 3, 2, smmu=machine.OWNED)
        found = {each: {kind: [] for kind in KINDS} for each in (plain, mirrored)}
        for _ in range(TURNS):
            for each in (plain, mirrored):
                more, wrong = measure(options, each)
                problems += [f"{each.title}: {problem}" for problem in wrong]
                for kind in KINDS:
                    found[each][kind] += more[kind]
        for kind in KINDS:
            values = [found[each][kind] for each in (plain, mirrored)]
            if not all(values):
                continue
            medians = [statistics.median(each) for each in values]
            spreads = [f"{min(each):.0f} to {max(each):.0f}" for each in values]
            print(
                f"linux-{kernel} virtio-blk {kind}: {medians[0]:.0f} MiB/s without a mirror ({spreads[0]}), "
                f"{medians[1]:.0f} MiB/s with it ({spreads[1]}): {100 * (medians[1] / medians[0] - 1):+.0f} %",
                flush=True,
            )
    return commandline.told(problems, "throughput")


if __name__ == "__main__":
    sys.exit(main())
