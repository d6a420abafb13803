# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""QEMU's `virt` board as the tests use it."""

import os
import re
import subprocess

from Runners import pace

# Debian's U-Boot for this board, and where the image is put for it: away from what it keeps itself, the
# tree at the start of RAM and its own copy at the end.
U_BOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
U_BOOT_ADDRESS = 0x48200000
# Where the image lies when no loader puts it anywhere.
IMAGE_ADDRESS = 0x40200000
# Where the example of an embedder expects its host (Tests/Harness/board.h), and the host's word for such a hypervisor.
HARNESS_HOST_ADDRESS = 0x40200000
EMBEDDED = "testhost.embedded"
# What U-Boot prints before it starts by itself, and when it wants a command.
U_BOOT_STOP = b"stop autoboot:"
U_BOOT_PROMPT = b"=> "
# What is typed at U-Boot, each at its prompt.
U_BOOT_DIALOGUE = (
    (U_BOOT_STOP, b"\n"),
    (U_BOOT_PROMPT, b"booti %x - ${fdtcontroladdr}\n" % U_BOOT_ADDRESS),
)
# A clock that counts instructions, and leaps over the time in which no CPU has any.
ICOUNT = ("-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm")
# From this version on the SMMUv3 has a stage 2 that does what it should.
STAGE_2 = (9, 1)
# Where the educational devices are on the bus: a StreamID is eight times as much. They do DMA to any address.
EDU_SLOTS = (2, 5)
EDU = [
    argument
    for slot in EDU_SLOTS
    for argument in ("-device", f"edu,dma_mask=0xffffffffffffffff,addr={slot:#x}")
]


def version(qemu):
    """The version of `qemu` as numbers; none where it does not say."""
    told = subprocess.run([qemu, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    match = re.search(r"version (\d+)\.(\d+)(?:\.(\d+))?", told)
    return tuple(int(number) for number in match.groups() if number) if match else ()


def lack(qemu):
    """Why `qemu` can't have EL2 own an SMMU; None where it can."""
    found = version(qemu)
    if found >= STAGE_2:
        return None
    return f"the SMMUv3 of QEMU {'.'.join(map(str, found)) or '?'} has no stage 2 (9.1 has)"


def paced(words):
    """A host's boot arguments, with the word by which the built-in one waits longer on a slow machine."""
    times = next((power for power in (1, 2, 4) if power >= pace.times()), 8)
    slow = [f"testhost.pace={times}"] if times > 1 else []
    return " ".join([*([words] if words else []), *slow]) or None


def arguments(
    image, gic=3, cpus=1, memory="1G", bootargs=None, module=None, u_boot=False, smmu=False,
    machine="", is_bare=False,
):
    """QEMU's arguments for a board that starts `image` at EL2 with `bootargs`.

    `module` is a payload for EL1, the address at which the multiboot binding hands it over, and its
    own boot arguments. With `u_boot` the image only lies in memory, and U-Boot is started, which wants
    `U_BOOT_DIALOGUE`. With `smmu` all of PCI is behind an SMMUv3. `machine` is more of what the board is; where
    it `is_bare`, the image is not loaded as a kernel but started as the CPU comes out of reset.
    """
    loaded = f"loader,file={os.fspath(image)},addr={U_BOOT_ADDRESS:#x},force-raw=on"
    start = ["-bios", U_BOOT, "-device", loaded] if u_boot else ["-kernel", os.fspath(image)]
    if is_bare:
        start = ["-device", f"loader,file={os.fspath(image)},addr={IMAGE_ADDRESS:#x},cpu-num=0,force-raw=on"]
    bootargs = paced(bootargs) if not is_bare else None
    optional = ["-append", bootargs] if bootargs and not u_boot else []
    if module:
        payload, address, words = module
        words = paced(words)
        optional += ["-device", f"guest-loader,addr={address:#x},kernel={payload},bootargs={words}"]
    return [
        "-M",
        f"virt,virtualization=on,gic-version={gic},dtb-randomness=off{',iommu=smmuv3' if smmu else ''}"
        + (f",{machine}" if machine else ""),
        "-cpu", "cortex-a76",
        "-smp", str(cpus),
        "-m", memory,
        "-nographic",
        "-nic", "none",
        "-semihosting-config", "enable=on,target=native",
        *start,
        *optional,
    ]  # fmt: skip


def beside_harness(host):
    """QEMU's further arguments for the example of an embedder: its host."""
    return ["-device", f"loader,file={os.fspath(host)},addr={HARNESS_HOST_ADDRESS:#x},force-raw=on"]


def lines(command, seconds, dialogue=()):
    """Runs `command` for at most `seconds` at the machine's pace; yields its output line by line, then its exit
    status.

    `dialogue` is what is typed: pairs of the output that is waited for and the input that follows it.
    The lines are `str`, the status is the last item and an `int`: 124 when the time was up.
    """
    limited = ["timeout", "--kill-after=5", str(pace.limit(seconds)), *command]
    awaited = list(dialogue)
    typed = subprocess.PIPE if awaited else subprocess.DEVNULL
    with subprocess.Popen(
        limited, stdin=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    ) as process:
        try:
            rest = b""
            while chunk := process.stdout.read(4096):
                rest += chunk
                # A prompt has no line end: it is looked for in what has not been a line yet.
                while awaited and awaited[0][0] in rest:
                    prompt, reply = awaited.pop(0)
                    before, _, rest = rest.partition(prompt)
                    yield from (text(line) for line in before.split(b"\n")[:-1])
                    process.stdin.write(reply)
                *whole, rest = rest.split(b"\n")
                yield from (text(line) for line in whole)
            if rest:
                yield text(rest)
            status = process.wait()
        finally:
            # Who reads no further than a line of a board that stays on ends it.
            if process.poll() is None:
                process.terminate()
    yield status


def text(line):
    """A line of output."""
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n")
