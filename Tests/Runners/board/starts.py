# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boards and images beside the usual ones that must start."""

import re
import struct

from Runners import qemu
from Runners.board import payload, refusals

# The board's window of PCI's I/O ports, and where in it a serial port of PCI is put.
PORTS = 0x3EFF0000
PORT = 0x1000
# The configuration of PCI, 32 KiB a device, and the slot of that port.
CONFIGURATION = 0x4010000000
SLOT = 3
SERIAL = PORTS + PORT
# Where the image lies that `firmware` enters.
IMAGE = 0x4A000000
# Where a tree lies that QEMU is not to complete.
TREE = 0x49000000

# Where images with a text offset lie: the offset above a multiple of 2 MiB.
TEXT_OFFSET = 0x280000
OFFSET_ADDRESS = 0x49080000

NO_VERSION = r"not ok \d+ - psci: VERSION is 0\.2 or later"
NO_ITS = r"Bail out! the board has no ITS"


def firmware(*stores, tree=None):
    """An arm64 `Image` that stores words, pairs of address and value, and enters the image that lies at IMAGE with
    QEMU's tree or the one at an address.
    """
    code = []
    values = []

    def load(register, value):
        """LDR (literal), whose distance follows when it is known how much code there is."""
        code.append((register, len(values)))
        values.append(value)

    for address, value in stores:
        load(1, address)
        load(2, value)
        code.append(0xB9000022)  # STR W2, [X1]
    if tree:
        load(0, tree)
    load(1, IMAGE)
    code += [0xD61F0020, 0xD503201F]  # BR X1, NOP
    code += code[-1:] * (len(code) % 2)

    def word(place, item):
        if isinstance(item, int):
            return item
        register, number = item
        return 0x58000000 | (len(code) + 2 * number - place) << 5 | register

    words = [word(place, item) for place, item in enumerate(code)]
    head = struct.pack("<2I3Q", 0x14000000 | payload.HEADER_SIZE // 4, 0, 0, 0x1000, 0xA)
    head = (head.ljust(payload.MAGIC_AT, b"\0") + payload.MAGIC).ljust(payload.HEADER_SIZE, b"\0")
    return head + struct.pack(f"<{len(words)}I{len(values)}Q", *words, *values)


def entered(image):
    """QEMU's arguments for `image` where `firmware` enters it."""
    return qemu.loader(image, IMAGE)


def with_serial_port(text):
    """The source of a tree whose console is that port."""
    node = f'serial@{SERIAL:x} {{ compatible = "ns16550a"; reg = <0x00 {SERIAL:#x} 0x00 0x08>; }};'
    head, _, tail = text.rpartition("};")
    return head.replace("/pl011@9000000", f"/serial@{SERIAL:x}") + node + "};" + tail


def without_psci(text):
    """The source of a tree without its PSCI node."""
    return re.sub(r"\n\tpsci \{.*?\n\t\};", "", text, flags=re.DOTALL)


def console_nowhere(text):
    """The source of a tree whose console is where nothing answers."""
    return text.replace("reg = <0x00 0x9000000 0x00 0x1000>", "reg = <0x00 0xb000000 0x00 0x1000>")


def boots(boot, image, offset, appended, directory):
    """The boots, made by `boot`, of `image`: some by way of firmware that is written to `directory`, two with an arm64
    `Image` of another form.
    """
    ports = directory / "firmware-ports"
    function = CONFIGURATION + (SLOT << 15)
    # The port's base address register, and its command register.
    ports.write_bytes(firmware((function + 0x10, PORT), (function + 4, 1)))
    yield boot("console-8250", ports, more=(*qemu.serial_port(SLOT), *entered(image)), edit=with_serial_port)
    yield boot("ram-at-zero", image, whole=qemu.ram_at_zero(image), sign=NO_ITS, status=2)
    # EL2 writes its log, and the host says in its status that it has run.
    yield boot(
        "console-nowhere", image, machine="its=off", bootargs="portcullis.log=info", edit=console_nowhere,
        silent=True, status=2,
    )  # fmt: skip
    yield boot("no-its", image, machine="its=off", sign=NO_ITS, status=2)
    # As many CPUs as QEMU has, with Redistributors in two regions.
    many = "portcullis.log=error testhost.cpus"
    yield boot("cpus", image, cpus=512, machine="acpi=off", bootargs=many, least=2)
    yield boot("module-text-offset", image, payload=(offset, OFFSET_ADDRESS, "quiet"))
    yield boot("module-appended", image, payload=(appended, refusals.KERNEL, "quiet"))
    # Whatever firmware there is, it is not called.
    handed = directory / "firmware-tree"
    handed.write_bytes(firmware(tree=TREE))
    yield boot(
        "no-psci", handed, more=entered(image), edit=without_psci, tree_address=TREE, sign=NO_VERSION, stops=True
    )
