# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""QEMU's `virt` board with an unmodified Linux on it, started by Portcullis or bare."""

import dataclasses
import os

from Runners import ROOT, pace, qemu
from Runners.linux import initramfs, kmodule, program, statistic

# Debian's current series: that of the release, and that of its backports.
KERNELS = ("6.1", "6.12")
# The newest of the backports of Debian's stable release.
NEWEST = "newest"
GIC_VERSIONS = (3, 4)
PROCESSORS = ("cortex-a76", "neoverse-n1", "max")
# What Portcullis may do with the SMMUs of a board: `portcullis.smmu`.
OWNED = "owned"
NESTED = "nested"

# Where the loader puts kernel and RAM disk: beyond EL2's image and the board's own device tree, which
# QEMU puts at 128 MiB.
KERNEL_ADDRESS = 0x5000_0000
RAMDISK_ADDRESS = 0x5800_0000
# Where U-Boot is to put the tree that it adds them to.
TREE_ADDRESS = 0x4700_0000
DISK_SIZE = 64 << 20

# Sources of what runs on the Linux.
SOURCES = ROOT / "Tests/Linux"
GUEST = SOURCES / "guest"
MODULES = SOURCES / "module"
# The attacks; not among the modules that every guest has.
HOSTILE = MODULES / "hostile"
KEXEC = SOURCES / "program" / "kexec.c"


@dataclasses.dataclass(frozen=True)
class Machine:
    """One board, and the Linux that runs on it."""

    kernel: str = KERNELS[0]
    gic: int = GIC_VERSIONS[0]
    cpus: int = 1
    processor: str = PROCESSORS[0]
    # Whether U-Boot starts Portcullis.
    u_boot: bool = False
    # What becomes of an SMMUv3 with all devices behind it; none where there is no such.
    smmu: str = ""

    @property
    def title(self):
        """What tells this machine from the others."""
        loader = " u-boot" if self.u_boot else ""
        smmu = f" smmu={self.smmu}" if self.smmu else ""
        return (
            f"linux-{self.kernel} gic-version={self.gic} smp={self.cpus} cpu={self.processor}"
            f"{loader}{smmu}"
        )

    @property
    def column(self):
        """What heads a column of a table."""
        return f"{self.kernel} v{self.gic}"

    @property
    def shows_smmu(self):
        """Whether the Linux of this board sees the SMMU.

        One that is owned is hidden, and the bare board to compare with is the same one without it.
        """
        return self.smmu == NESTED

    @property
    def words(self):
        """What this board's kernel is told beside all others: where it sees an SMMU it is to use it."""
        return "iommu.passthrough=0" if self.shows_smmu else ""

    @property
    def options(self):
        """More of what the board is: the tags of MTE are the board's, and of these processors one has it."""
        return "mte=on" if self.processor == "max" else ""

    @property
    def can_kexec(self):
        """Whether this kernel can start another one here.

        6.12 fails, bare too, on a processor with FEAT_LPA2: it takes a level of its page table for one
        that is not there (trans_pgd_create_copy).
        """
        return not (self.kernel == "6.12" and self.processor == "max")


class Images:
    """What was fetched for a kernel, and the RAM disks that are made of it below `directory`.

    One of the two also has the kernel and the other RAM disk, for the kernel to start itself anew.
    `modules` are sources of modules beside those that every guest has, `more` modules of the kernel's that a
    script loads.
    """

    def __init__(self, fetched, series, tools, directory, modules=(), more=()):
        directory = directory / series
        directory.mkdir()
        kernel = initramfs.Kernel(fetched / series)
        busybox = initramfs.program(fetched / "busybox", "busybox").read_bytes()
        scripts = {
            str(path.relative_to(GUEST)): path.read_bytes()
            for path in sorted(GUEST.rglob("*"))
            if path.is_file()
        }
        headers = kmodule.Headers(fetched / f"{series}-headers", fetched / f"{series}-common")
        modules = [
            kmodule.build(source, headers, directory, tools)
            for source in [*sorted(MODULES.glob("*.c")), *modules]
        ]
        self.kernel = kernel.image
        self.ramdisk = directory / "initramfs"
        texts = {"statistics": statistic.listing()}
        plain = initramfs.build(kernel, busybox, scripts, modules, texts, more)
        self.ramdisk.write_bytes(plain)
        behind = initramfs.Archive()
        behind.add_file("bin/kexec", program.build(KEXEC, directory, tools).read_bytes(), True)
        behind.add_file("kexec/kernel", kernel.image.read_bytes())
        behind.add_file("kexec/initramfs", plain)
        self.ramdisk_with_kernel = directory / "initramfs-kexec"
        # The kernel unpacks one archive after the other.
        self.ramdisk_with_kernel.write_bytes(plain + behind.finish())


