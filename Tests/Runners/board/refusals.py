# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boards that EL2 does not start the host on, each with the line that says why."""

import re

from Runners import qemu

# Where loaders have put what they load: the kernel, a RAM disk in the memory that the kernel takes behind its file.
KERNEL = 0x49000000
RAM_DISK = 0x49100000
# Where QEMU puts the board's tree.
TREE = 0x48000000


def module_in_tree(text):
    """The source of a tree with the kernel's `reg` where the tree itself lies."""
    return text.replace(f"reg = <0x00 {KERNEL:#x} ", f"reg = <0x00 {TREE + 0x1000:#x} ")


def more_cpus(text):
    """The source of a tree with more CPUs than there are."""
    head, cpus, tail = text.partition("\tcpus {")
    first, brace, rest = tail.partition("\t\tcpu@0 {")
    nodes = "".join(
        f'\t\tcpu@{0x10000 + number:x} {{ device_type = "cpu"; enable-method = "psci"; reg = <{0x10000 + number}>; }};\n'
        for number in reversed(range(512))
    )
    return head + cpus + first + nodes + brace + rest


def boots(boot, image, kernel, ram_disk):
    """The boots, made by `boot`, of `image` with an arm64 `Image` and a RAM disk."""

    def refused(form, line, **more):
        return boot(f"refused-{form}", image, refused=re.compile("portcullis: " + line), **more)

    yield refused("gic-v2", "not started: the board has no GICv3", gic=2)
    allowed = "portcullis.masters=claim"
    yield refused(
        "option",
        f"device tree: /chosen: bootargs: {allowed}e is not known, but {allowed}",
        bootargs=f"portcullis.log=error {allowed}e",
    )
    yield refused("el1", "not started: entered at EL1, not at EL2", machine="virtualization=off")
    yield refused(
        "el3", "not started: entered at EL3, not at EL2", machine="secure=on", is_bare=True, stops=True
    )
    yield refused("cpus", r"device tree: /cpus/cpu@0: 513 of them, more than 512", edit=more_cpus)
    path = f"/chosen/module@{KERNEL:#x}: reg"
    yield refused(
        "misplaced-kernel",
        r"device tree: /chosen/module@0x49001000: reg: 0x49001000 size 0x\w+ "
        "does not begin a text offset of 0x0 above a multiple of 2 MiB",
        more=qemu.module(kernel, KERNEL + 0x1000, "quiet"),
    )
    yield refused(
        "ram-disk-in-kernel",
        # QEMU has the later module first.
        rf"device tree: /chosen/module@{KERNEL:#x}: reg: {KERNEL:#x} size 0x\w+ "
        rf"overlaps {RAM_DISK:#x} size 0x\w+ of /chosen/module@{RAM_DISK:#x}",
        more=qemu.module(kernel, KERNEL, "quiet") + qemu.module(ram_disk, RAM_DISK, kind="initrd"),
    )
    yield refused(
        "kernel-in-tree",
        rf"device tree: {path}: {TREE + 0x1000:#x} size 0x\w+ overlaps the board's device tree {TREE:#x} size 0x\w+",
        more=qemu.module(kernel, KERNEL, "quiet"),
        edit=module_in_tree,
    )
