# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""QEMU: what its machines have, how one is started, what is typed at its console and read from it, how it ends.

No other module knows QEMU's options. Here a machine is a list of them, and a command is a QEMU with such a list.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import time

from Runners import pace
from Runners.programs import output

DEFAULT = "qemu-system-aarch64"
# The exit status of a machine whose time was up.
OUT_OF_TIME = 124
# From this version on the SMMUv3 has a stage 2 that does what it should.
STAGE_2 = (9, 1)

# Debian's U-Boot for the board, and where the image is put for it: away from what it keeps itself, the
# tree at the start of RAM and its own copy at the end.
U_BOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
U_BOOT_ADDRESS = 0x48200000
# Debian's EDK2 for the board, and its store of variables, which is empty.
UEFI = "/usr/share/AAVMF/AAVMF_CODE.fd"
UEFI_VARIABLES = "/usr/share/AAVMF/AAVMF_VARS.fd"
# Where the image lies when no loader puts it anywhere.
IMAGE_ADDRESS = 0x40200000
# Where the example of an embedder expects its host (Tests/Harness/board.h), and the host's word for such a hypervisor.
HARNESS_HOST_ADDRESS = 0x40200000
EMBEDDED = "testhost.embedded"

# A clock that counts instructions, and leaps over the time in which no CPU has any.
ICOUNT = ("-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm")
# Where the educational devices are on the bus: a StreamID is eight times as much. They do DMA to any address.
EDU_SLOTS = (2, 5)
EDU = [
    argument
    for slot in EDU_SLOTS
    for argument in ("-device", f"edu,dma_mask=0xffffffffffffffff,addr={slot:#x}")
]
# The host can't say by an exit status what became of its tests, and ends by SYSTEM_OFF, as others do.
NO_SEMIHOSTING = ("-semihosting-config", "enable=off")
# A reset ends the machine.
NO_REBOOT = ("-no-reboot",)
# It stands still at its first instruction, and waits for gdb.
HALTED = ("-S", "-s")
# Disks of `linux_devices` that answer at once, and devices of virtio that do: disks in the guest's own thread, network
# cards after a time of the guest's clock.
NULL_DISKS = ("null-co://,file.read-zeroes=on",) * 2
AT_ONCE = (
    "-global", "virtio-blk-pci.ioeventfd=off",
    "-global", "virtio-net-pci.ioeventfd=off",
    "-global", "virtio-net-pci.tx=timer",
)  # fmt: skip
# What it says of a guest under ICOUNT that waits for nothing but a disk.
IDLE_WARNING = "qemu-system-aarch64: warning: icount sleep disabled and no active timers"


# What machines have.


def loader(file, address, is_first=False):
    """A file in memory; with `is_first` the first CPU starts there."""
    cpu = ",cpu-num=0" if is_first else ""
    return ["-device", f"loader,file={os.fspath(file)},addr={address:#x}{cpu},force-raw=on"]


def module(file, address, words=None, kind="kernel"):
    """A file in memory of which the tree tells as a boot module: a kernel with its boot arguments, or an `initrd`."""
    # A comma of a value is written twice.
    told = f",bootargs={words.replace(',', ',,')}" if words else ""
    return ["-device", f"guest-loader,addr={address:#x},{kind}={file}{told}"]


def started(image, bootargs=None, ramdisk=None):
    """What starts an image as a kernel."""
    optional = ["-initrd", os.fspath(ramdisk)] if ramdisk else []
    return ["-kernel", os.fspath(image), *optional, *(["-append", bootargs] if bootargs else [])]


def firmware(file):
    """What starts firmware."""
    return ["-bios", os.fspath(file)]


def uefi(variables, stick):
    """UEFI with a store of variables that it may write, and a USB stick that it starts from: one without
    EFI/BOOT/BOOTAA64.EFI by the shell."""
    return [
        "-drive", f"if=pflash,format=raw,readonly=on,file={UEFI}", "-drive", f"if=pflash,format=raw,file={variables}",
        # Behind the other devices, which stay where they are without it.
        "-drive", f"if=none,id=stick,format=raw,file={stick}", "-device", "qemu-xhci,addr=0x10",
        "-device", "usb-storage,drive=stick,bootindex=0",
    ]  # fmt: skip


def virt(gic=3, cpus=1, processor="cortex-a76", memory="1G", has_el2=True, smmu=False, machine=""):
    """The board that all tests run on. With `smmu` all of PCI is behind an SMMUv3; `machine` is more of what it is."""
    more = f"{',iommu=smmuv3' if smmu else ''}{machine and ',' + machine}"
    return [
        "-M", f"virt,virtualization={'on' if has_el2 else 'off'},gic-version={gic},dtb-randomness=off{more}",
        "-cpu", processor, "-smp", str(cpus), "-m", memory, "-nographic", "-nic", "none",
    ]  # fmt: skip


