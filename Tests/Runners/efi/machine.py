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
# The boot loaders beside UEFI's shell: Debian's for arm64, where their packages are unpacked. Where a stick has one,
# and GRUB's script.
GRUB = "grub"
SYSTEMD_BOOT = "systemd-boot"
LOADERS = {
    GRUB: "grub/usr/lib/grub/arm64-efi/monolithic/grubaa64.efi",
    SYSTEMD_BOOT: "systemd-boot/usr/lib/systemd/boot/efi/systemd-bootaa64.efi",
}
BOOT_LOADER = "EFI/BOOT/BOOTAA64.EFI"
GRUB_SCRIPT = "EFI/debian/grub.cfg"
# What a guest needs beside what every guest has: access to the variables of UEFI.
MODULES = ("efivarfs",)


@dataclasses.dataclass(frozen=True)
class Machine(machine.Machine):
    """One board that UEFI starts, and the Linux that runs on it."""

    # Whether the board is described by ACPI, and not by a device tree.
    acpi: bool = True
    # Which boot loader starts Portcullis and Linux; none where UEFI's shell does.
    loader: str = ""
    # Whether Linux resets the board and switches it off by PSCI, and not by runtime services.
    psci: bool = False

    @property
    def title(self):
        """What tells this machine from the others."""
        words = [super().title, "efi", "acpi" if self.acpi else "tree", self.loader, "psci" * self.psci]
        return " ".join(filter(None, words))

    @property
    def column(self):
        """What heads a column of a table."""
        return f"{super().column} {'acpi' if self.acpi else 'tree'}"

    @property
    def options(self):
        """More of what the board is."""
        parts = [super().options, "" if self.acpi else "acpi=off"]
        return ",".join(filter(None, parts))

    @property
    def words(self):
        """What this board's kernel is told beside all others."""
        return f"{super().words} EFI=1 {'efi=noruntime RUNTIME=0' if self.psci else ''}".strip()


def linux_words(each, words):
    """The kernel's boot arguments, with those of the board."""
    return machine.kernel_words(f"{each.words} {words}".strip())


def application_command(each, words=""):
    """What the shell is told to start Portcullis."""
    smmu = f"portcullis.smmu={each.smmu}" if each.smmu else ""
    return " ".join(filter(None, [APPLICATION, smmu, words]))


def start(directory, files):
    """What starts a board whose stick has these files; the store of variables is new."""
    variables = directory / "variables"
    shutil.copyfile(qemu.UEFI_VARIABLES, variables)
    return qemu.uefi(variables, stick.write(directory / "stick", files))


def shell_script(commands, words):
    """How UEFI's shell starts Linux; `commands` start Portcullis, where it is wanted."""
    return {"startup.nsh": stick.script(*commands, f"{KERNEL} initrd={RAMDISK} {words}")}


def grub_script(commands, words):
    """How GRUB does the same; Linux is started where Portcullis is."""
    lines = [f"linux /{KERNEL} {words}", f"initrd /{RAMDISK}", "boot"]
    for command in commands:
        load = [f"search --file /{APPLICATION} --set=stick", f"chainloader ($stick)/{command}"]
        lines = [*load, "if boot; then", *lines, "fi"]
    return {GRUB_SCRIPT: _text(*lines)}


def systemd_boot_entries(commands, words):
    """How systemd-boot offers both; it starts the first by itself, and shows its menu again behind Portcullis."""
    entries = {"linux": _text("title Linux", f"linux /{KERNEL}", f"initrd /{RAMDISK}", f"options {words}")}
    first = "linux"
    for command in commands:
        name, _, options = command.partition(" ")
        first = "portcullis"
        entries[first] = _text("title Portcullis", f"efi /{name}", f"options {options}")
    files = {f"loader/entries/{name}.conf": entry for name, entry in entries.items()}
    return files | {"loader/loader.conf": _text(f"default {first}.conf", "timeout 1")}


def _text(*lines):
    return "".join(f"{line}\n" for line in lines).encode()


SCRIPTS = {"": shell_script, GRUB: grub_script, SYSTEMD_BOOT: systemd_boot_entries}


def dialogue(each, el2, starts=2):
    """What is typed at a board that starts so often: in systemd-boot's menu the second line is chosen, when it comes back."""
    if each.loader == SYSTEMD_BOOT and el2:
        end = b"Reboot Into"
        return ((end, b""), (end, b"\x1b[B"), (b" Linux ", b"\r")) * starts
    return qemu.uefi_dialogue(starts)


def arguments(each, images, directory, fetched, el2=None, words="", ramdisk=None):
    """QEMU's arguments, as those of `Runners.linux.machine`, for a board that UEFI starts; boot loaders are below `fetched`."""
    files = {KERNEL: images.kernel, RAMDISK: ramdisk or images.ramdisk}
    commands = [application_command(each)] if el2 else []
    if el2:
        files[APPLICATION] = el2
    if each.loader:
        files[BOOT_LOADER] = fetched / LOADERS[each.loader]
    files |= SCRIPTS[each.loader](commands, linux_words(each, words))
    disks = machine.make_disks(directory)
    return machine.arguments(each, images, disks, el2, start=start(directory, files))


# What Portcullis says of where it lies, and of what it has taken.
PLACE = re.compile(r"portcullis: Portcullis at EL2, image at (0x[0-9a-f]+) size (0x[0-9a-f]+)")
CLAIMED = re.compile(r"portcullis: ITS at 0x8080000 claimed, .*")

# How UEFI moves the cursor and colours its text.
MOVE = re.compile(r"\r|\x1b\[[0-9]+;[0-9]+H")
ESCAPE = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]")
BEGIN = "UEFI firmware (version"
END = "EFI stub: Exiting boot services"


def plain(lines):
    """The lines without what only a terminal takes."""
    for line in lines:
        yield ESCAPE.sub("", MOVE.split(line)[-1])


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
