# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""QEMU's `virt` board as the tests use it."""

import os
import subprocess


def arguments(image, gic=3, cpus=1, memory="1G", bootargs=None, module=None):
    """QEMU's arguments for a board that starts `image` at EL2 with `bootargs`.

    `module` is a payload for EL1, the address at which the multiboot binding hands it over, and its
    own boot arguments.
    """
    optional = ["-append", bootargs] if bootargs else []
    if module:
        payload, address, words = module
        optional += ["-device", f"guest-loader,addr={address:#x},kernel={payload},bootargs={words}"]
    return [
        "-M", f"virt,virtualization=on,gic-version={gic},dtb-randomness=off",
        "-cpu", "cortex-a76",
        "-smp", str(cpus),
        "-m", memory,
        "-nographic",
        "-nic", "none",
        "-semihosting-config", "enable=on,target=native",
        "-kernel", os.fspath(image),
        *optional,
    ]  # fmt: skip


def lines(command, seconds):
    """Runs `command` for at most `seconds`; yields its output line by line, then its exit status.

    The lines are `str`, the status is the last item and an `int`: 124 when the time was up.
    """
    limited = ["timeout", "--kill-after=5", str(seconds), *command]
    with subprocess.Popen(
        limited, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout:
            yield line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        status = process.wait()
    yield status