def make_disks(directory):
    """Two empty disks for `arguments`."""
    disks = directory / "disk0", directory / "disk1"
    for disk in disks:
        disk.write_bytes(b"")
        os.truncate(disk, DISK_SIZE)
    return disks


def kernel_words(words):
    """The kernel's boot arguments, with the console, and on a slow machine how many times longer the guest waits
    and the kernel before it tells of a lockup; usually that is 10 seconds."""
    times = pace.times()
    slow = f"PACE={times} watchdog_thresh={min(10 * times, 60)} " if times > 1 else ""
    return f"console=ttyAMA0 {slow}{words}".strip()


def dialogue(machine, images, words="", ramdisk=None):
    """What is typed at U-Boot, each at its prompt, for it to start Portcullis with kernel and RAM disk as
    modules; nothing where there is no U-Boot."""
    if not machine.u_boot:
        return ()
    commands = [
        "fdt addr ${fdtcontroladdr}",
        f"fdt move ${{fdtcontroladdr}} {TREE_ADDRESS:x} 110000",
        r"fdt set /chosen \#address-cells <2>",
        r"fdt set /chosen \#size-cells <2>",
    ]
    for name, address, file in (
        ("kernel", KERNEL_ADDRESS, images.kernel),
        ("ramdisk", RAMDISK_ADDRESS, ramdisk or images.ramdisk),
    ):
        node = f"{name}@{address:x}"
        commands += [
            f"fdt mknode /chosen {node}",
            f"fdt set /chosen/{node} compatible multiboot,{name} multiboot,module",
            f"fdt set /chosen/{node} reg <0 {address:#x} 0 {os.path.getsize(file):#x}>",
        ]
    commands += [
        f'fdt set /chosen/kernel@{KERNEL_ADDRESS:x} bootargs "{kernel_words(words)}"',
        f"booti {qemu.U_BOOT_ADDRESS:x} - {TREE_ADDRESS:x}",
    ]
    return qemu.u_boot_dialogue(commands)


def arguments(machine, images, disks, el2=None, words="", el2_words="", ramdisk=None, start=None):
    """QEMU's arguments.

    `ramdisk` is one of the images' RAM disks, the plain one if there is none.
    `el2` is the image of Portcullis, with its own boot arguments `el2_words`; without it Linux is
    started bare, at EL1 where the board lets it be. `words` are the kernel's boot arguments. With `start` something
    else starts it.
    """
    ramdisk = ramdisk or images.ramdisk
    words = kernel_words(f"{machine.words} {words}".strip())
    if machine.smmu:
        el2_words = f"portcullis.smmu={machine.smmu} {el2_words}".strip()
    if start is None:
        start = _start(machine, images, el2, words, el2_words, ramdisk)
    return [
        *qemu.virt(
            machine.gic, machine.cpus, machine.processor,
            # GICv4 is there only together with EL2.
            has_el2=bool(el2) or machine.gic == 4,
            smmu=machine.smmu and (el2 or machine.shows_smmu),
            machine=machine.options,
        ),
        *start,
        *qemu.linux_devices(disks, machine.cpus, behind_smmu=machine.smmu),
    ]  # fmt: skip


def _start(machine, images, el2, words, el2_words, ramdisk):
    """What starts Linux."""
    if not el2:
        return qemu.started(images.kernel, words, ramdisk)
    if not machine.u_boot:
        kernel = qemu.module(images.kernel, KERNEL_ADDRESS, words)
        return [*qemu.started(el2, el2_words), *kernel, *qemu.module(ramdisk, RAMDISK_ADDRESS, kind="initrd")]
    # All three lie in memory, as if U-Boot had loaded them from somewhere.
    return [
        *qemu.firmware(qemu.U_BOOT), *qemu.loader(el2, qemu.U_BOOT_ADDRESS),
        *qemu.loader(images.kernel, KERNEL_ADDRESS), *qemu.loader(ramdisk, RAMDISK_ADDRESS),
    ]  # fmt: skip


def add_options(parser, cpus):
    """Adds what describes one machine, which has so many CPUs by default."""
    parser.add_argument("--kernel", choices=(*KERNELS, NEWEST), default=KERNELS[0])
    parser.add_argument("--gic", type=int, choices=GIC_VERSIONS, default=GIC_VERSIONS[0])
    parser.add_argument("--cpus", type=int, default=cpus)
    parser.add_argument("--processor", default=PROCESSORS[0])


def of(options):
    """The machine that the options describe."""
    return Machine(options.kernel, options.gic, options.cpus, options.processor)
