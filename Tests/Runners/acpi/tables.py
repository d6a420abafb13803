# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the ACPI tables of a QEMU machine to a folder, as Linux shows them in /sys/firmware/acpi/tables.

No instruction of the machine is executed. With --root XSDT and RSDP are written too, which Linux does not show.
With --all the tables of all machines that the tests use are written, each to a folder of its own.
"""

import pathlib
import sys
import tempfile

from Runners import commandline, qemu
from Runners.acpi import fwcfg, linker, machines

# What a machine may take to begin, and to answer.
SECONDS = 20


def memory_of(command):
    """The ACPI tables of the machine that `command` starts, as firmware would have them in memory."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "socket"
        with qemu.standing(command, path, SECONDS) as connection:
            return linker.Memory(fwcfg.Probe(connection).files("etc/"))


def tables_of(command, with_root=False):
    """The same by their names, without RSDP and XSDT unless asked for."""
    memory = memory_of(command)
    found = linker.named(linker.reached(memory))
    if with_root:
        return {**found, "RSDP": memory.root()}
    del found["XSDT"]
    return found


def write(tables, directory):
    """Leaves tables in a folder, each in a file of its name."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        (directory / name).write_bytes(table)


def main():
    parser = commandline.parser(__doc__, "--qemu", "--smmu-qemu")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FOLDER")
    parser.add_argument("--root", action="store_true", help="RSDP and XSDT too")
    parser.add_argument("--all", action="store_true", help="all machines that the tests use")
    parser.epilog = "All other arguments are QEMU's: the machine."
    options, machine = parser.parse_known_args()
    if not options.all:
        write(tables_of([options.qemu, *machine], options.root), options.out)
        return 0
    for each in machines.all_machines():
        write(tables_of(each.command(options), options.root), options.out / each.title.replace(" ", "_"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