def older_smmu(stage):
    """A board whose SMMUv3 has this stage alone."""
    return ["-machine", "virt-9.0", "-global", f"arm-smmuv3.stage={stage}"]


def ram_at_zero(image):
    """A board whose memory begins at address 0, and which has no ITS."""
    return ["-M", "xlnx-versal-virt", "-m", "2G", "-nographic", "-nic", "none", "-nic", "none",
            "-semihosting-config", "enable=on,target=native", *started(image)]  # fmt: skip


def serial_port(slot):
    """A 16550 on PCI that is the console."""
    return [
        "-serial", "null", "-monitor", "none", "-chardev", "stdio,id=console,signal=off",
        "-device", f"pci-serial,chardev=console,addr={slot}",
    ]  # fmt: skip


def nodes(*sizes):
    """Memory in nodes of so many MiB, each with a CPU."""
    found = []
    for number, size in enumerate(sizes):
        found += ["-object", f"memory-backend-ram,id=node{number},size={size}M"]
        found += ["-numa", f"node,memdev=node{number},cpus={number}"]
    return found


def linux_devices(disks, queues, behind_smmu=False):
    """What a Linux drives: two disks, two network cards on one wire, which leads nowhere else, and `edu`."""
    # Devices of virtio do DMA by the addresses that the platform gives, as all others do, only if told so.
    behind = ",iommu_platform=on,disable-legacy=on" if behind_smmu else ""
    return [
        "-drive", f"if=none,id=disk0,format=raw,file={disks[0]}",
        "-device", f"virtio-blk-pci,drive=disk0,serial=virtio,num-queues={queues}{behind}",
        "-drive", f"if=none,id=disk1,format=raw,file={disks[1]}",
        "-device", "nvme,drive=disk1,serial=portcullis",
        "-device", "edu",
        "-netdev", "hubport,id=end0,hubid=0",
        "-device", f"virtio-net-pci,netdev=end0,romfile={behind}",
        "-netdev", "hubport,id=end1,hubid=0",
        "-device", f"virtio-net-pci,netdev=end1,romfile={behind}",
    ]  # fmt: skip


def paced(words):
    """A host's boot arguments, with the word by which the built-in one waits longer on a slow machine."""
    times = next((power for power in (1, 2, 4) if power >= pace.times()), 8)
    slow = [f"testhost.pace={times}"] if times > 1 else []
    return " ".join([*([words] if words else []), *slow]) or None


def board(image, gic=3, cpus=1, bootargs=None, host=None, payload=None, u_boot=False, is_bare=False, **more):
    """A board that starts `image` at EL2 with `bootargs`; `more` is what `virt` takes.

    `host` is that of the example of an embedder, if the image is such. `payload` is one for EL1, the address at which
    the multiboot binding hands it over, and its own boot arguments. With `u_boot` the image only lies in memory, and
    U-Boot is started, which wants `u_boot_dialogue`. Where it `is_bare`, the image is not loaded as a kernel but started
    as the CPU comes out of reset.
    """
    if u_boot:
        start = [*firmware(U_BOOT), *loader(image, U_BOOT_ADDRESS)]
    elif is_bare:
        start = loader(image, IMAGE_ADDRESS, is_first=True)
    else:
        start = started(image, paced(f"{bootargs or ''} {EMBEDDED}".strip() if host else bootargs))
    if payload:
        file, address, words = payload
        start += module(file, address, paced(words))
    if host:
        start += loader(host, HARNESS_HOST_ADDRESS)
    return [*virt(gic, cpus, **more), "-semihosting-config", "enable=on,target=native", *start]


def u_boot_dialogue(commands=(f"booti {U_BOOT_ADDRESS:x} - ${{fdtcontroladdr}}",)):
    """What is typed at U-Boot, each at its prompt, before it starts by itself."""
    return ((b"stop autoboot:", b"\n"), *((b"=> ", f"{command}\n".encode()) for command in commands))


def uefi_dialogue(starts=1):
    """What is typed at UEFI's shell, for it not to wait before its script, as often as the machine starts."""
    return ((b" seconds to skip ", b"\n"),) * starts


# How a machine is run.


