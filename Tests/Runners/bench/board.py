# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the EL2 image on a board whose clock counts instructions, and the image itself.

The image prints `bench: NAME VALUE`. It is booted twice: a figure that is missing, that is printed
twice, or that differs between the runs is an error. The same host in the example of an embedder measures the way
through portcullis.h.
"""

import pathlib
import re
import sys

from Runners import commandline, qemu
from Runners.programs import output

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
ACCESS_FIGURES = [f"{access}-{what}" for access in ACCESSES for what in ("instructions", "el2-instructions")]
FIGURES = list(ACCESS_FIGURES)
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
    "read32-instructions": 178,
    "GITS_CREADR-read32-instructions": 220,
    "hvc-instructions": 110,
    "doorbell-inv-1-instructions": 450,
    "each-further-inv": 100,
    "each-further-mapti": 110,
    "int-to-handler-instructions": 650,
    "int-to-lpi-instructions": 900,
    "smmu-owned-donate-1-el2-instructions": 3500,
    "smmu-off-donate-1-el2-instructions": 1200,
    "smmu-owned-donate-1-syncs": 1,
    "smmu-owned-donate-512-syncs": 1,
    "text+rodata": 256 * 1024,
    "resident": 144 * 1024,
    "through-c-read32": 1.25,
    "through-c-doorbell-inv-1": 1.25,
    "library-text+rodata": 96 * 1024,
    "library-without-tree-text+rodata": 96 * 1024,
    "stack-init": 16 * 1024,
    "stack-claim": 16 * 1024,
    "stack-trap": 4 * 1024,
}
# What the way through portcullis.h takes, as a multiple of the image's.
THROUGH_C = ("read32", "doorbell-inv-1")

SECONDS = 300
# The first byte of the code that boot unmaps, and the end of it.
BOOT_TEXT = ("el2_boot_text", "el2_text_end")
LINE = re.compile(r"(?:portcullis: )?bench: (\S+) (\d+)")
# How deep the example of an embedder finds its stack, of a boot with these words: it begins by portcullis_init where
# its host is trusted, and by a board that it has filled where not.
STACK = re.compile(r"# harness: stack of (\w+): (\d+)")
STACKS = {"": ("init", "claim", "trap"), "portcullis.handover": ("init", "handover")}
# A section of the library's object in the map of a link: its size, and what it is.
MAPPED = re.compile(
    r"^ *[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) +\d+ +\S*libportcullis\.a\(.*\):\(\.(text|rodata)", re.MULTILINE
)
SECTION = re.compile(r"^\s*\d+ \.(text|rodata|data|bss)\S*\s+([0-9a-f]+)\s", re.MULTILINE)


def measure(command, expected):
    """The figures that one boot prints, and what was wrong with it, one of those `expected` that is not there
    among it."""
    figures = {}
    lines, status = qemu.run(command, SECONDS)
    problems = qemu.problems(status)
    for line in lines:
        if match := LINE.fullmatch(line):
            if match[1] in figures:
                problems.append(f"{match[1]} is printed twice")
            figures[match[1]] = int(match[2])
        elif "bench:" in line:
            problems.append(f"not a figure: {line!r}")
    problems += [f"{name} is missing" for name in expected if name not in figures]
    if problems:
        print(*lines[-40:], sep="\n", file=sys.stderr)
    return figures, problems


def measure_twice(command, expected=FIGURES):
    """The figures of what `command` boots, and what was wrong, a figure that does not repeat among it."""
    command = [*command, *qemu.ICOUNT]
    first, problems = measure(command, expected)
    if not problems:
        second, problems = measure(command, expected)
        problems += [
            f"{name} does not repeat: {first.get(name)}, then {second.get(name)}"
            for name in sorted(first.keys() | second.keys())
            if first.get(name) != second.get(name)
        ]
    return first, problems


def stacks(program, harness, host):
    """How deep the stack of the example of an embedder is at most, in bytes by what it is for, with what was wrong."""
    figures, problems = {}, []
    for words, due in STACKS.items():
        found = {}
        lines, status = qemu.run([program, *qemu.board(harness, bootargs=words, host=host)], SECONDS)
        problems += [f"exit status {status} where stacks are measured"] if status else []
        for line in lines:
            if match := STACK.fullmatch(line):
                found[match[1]] = int(match[2])
        problems += [f"no stack of {name}" for name in due if name not in found]
        for name in due:
            figures[f"stack-{name}"] = max(figures.get(f"stack-{name}", 0), found.get(name, 0))
    return figures, problems


def library_size(text):
    """The bytes of code and read-only data of the library in a linked program, of which `text` is the map."""
    return sum(int(size, 16) for size, _ in MAPPED.findall(text))


def sizes(objdump, elf):
    """The bytes of the image's sections, summed by kind."""
    total = dict.fromkeys(("text", "rodata", "data", "bss"), 0)
    for kind, size in SECTION.findall(output(objdump, "--section-headers", elf)):
        total[kind] += int(size, 16)
    total["text+rodata"] = total["text"] + total["rodata"]
    # Of these, what boot leaves mapped; the host that is part of the image is counted in neither.
    places = output(objdump, "--syms", elf)
    start, end = (int(re.search(rf"^([0-9a-f]+) .* {name}$", places, re.MULTILINE)[1], 16) for name in BOOT_TEXT)
    total["resident"] = total["text+rodata"] - (end - start)
    return total


