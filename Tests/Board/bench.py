#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the EL2 image on a board whose clock counts instructions, and the image itself.

The image prints `bench: NAME VALUE`. It is booted twice: a figure that is missing, that is printed
twice, or that differs between the runs is an error.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import board

# From the EL1 access to the next EL1 instruction, and how many of those are EL2's.
ACCESSES = ("read32", "write32", "read64", "write64")
# The same of a doorbell with so many commands behind it, and of an INT to the first instruction of the
# interrupt's handler: from the doorbell, and from before the command is written.
ACCESSES += tuple(
    f"doorbell-{command}-{count}" for command in ("inv", "mapti", "mapd") for count in (1, 2, 16, 256)
)
# An access to each kind of register, so that an outlier is seen.
REGISTERS = (
    "GITS_IIDR-read32", "GITS_PIDR2-read32", "GITS_CTLR-read32", "GITS_CBASER-read64",
    "GITS_CWRITER-read64", "GITS_CREADR-read32", "GITS_CREADR-read64", "GITS_BASER0-read64",
    "GITS_CTLR-write32", "GICR_CTLR-read32", "GICR_TYPER-read64", "GICR_WAKER-read32",
    "GICR_PROPBASER-read64", "GICR_PENDBASER-read64", "GICR_CTLR-write32",
)  # fmt: skip
SMMU_REGISTERS = (
    "SMMU_IDR0-read32", "SMMU_CR0ACK-read32", "SMMU_GERROR-read32", "SMMU_STRTAB_BASE-read64",
    "SMMU_CMDQ_CONS-read32", "SMMU_EVENTQ_PROD-read32", "SMMU_CMDQ_PROD-write32",
    "SMMU_EVENTQ_CONS-write32",
)  # fmt: skip
ACCESSES += REGISTERS
# An HVC of a function that nobody has.
ACCESSES += ("hvc",)
ACCESSES += ("int-to-handler", "int-to-lpi")
FIGURES = [f"{access}-{what}" for access in ACCESSES for what in ("instructions", "el2-instructions")]
FIGURES += [f"table-pages-{memory}" for memory in ("1g", "64g", "1t")]
# What claiming pages takes, and giving them back, with what the SMMUs are asked for.
DONATIONS = [
    f"{what}-{count}-{figure}"
    for count in (1, 512)
    for what, figure in (
        ("donate", "el2-instructions"), ("give-back", "el2-instructions"),
        ("donate", "invalidations"), ("donate", "syncs"),
    )
]  # fmt: skip
FIGURES += DONATIONS

# What an access to a register of an SMMU that the host sees takes.
SMMU_FIGURES = [f"{name}-{what}" for name in SMMU_REGISTERS for what in ("instructions", "el2-instructions")]

# What is aimed at: at most so much.
AIMS = {
    "GITS_CREADR-read32-instructions": 400,
    "int-to-lpi-instructions": 900,
    "each-further-inv": 150,
    "each-further-mapti": 150,
    "smmu-owned-donate-1-syncs": 1,
    "smmu-owned-donate-512-syncs": 1,
    "text+rodata": 64 * 1024,
}

SECONDS = 300
# The first byte of the code that boot unmaps, and the end of it.
BOOT_TEXT = ("el2_boot_text", "el2_text_end")
LINE = re.compile(r"(?:portcullis: )?bench: (\S+) (\d+)")
SECTION = re.compile(r"^\s*\d+ \.(text|rodata|data|bss)\S*\s+([0-9a-f]+)\s", re.MULTILINE)


def measure(command):
    """The figures that one boot prints, and what was wrong with it."""
    figures = {}
    problems = []
    output = []
    for item in board.lines(command, SECONDS):
        if isinstance(item, int):
            if item != 0:
                problems.append("out of time" if item == 124 else f"exit status {item}")
            continue
        output.append(item)
        if match := LINE.fullmatch(item):
            if match[1] in figures:
                problems.append(f"{match[1]} is printed twice")
            figures[match[1]] = int(match[2])
        elif "bench:" in item:
            problems.append(f"not a figure: {item!r}")
    problems += [f"{name} is missing" for name in FIGURES if name not in figures]
    if problems:
        print(*output[-40:], sep="\n", file=sys.stderr)
    return figures, problems


