# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots unmodified Linux kernels by UEFI, bare and through Portcullis, and runs their tests.

The board has Debian's EDK2, and a USB stick with `portcullis.efi`, the kernel as an EFI application and its RAM
disk. UEFI's shell, GRUB or systemd-boot starts the first, where it is wanted, and then the kernel. The logs of both
boots are compared as those of `Runners.linux.run` are.
"""

import re
import sys

from Runners import commandline
from Runners.efi import machine
from Runners.linux import boot, run
from Runners.linux.machine import NESTED, OWNED

Board = machine.Machine
BRIEF = [
    (Board("6.1", 3, 1), "brief"),
    (Board("6.12", 4, 4, acpi=False, psci=True), "boot"),
]
SHORT = [
    (Board("6.1", 3, 1), "short"),
    (Board("6.12", 4, 4), "short"),
    (Board("6.12", 3, 4, acpi=False), "short"),
    (Board("6.1", 4, 1, acpi=False), "short"),
    (Board("6.1", 3, 4, psci=True), "short"),
    (Board("6.12", 3, 2, loader=machine.GRUB), "short"),
    (Board("6.1", 4, 4, acpi=False, loader=machine.GRUB), "boot"),
    (Board("6.12", 3, 2, loader=machine.SYSTEMD_BOOT), "boot"),
]
# On a QEMU whose SMMUv3 has stage 2.
BEHIND = [
    (Board("6.12", 3, 4, smmu=OWNED), "short"),
    (Board("6.1", 4, 1, smmu=NESTED), "short"),
    (Board("6.1", 3, 1, acpi=False, smmu=OWNED), "short"),
]

STARTED = re.compile(r"CPU: All CPU\(s\) started at (EL\d)")


def exception_levels(log):
    """At which exception levels a boot's log says that all CPUs were started."""
    return [match[1] for entry in log if (match := STARTED.fullmatch(entry.text))]


class Trial(run.Trial):
    """One machine, booted by UEFI bare and through Portcullis."""

    def run(self):
        """Boots it until what is wrong with it is known; bare alone, where that is asked for."""
        if self._options.bare:
            self.passed = self._yardstick().passed
        else:
            super().run()

    def _command(self, directory, el2, words, ramdisk):
        fetched = self._options.fetched
        arguments = machine.arguments(self._each, self._images, directory, fetched, el2, words, ramdisk)
        return arguments, machine.dialogue(self._each, el2)

    _only = staticmethod(machine.without_firmware)

    def _judge(self, this, through):
        lines = list(machine.plain(this.lines))
        # By itself, and by a reset; kexec does not end it.
        due = (1 if self._is_plain else 2) if through else 0
        for pattern in (machine.PLACE, machine.CLAIMED):
            if (times := sum(bool(pattern.fullmatch(line)) for line in lines)) != due:
                yield f"{times} lines match {pattern.pattern!r}, where {due} are due"
        # The control: without Portcullis whoever the board starts at EL2 is there.
        level = "EL2" if self._each.gic == 4 and not through else "EL1"
        for number, log in enumerate(this.logs, 1):
            if exception_levels(log) != [level]:
                yield f"log {number}: CPUs started at {exception_levels(log)}, where {level} is due"


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "image", "--smmu-qemu", "--only", "--logs", "--results")
    parser.add_argument("--brief", action="store_true", help="two machines")
    parser.add_argument("--bare", action="store_true", help="the control alone: without Portcullis")
    options = parser.parse_args()
    matrix = commandline.chosen(BRIEF if options.brief else [*SHORT, *BEHIND], options, lambda each: each[0].title)
    boot.fresh(options.logs)
    return run.conclude(run.run_all(options, matrix, Trial, machine.MODULES), options.results)


if __name__ == "__main__":
    sys.exit(main())
