# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots by UEFI a Linux whose kernel turns hostile, and tells what became of each attack.

The attacks are those of `Runners.linux.hostile` that do not ruin the machine. The control is the same boot without
Portcullis: there each must reach memory that its maker has set apart in the place of EL2's.
"""

import sys

from Runners import commandline, qemu
from Runners.efi import machine
from Runners.linux import boot, hostile, verdict

BOARDS = [machine.Machine("6.1", 3, hostile.CPUS, acpi=acpi) for acpi in (True, False)]


class Trial(hostile.Trial):
    """One machine, booted by UEFI in one way."""

    def _command(self, directory, words, el2_words):
        fetched, el2 = self._options.fetched, self._way.image
        return machine.arguments(self._board, self._images, directory, fetched, el2, words), qemu.uefi_dialogue()

    _only = staticmethod(machine.without_firmware)


def ways(tried, image):
    """Both ways to boot a machine. A CPU that firmware has started anywhere does not come back without Portcullis."""
    control = [attack for attack in tried if not attack.name.startswith("hotplug/")]
    yield hostile.Way("without", None, tuple(control), lambda attack: attack.without)
    yield hostile.Way("with", image, tuple(tried))


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "image", "--only", "--logs", "--results")
    options = parser.parse_args()
    boards = commandline.chosen(BOARDS, options)
    boot.fresh(options.logs)
    table = verdict.parse(hostile.TABLE.read_text("utf-8"))
    tried = [attack for attack in table if not attack.ruins]
    trials = hostile.run_all(options, table, boards, list(ways(tried, options.image)), Trial)
    return hostile.conclude(trials, tried, options.results)


if __name__ == "__main__":
    sys.exit(main())