def run(command, seconds, say=None, dialogue=(), until=None):
    """Runs `command` for at most `seconds` at the machine's pace; says each line that it prints. Returns the lines and
    the exit status, which is `OUT_OF_TIME` when the time was up.

    `dialogue` is what is typed: pairs of the output that is waited for and the input that follows it. With a pattern
    `until` the machine is ended, as if by itself, by the first line that matches.
    """
    limited = ["timeout", "--kill-after=5", str(pace.limit(seconds)), *command]
    typed = subprocess.PIPE if dialogue else subprocess.DEVNULL
    printed = []
    with subprocess.Popen(
        limited, stdin=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    ) as process:
        try:
            for line in _lines(process, list(dialogue)):
                printed.append(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
                if say:
                    say(printed[-1])
                if until and until.fullmatch(printed[-1]):
                    return printed, 0
            return printed, process.wait()
        finally:
            # Whoever reads no further ends a machine that stays on.
            if process.poll() is None:
                process.terminate()


def _lines(process, awaited):
    """The lines that a process prints; what it awaits is typed meanwhile."""
    rest = b""
    while chunk := process.stdout.read(4096):
        rest += chunk
        # A prompt has no line end: it is looked for in what has not been a line yet.
        while awaited and awaited[0][0] in rest:
            prompt, reply = awaited.pop(0)
            before, _, rest = rest.partition(prompt)
            yield from before.split(b"\n")[:-1]
            process.stdin.write(reply)
        *whole, rest = rest.split(b"\n")
        yield from whole
    if rest:
        yield rest


def problems(status, due=0, what="exit status"):
    """What an exit status says is wrong."""
    return ["out of time" if status == OUT_OF_TIME else f"{what} {status}"] if status != due else []


def interact(command):
    """Runs `command` on this terminal; returns the exit status."""
    return subprocess.run(command, check=False).returncode


def tree_of(command, path):
    """The device tree that a machine has, by way of a file at `path`."""
    subprocess.run(
        [*command, "-machine", f"dumpdtb={path}"],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return pathlib.Path(path).read_bytes()


def with_tree(path):
    """A machine with another device tree."""
    return ["-dtb", str(path)]


def version(program):
    """The version of a QEMU as numbers; none where it does not say."""
    match = re.search(r"version (\d+)\.(\d+)(?:\.(\d+))?", output(program, "--version"))
    return tuple(int(number) for number in match.groups() if number) if match else ()


def lack(program):
    """Why a QEMU can't have EL2 own an SMMU; None where it can."""
    found = version(program)
    if found >= STAGE_2:
        return None
    return f"the SMMUv3 of QEMU {'.'.join(map(str, found)) or '?'} has no stage 2 (9.1 has)"


# How a machine is controlled from outside.


def controlled(gdb, monitor):
    """A machine that stands still at its first instruction, with a stub for gdb and a monitor at these sockets."""
    return ["-S", "-gdb", f"unix:{gdb},server=on,wait=off", "-qmp", f"unix:{monitor},server=on,wait=off"]


def connect(path, seconds):
    """A connection to a socket of QEMU's, as soon as it listens; what is asked there may take so many seconds."""
    last = time.monotonic() + seconds
    while True:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(seconds)
        try:
            made.connect(str(path))
            return made
        except (FileNotFoundError, ConnectionRefusedError):
            made.close()
            if time.monotonic() > last:
                raise
            time.sleep(0.05)


@contextlib.contextmanager
def standing(command, path, seconds):
    """A machine that stands still and has no CPU at work, as a connection of the test protocol by way of a socket at
    `path`; it is ended behind that."""
    still = [*command, "-S", "-display", "none", "-qtest", f"unix:{path},server=on,wait=off", "-qtest-log", "none"]
    with subprocess.Popen(still, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            with connect(path, seconds) as connection:
                yield connection
        finally:
            process.terminate()


class Monitor:
    """A connection to QEMU's monitor, in its own protocol QMP."""

    def __init__(self, connection):
        self._socket = connection
        self._file = self._socket.makefile("rw")
        self._file.readline()
        self.ask("qmp_capabilities")

    def close(self):
        """Ends the connection."""
        self._socket.close()

    def ask(self, command):
        """The answer to a command; events in between are left aside."""
        self._file.write(json.dumps({"execute": command}) + "\n")
        self._file.flush()
        while line := self._file.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise ValueError(f"{command}: {answer['error']['desc']}")
        raise EOFError(f"{command}: QEMU has ended")

    def instructions(self):
        """How many instructions all CPUs have executed since reset. The machine must stand still."""
        return self.ask("query-replay")["icount"]

    def end(self):
        """Ends the machine, if it has not ended."""
        with contextlib.suppress(OSError, EOFError):
            self.ask("quit")
