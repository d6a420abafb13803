# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The arguments that runners have in common."""

import argparse
import pathlib
import sys

from Runners import qemu


def path(what, **more):
    """An argument that is a path."""
    return {"type": pathlib.Path, "help": what, **more}


SHARED = {
    "--qemu": {"default": qemu.DEFAULT},
    "--smmu-qemu": {"help": "for machines with an SMMUv3, where the other can't have them"},
    "--tools": path("where the compiler's tools are", required=True),
    "--only": {"metavar": "TEXT", "default": "", "help": "what has TEXT in its title alone"},
    "--logs": path("where to leave what was printed"),
    "--results": path("where to write the counts as JSON"),
    "program": {"help": "portcullis"},
    "elf": path("the EL2 image as ELF"),
    "image": path("the EL2 image"),
    "mediated": path("the image"),
    "unmediated": path("the control image"),
    "harness": path("the example of an embedder"),
    "harness_unmediated": path("its control"),
    "host": path("the test host, for the example of an embedder"),
    "fetched": path("where Tests/Setup/linux.sh has put its packages"),
}
# What every runner needs to boot a Linux.
LINUX = ("fetched", "--tools", "--qemu")


def parser(documentation, *names):
    """A parser with arguments of these names; what is described is the first line."""
    made = argparse.ArgumentParser(description=documentation.splitlines()[0])
    for name in names:
        made.add_argument(name, **SHARED[name])
    return made


def chosen(machines, options, title=lambda each: each.title):
    """Those of the machines that the option `--only` names; without any the program ends."""
    found = [each for each in machines if options.only in title(each)]
    return found or sys.exit(f"nothing has {options.only!r} in its title")


def told(problems, prefix):
    """Says what is wrong, behind a prefix; the exit status that follows from it."""
    for problem in problems:
        print(f"{prefix}: {problem}", file=sys.stderr)
    return 1 if problems else 0
