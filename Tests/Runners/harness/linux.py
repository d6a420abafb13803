# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an unmodified Debian kernel on the harness, with the tests of `make test-linux` but for those of EL2's counts.

The harness hands no RAM disk on: the loader puts one in memory, and the kernel's boot arguments say where.
"""

import os
import pathlib
import tempfile

from Runners import qemu
from Runners.board import judge
from Runners.linux import boot, machine

# Behind what the harness and the kernel take (board.h).
RAMDISK_ADDRESS = 0x4C000000
SECONDS = 180
LEAST_TESTS = 35
MACHINE = machine.Machine(cpus=2)
TITLE = f"form=linux {MACHINE.title}"


def arguments(board, images, disks, harness, kernel_address, words):
    """QEMU's arguments: those of the board through Portcullis, but for what is started and where it is put."""
    size = os.path.getsize(images.ramdisk)
    words = machine.kernel_words(f"initrd={RAMDISK_ADDRESS:#x},{size} {words}")
    loaded = qemu.loader(images.kernel, kernel_address) + qemu.loader(images.ramdisk, RAMDISK_ADDRESS)
    return machine.arguments(board, images, disks, harness, start=[*qemu.started(harness, words), *loaded])


def attempt(harness, kernel_address, options, say):
    """Boots the kernel and judges what its guest reports."""
    say(f"# {TITLE}")
    words = f"TESTS=brief CPUS={MACHINE.cpus} EL2=0 KEXEC=0"
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        images = machine.Images(options.linux, MACHINE.kernel, options.tools, directory)
        disks = machine.make_disks(directory)
        command = [options.qemu, *arguments(MACHINE, images, disks, harness, kernel_address, words)]
        booted = boot.Boot(command, SECONDS, boot.report_to(say))
    # One boot, and the one behind a reset.
    booted.judge(LEAST_TESTS, 2)
    summary = judge.summary(TITLE, f"{booted.passed} passed", booted.problems)
    return judge.Outcome(booted.passed, len(booted.problems), booted.problems, summary)