def measure_twice(qemu, image, bootargs="portcullis.bench", smmu=False):
    """The figures of `image`, and what was wrong, a figure that does not repeat among it."""
    arguments = board.arguments(image, bootargs=bootargs, smmu=smmu)
    command = [qemu, *arguments, *board.ICOUNT]
    first, problems = measure(command)
    if not problems:
        second, problems = measure(command)
        problems += [
            f"{name} does not repeat: {first.get(name)}, then {second.get(name)}"
            for name in sorted(first.keys() | second.keys())
            if first.get(name) != second.get(name)
        ]
    return first, problems


def sizes(objdump, elf):
    """The bytes of the image's sections, summed by kind."""
    listing = subprocess.run(
        [objdump, "--section-headers", elf], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    total = dict.fromkeys(("text", "rodata", "data", "bss"), 0)
    for kind, size in SECTION.findall(listing):
        total[kind] += int(size, 16)
    total["text+rodata"] = total["text"] + total["rodata"]
    # Of these, what boot leaves mapped; the host that is part of the image is counted in neither.
    places = subprocess.run([objdump, "--syms", elf], check=True, stdout=subprocess.PIPE, text=True).stdout
    start, end = (int(re.search(rf"^([0-9a-f]+) .* {name}$", places, re.MULTILINE)[1], 16) for name in BOOT_TEXT)
    total["resident"] = total["text+rodata"] - (end - start)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("elf", type=pathlib.Path)
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--qemu", default="qemu-system-aarch64")
    parser.add_argument("--smmu-qemu", help="a QEMU whose SMMUv3 has stage 2")
    parser.add_argument("--forwarding", type=pathlib.Path, help="the image that forwards all")
    parser.add_argument("--unmediated", type=pathlib.Path, help="the image that claims nothing")
    parser.add_argument("--objdump", default="llvm-objdump")
    options = parser.parse_args()

    first, problems = measure_twice(options.qemu, options.image)
    # Of the other images what they are there for: the way of a trap, and of an interrupt.
    for prefix, image, kept in (
        ("forwarded", options.forwarding, (*ACCESSES, "int-to")),
        ("unmediated", options.unmediated, ("int-to",)),
    ):
        if image:
            others, more = measure_twice(options.qemu, image)
            problems += more
            names = [name for name in FIGURES if name.startswith(kept) and name in others]
            first |= {f"{prefix}-{name}": others[name] for name in names}
    # With the devices' mirror and without it, on one board.
    lack = board.lack(options.smmu_qemu) if options.smmu_qemu else "no QEMU is named for it"
    if lack:
        print(f"bench: not measured with an SMMU: {lack}", file=sys.stderr)
    else:
        for policy in ("owned", "off"):
            bootargs = f"portcullis.bench portcullis.smmu={policy}"
            others, more = measure_twice(options.smmu_qemu, options.image, bootargs, smmu=True)
            problems += more
            first |= {f"smmu-{policy}-{n}": others[n] for n in DONATIONS if n in others}
        bootargs = "portcullis.bench portcullis.smmu=nested testhost.nested"
        others, more = measure_twice(options.smmu_qemu, options.image, bootargs, smmu=True)
        problems += more + [f"{n} is missing" for n in SMMU_FIGURES if n not in others]
        first |= {n: others[n] for n in SMMU_FIGURES if n in others}
        for count in (1, 512):
            if (syncs := first.get(f"smmu-owned-donate-{count}-syncs")) != 1:
                problems.append(f"a donation of {count} pages takes {syncs} SYNCs")
    # Every other command of a batch is a SYNC, as a driver sends them.
    for command in ("inv", "mapti"):
        many, few = (first.get(f"doorbell-{command}-{count}-instructions") for count in (256, 16))
        if many and few:
            first[f"each-further-{command}"] = round((many - few) / 240, 1)
    size = sizes(options.objdump, options.elf)
    problems += [f"no {kind} in {options.elf}" for kind in ("text", "rodata") if not size[kind]]

    # The image's own figures in the order in which it is expected to print them, then the others.
    named = {name: first[name] for name in FIGURES if name in first} | first | size
    for name, value in named.items():
        aim = AIMS.get(name)
        verdict = "" if aim is None else f"  (aim: {aim}, {'met' if value <= aim else 'MISSED'})"
        print(f"{name:<40} {value:>10}{verdict}")
    for problem in problems:
        print(f"bench: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
