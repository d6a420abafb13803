# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The machines of QEMU whose boards the tests use, by ACPI tables and by device tree."""

import dataclasses

from Runners import qemu


@dataclasses.dataclass(frozen=True)
class Machine:
    """One machine."""

    title: str
    options: tuple
    # Whether it takes the QEMU with stage 2 of SMMUs.
    newer: bool = False
    # Why its tables do not describe it.
    fault: str = ""

    def command(self, options):
        """The command that starts it; `options` has the two QEMUs."""
        return [options.smmu_qemu or options.qemu if self.newer else options.qemu, *self.options]


def _machine(gic, cpus, title="", newer=False, more=(), fault="", **board):
    name = f"gic-version={gic} smp={cpus}{title and ' ' + title}{' newer' if newer else ''}"
    return Machine(name, (*qemu.virt(gic, cpus, **board), *more), newer, fault)


def all_machines():
    """Both GICs and QEMUs, counts of CPUs, with and without an SMMU; nodes of memory; devices of Linux."""
    for newer in (False, True):
        for gic in (3, 4):
            for cpus in (1, 2, 4):
                yield _machine(gic, cpus, newer=newer)
                yield _machine(gic, cpus, "smmu", newer, smmu=True)
    for processor in ("neoverse-n1", "max"):
        yield _machine(3, 2, processor, processor=processor)
    yield _machine(3, 2, "nodes", more=qemu.nodes(512, 512))
    yield _machine(3, 1, "its=off", fault="QEMU's MADT has an ITS that the board has not", machine="its=off")
    yield _machine(2, 1, "v2")
    # Redistributors in two regions.
    yield _machine(3, 130, "two-regions", memory="2G")
    yield _machine(3, 2, "has-el2=no", has_el2=False)
