# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that nothing behind a trap uses the host's FP and SIMD registers, by the disassembly of an image.

A trap saves general registers alone, and CPTR_EL2 lets EL2 reach the others: an instruction that uses one would
change it for the host. libfdt alone is compiled so that it may: it runs at boot, where nothing of a host is in the
registers, and has no function whose address is taken. So no other function may use them, and none of libfdt's that
does may be reached from the vectors by branches.
"""

import bisect
import re
import sys

from Runners import commandline
from Runners.programs import output

# Where the CPU enters EL2 once the host runs.
ROOTS = ("el2_vectors", "el2_host_abort", "el2_host_trap", "el2_fatal", "el2_secondary_main")

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
# Registers by name, whole or one lane of them, alone or first and last of a list; FP state too.
REGISTER = re.compile(r"(?<![\w#.])(?:[bhsdqvz][0-9]{1,2}|p[0-9]{1,2}|za\d*)(?![\w])|\bfp[cs]r\b", re.IGNORECASE)
TARGET = re.compile(r"^(?:\w+,\s*)?(?:#\w+,\s*)?0x([0-9a-f]+)\b")
# Data, which llvm-objdump shows byte by byte: `d0` is no register there.
DATA = re.compile(r"\s\.(?:byte|short|word|xword)\s")
# What libfdt's functions are named.
AT_BOOT = re.compile(r"_?fdt_")


class Image:
    """The functions of an image: what they use, and where they branch to."""

    def __init__(self, symbols, disassembly):
        self.places = sorted(
            (int(words[0], 16), words[2])
            for words in (line.split() for line in symbols)
            if len(words) == 3 and words[1] in "tTwW" and not re.match(r"\$[xd](\.|$)", words[2])
        )
        self.addresses = [address for address, _ in self.places]
        self.branches = {}
        self.offences = {}
        for line in disassembly:
            if (match := LINE.match(line)) and not DATA.search(line):
                self.read(int(match[1], 16), match[2], match[3])

    def function(self, address):
        """The name of the function that holds an address."""
        index = bisect.bisect_right(self.addresses, address) - 1
        return self.places[index][1] if index >= 0 else None

    def read(self, address, mnemonic, operands):
        """Takes note of one instruction."""
        function = self.function(address)
        text = f"{mnemonic} {operands}"
        operands = operands.split("//")[0].split("<")[0].strip()
        if REGISTER.search(operands):
            self.offences.setdefault(function, []).append(f"{address:#x}: {text}")
        if mnemonic in {"b", "bl", "cbz", "cbnz", "tbz", "tbnz"} or mnemonic.startswith("b."):
            if match := TARGET.match(operands):
                self.branches.setdefault(function, set()).add(self.function(int(match[1], 16)))

    def reachable(self, roots):
        """The functions that can be reached, each with the one it was reached from."""
        found = {root: None for root in roots}
        todo = list(roots)
        while todo:
            function = todo.pop()
            for target in self.branches.get(function, ()):
                if target not in found:
                    found[target] = function
                    todo.append(target)
        return found

    def problems(self, roots=ROOTS):
        """What is wrong, in words."""
        known = {name for _, name in self.places}
        problems = [f"no function {root}" for root in roots if root not in known]
        found = self.reachable([root for root in roots if root in known])
        if not problems and len(found) <= len(roots):
            problems.append("nothing is reached from the vectors")
        for function, offences in sorted(self.offences.items(), key=str):
            if AT_BOOT.match(str(function)) and function not in found:
                continue
            way, caller = [function], found.get(function)
            while caller:
                way.append(caller)
                caller = found[caller]
            problems += [f"{offence}, in {' from '.join(map(str, way))}" for offence in offences]
        return problems


def main():
    parser = commandline.parser(__doc__, "elf", "--tools")
    options = parser.parse_args()
    image = Image(
        output(options.tools / "llvm-nm", options.elf).splitlines(),
        output(options.tools / "llvm-objdump", "-d", "--no-show-raw-insn", options.elf).splitlines(),
    )
    problems = image.problems()
    return commandline.told(problems, options.elf)


if __name__ == "__main__":
    sys.exit(main())
