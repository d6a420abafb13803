# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Tells what of an image's code may run behind the start-up, by its branches and the relocations of --emit-relocs.

`order` writes the functions that stay mapped while the host runs, for --symbol-ordering-file, and behind them the
marker of what is boot's alone. `check` says whether an image that was linked by that list is closed: nothing in front
of the marker leads behind it. A branch, an address in an instruction and a pointer in data count alike.
"""

import collections
import pathlib
import re
import sys

from Runners import commandline
from Runners.images import registers
from Runners.programs import output

# The first page of what is unmapped, and the end of all code.
MARKER, END = "el2_boot_text", "el2_text_end"
# Ways out of accesses that abort. Each leads back to the function that made the access, which so was mapped.
EXITS = "pc_guarded_exits"
# Where boot leaves itself; the one that names the marker.
LAST = "el2_leave_boot"
# What the entry calls and nothing else does: boot itself, and the end of a board that does not start.
BOOT = {"el2_build_translation", "el2_main", "el2_refuse", "el2_efi_main"}

SECTION = re.compile(r"^\s*\d+ (\.\S+)\s+[0-9a-f]+\s+([0-9a-f]+)\s")
HEADING = re.compile(r"^RELOCATION RECORDS FOR \[(\S+)\]:")
RELOCATION = re.compile(r"^([0-9a-f]+)\s+R_AARCH64_\w+\s+([^\s+-]\S*?)(?:([+-])0x([0-9a-f]+))?$")


class Image(registers.Image):
    """The functions of an image, and what leads where."""

    def __init__(self, symbols, disassembly, relocations):
        super().__init__(symbols, disassembly)
        self.roots = {LAST}
        self.start = 0
        # A local name may stand for several functions: where one of them counts, all do.
        self.starts = collections.defaultdict(set)
        for address, name in self.places:
            self.starts[name].add(address)
        places = collections.defaultdict(set)
        for words in map(str.split, symbols):
            if len(words) == 3:
                places[words[2]].add(int(words[0], 16))
        section = None
        for line in relocations:
            if match := SECTION.match(line):
                places[match[1]].add(int(match[2], 16))
                if match[1] == ".text":
                    self.start = int(match[2], 16)
            elif match := HEADING.match(line):
                section = match[1]
            elif section is not None and not section.startswith(".debug") and (match := RELOCATION.match(line)):
                distance = int(match[3] + match[4], 16) if match[4] else 0
                # Two local symbols of one name: either may be meant.
                for target in places[match[2]]:
                    self.relocate(section, int(match[1], 16), target + distance)

    def relocate(self, section, place, target):
        """Takes note of one relocation."""
        if not self.start <= target < max(self.starts[END]):
            return
        end = self.function(target)
        if end in (MARKER, EXITS):
            return
        if section == ".text":
            self.branches.setdefault(self.function(place), set()).add(end)
        # From elsewhere what leads inside a function is its own: a table of a switch, or of loads that may abort.
        elif (section == ".head" or target in self.starts[end]) and end not in BOOT:
            self.roots.add(end)

    def order(self):
        """The functions that may run behind the start-up, in their order, and the marker."""
        found = self.reachable(self.roots)
        return [name for _, name in self.places if name in found and name != MARKER] + [MARKER]

    def gaps(self):
        """What stays mapped and leads to what does not."""
        end = min(self.starts[MARKER])
        if min(self.starts["el2_main"]) < end:
            yield "el2_main stays mapped: the list was not obeyed"
        if max(self.starts[EXITS]) >= end:
            yield "no way leads out of an access that aborts"
        for root in sorted(self.roots):
            if max(self.starts[root]) >= end:
                yield f"{root} is reached from data or from the entry"
        for address, name in self.places:
            # The entry, in front of all code, calls boot.
            if self.start <= address < end and name != EXITS:
                yield from (
                    f"{name} leads to {target}"
                    for target in sorted(self.branches.get(name, ()), key=str)
                    if target != MARKER and max(self.starts[target], default=0) >= end
                )


def read(tools, elf):
    """The image in a file."""
    objdump = tools / "llvm-objdump"
    return Image(
        output(tools / "llvm-nm", elf).splitlines(),
        output(objdump, "-d", "--no-show-raw-insn", elf).splitlines(),
        output(objdump, "--section-headers", "--reloc", elf).splitlines(),
    )


def main():
    parser = commandline.parser(__doc__, "--tools")
    parser.add_argument("action", choices=("order", "check"))
    parser.add_argument("elf", type=pathlib.Path)
    parser.add_argument("list", type=pathlib.Path, nargs="?", help="what order writes")
    options = parser.parse_args()
    image = read(options.tools, options.elf)
    if options.action == "order":
        options.list.write_text("\n".join(image.order()) + "\n")
        return 0
    problems = list(image.gaps())
    return commandline.told(problems, options.elf)


if __name__ == "__main__":
    sys.exit(main())