def main():
    parser = commandline.parser(__doc__, "elf", "image", "--qemu", "--smmu-qemu", "--tools")
    parser.add_argument("--forwarding", type=pathlib.Path, help="the image that forwards all")
    parser.add_argument("--unmediated", type=pathlib.Path, help="the image that claims nothing")
    parser.add_argument("--harness", type=pathlib.Path, help="the example of an embedder, its map beside it")
    parser.add_argument("--host", type=pathlib.Path, help="its host")
    parser.add_argument("--least", type=pathlib.Path, help="the map of a program with little of the library")
    options = parser.parse_args()

    def boot(image, bootargs="portcullis.bench", program=options.qemu, **more):
        return [program, *qemu.board(image, bootargs=bootargs, **more)]

    first, problems = measure_twice(boot(options.image))
    # Of the other images what they are there for: the way of a trap, and of an interrupt.
    for prefix, image, kept in (
        ("forwarded", options.forwarding, (*ACCESSES, "int-to")),
        ("unmediated", options.unmediated, ("int-to",)),
    ):
        if image:
            others, more = measure_twice(boot(image))
            problems += more
            names = [name for name in FIGURES if name.startswith(kept) and name in others]
            first |= {f"{prefix}-{name}": others[name] for name in names}
    if options.harness:
        others, more = measure_twice(boot(options.harness, host=options.host), ACCESS_FIGURES)
        depths, no_depths = stacks(options.qemu, options.harness, options.host)
        problems += more + no_depths
        first |= {f"through-c-{name}": value for name, value in others.items()} | depths
        for name in THROUGH_C:
            figure = f"{name}-instructions"
            if figure in first and figure in others:
                first[f"through-c-{name}"] = round(others[figure] / first[figure], 2)
        for name, path in (("library", options.harness.with_suffix(".map")), ("library-without-tree", options.least)):
            size = library_size(path.read_text("utf-8"))
            problems += [] if size else [f"no library in {path}"]
            first[f"{name}-text+rodata"] = size
    # With the devices' mirror and without it, on one board.
    lack = qemu.lack(options.smmu_qemu) if options.smmu_qemu else "no QEMU is named for it"
    if lack:
        print(f"bench: not measured with an SMMU: {lack}", file=sys.stderr)
    else:
        for policy in ("owned", "off"):
            bootargs = f"portcullis.bench portcullis.smmu={policy}"
            others, more = measure_twice(boot(options.image, bootargs, options.smmu_qemu, smmu=True))
            problems += more
            first |= {f"smmu-{policy}-{n}": others[n] for n in DONATIONS if n in others}
        bootargs = "portcullis.bench portcullis.smmu=nested testhost.nested"
        others, more = measure_twice(boot(options.image, bootargs, options.smmu_qemu, smmu=True))
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
    size = sizes(options.tools / "llvm-objdump", options.elf)
    problems += [f"no {kind} in {options.elf}" for kind in ("text", "rodata") if not size[kind]]

    # The image's own figures in the order in which it is expected to print them, then the others.
    named = {name: first[name] for name in FIGURES if name in first} | first | size
    for name, value in named.items():
        aim = AIMS.get(name)
        verdict = "" if aim is None else f"  (aim: {aim}, {'met' if value <= aim else 'missed'})"
        print(f"{name:<40} {value:>10}{verdict}")
    return commandline.told(problems, "bench")


if __name__ == "__main__":
    sys.exit(main())
