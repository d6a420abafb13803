# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""QEMU's `virt` board with UEFI, and what a USB stick has for it."""

import dataclasses
import re
import shutil

from Runners import qemu
from Runners.efi import stick
from Runners.linux import machine

# The files of a stick.
APPLICATION = "portcullis.efi"
KERNEL = "linux.efi"
RAMDISK = "initrd"
# What a guest needs beside what every guest has: access to the variables of UEFI.
MODULES = ("efivarfs",)


@dataclasses.dataclass(frozen=True)
class Machine(machine.Machine):
    """One board that UEFI starts, and the Linux that runs on it."""

    # Whether the board is described by ACPI, and not by a device tree.
    acpi: bool = True
    # Whether Linux resets the board and switches it off by PSCI, and not by runtime services.
    psci: bool = False

    @property
    def title(self):
        """What tells this machine from the others."""
        return f"{super().title} efi {'acpi' if self.acpi else 'tree'}{' psci' if self.psci else ''}"

    @property
    def options(self):
        """More of what the board is."""
        parts = [super().options, "" if self.acpi else "acpi=off"]
        return ",".join(filter(None, parts))

    @property
    def words(self):
        """What this board's kernel is told beside all others."""
        return f"{super().words} EFI=1 {'efi=noruntime RUNTIME=0' if self.psci else ''}".strip()


def linux_command(each, words):
    """What the shell is told to start Linux; `words` are the kernel's boot arguments."""
    words = machine.kernel_words(f"{each.words} {words}".strip())
    return f"{KERNEL} initrd={RAMDISK} {words}"


def application_command(each, words=""):
    """What the shell is told to start Portcullis."""
    smmu = f"portcullis.smmu={each.smmu}" if each.smmu else ""
    return " ".join(filter(None, [APPLICATION, smmu, words]))


def start(directory, files):
    """What starts a board whose stick has these files; the store of variables is new."""
    variables = directory / "variables"
    shutil.copyfile(qemu.UEFI_VARIABLES, variables)
    return qemu.uefi(variables, stick.write(directory / "stick", files))


def files(images, ramdisk, commands, el2=None):
    """What a stick has for a Linux, which a script starts."""
    found = {KERNEL: images.kernel, RAMDISK: ramdisk, "startup.nsh": stick.script(*commands)}
    return {**found, APPLICATION: el2} if el2 else found


def arguments(each, images, directory, el2=None, words="", el2_words="", ramdisk=None):
    """QEMU's arguments, as those of `Runners.linux.machine`, for a board that UEFI starts."""
    commands = [application_command(each, el2_words)] if el2 else []
    commands.append(linux_command(each, words))
    stick_files = files(images, ramdisk or images.ramdisk, commands, el2)
    disks = machine.make_disks(directory)
    return machine.arguments(each, images, disks, el2, start=start(directory, stick_files))


# How UEFI moves the cursor and colours its text.
ESCAPE = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]")
BEGIN = "UEFI firmware (version"
END = "EFI stub: Exiting boot services"


def plain(lines):
    """The lines without what only a terminal takes."""
    for line in lines:
        yield ESCAPE.sub("", line).rpartition("\r")[2]


def without_firmware(lines):
    """The lines without those of UEFI and its shell; what Portcullis says there stays."""
    is_firmware = False
    for line in plain(lines):
        if line.startswith(BEGIN):
            is_firmware = True
        if not is_firmware or line.startswith("portcullis: "):
            yield line
        elif line.startswith(END):
            is_firmware = False
