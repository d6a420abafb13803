# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The options that the runners have in common."""

import argparse
import pathlib

from Runners.linux import machine


def parser(documentation):
    """A parser with what every runner needs to boot a machine; what is described is the first line."""
    made = argparse.ArgumentParser(description=documentation.splitlines()[0])
    made.add_argument("fetched", type=pathlib.Path, help="where Tests/Setup/linux.sh has put its packages")
    made.add_argument(
        "--toolchain", type=pathlib.Path, required=True, help="where clang and its companions are"
    )
    made.add_argument("--qemu", default="qemu-system-aarch64")
    return made


def add_matrix(to, full):
    """Adds what chooses among a runner's machines; `full` says what the full form is."""
    to.add_argument("--full", action="store_true", help=full)
    to.add_argument("--only", metavar="TEXT", default="", help="machines whose title has TEXT")


def add_machine(to, cpus):
    """Adds what describes one machine, which has so many CPUs by default."""
    to.add_argument("--kernel", choices=(*machine.KERNELS, machine.NEWEST), default=machine.KERNELS[0])
    to.add_argument("--gic", type=int, choices=machine.GIC_VERSIONS, default=machine.GIC_VERSIONS[0])
    to.add_argument("--cpus", type=int, default=cpus)
    to.add_argument("--processor", default=machine.PROCESSORS[0])


def chosen_machine(options):
    """The machine that the options describe."""
    return machine.Machine(options.kernel, options.gic, options.cpus, options.processor)
