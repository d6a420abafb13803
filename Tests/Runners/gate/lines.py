# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Prints the code lines of each room: neither blank nor comment alone.

What runs at EL2 is told apart, for that is what is trusted. With a revision it is compared.
"""

import collections
import pathlib
import subprocess

from Runners import commandline

# What runs at EL2, in the image or behind portcullis.h; the rest is programs and what tests.
EL2 = (
    "Architecture", "GIC", "SMMU", "Trace", "Boards", "DeviceTree", "ACPI", "UEFI", "Ownership", "Traps", "ITS",
    "Redistributor", "IOMMU", "SMMUDriver", "VirtualSMMU", "Hypervisor", "PortcullisC", "EL2Image",
    "CHardware", "CRuntime", "CFdt", "CEmbedder", "CEL2Boot", "CUEFI",
)  # fmt: skip
SUFFIXES = (".swift", ".c", ".h", ".S", ".ld")


def code_lines(text):
    """How many lines of a source are code."""
    count = 0
    in_comment = False
    for line in map(str.strip, text.splitlines()):
        if in_comment:
            in_comment = "*/" not in line
            continue
        if line.startswith("/*"):
            in_comment = "*/" not in line
            continue
        count += bool(line) and not line.startswith("//")
    return count


def room_of(path):
    """The room of a source: a folder below Sources, or one below CShims with a C before its name; None for others."""
    match pathlib.PurePath(path).parts:
        case ("Sources", room, *_):
            return room
        case ("CShims", folder, *_):
            return "C" + folder
    return None


def git(*arguments):
    """What git prints."""
    return subprocess.run(["git", *arguments], check=True, stdout=subprocess.PIPE, text=True, errors="replace").stdout


def count(revision):
    """The code lines by room: of a revision, or of the files as they are."""
    rooms = collections.Counter()
    listing = git("ls-tree", "-r", "--name-only", revision) if revision else git("ls-files")
    for path in listing.splitlines():
        room = room_of(path)
        if room is None or not path.endswith(SUFFIXES):
            continue
        text = git("show", f"{revision}:{path}") if revision else pathlib.Path(path).read_text("utf-8")
        rooms[room] += code_lines(text)
    return rooms


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("revision", nargs="?", help="a revision to be compared with")
    options = parser.parse_args()
    now = count(None)
    columns = [count(options.revision), now] if options.revision else [now]
    names = [name for name in EL2 if any(column[name] for column in columns)]
    others = sorted({name for column in columns for name in column} - set(EL2))
    width = max(map(len, [*names, *others, "all of EL2"]))

    def line(name, numbers):
        print(f"{name:<{width}}", *(f"{number:>7,}" for number in numbers))

    for name in names:
        line(name, (column[name] for column in columns))
    line("all of EL2", (sum(column[name] for name in EL2) for column in columns))
    for name in others:
        line(name, (column[name] for column in columns))


if __name__ == "__main__":
    main()
