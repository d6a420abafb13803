# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What UEFI's shell is asked before and after Portcullis, and what is wrong with its answers."""

import re

from Runners.efi import machine, stick

# A file that the script leaves on the stick for the next start.
SECOND = "second.txt"
VARIABLE = "PortcullisShell -guid 1b7d4c39-9f64-4d8b-8c01-a3e55e0f8a2c"
# How a part of the answers begins, and how the status of the command before is told.
PART = re.compile(r"== (\S+)")
STATUS = re.compile(r"status (\S+)")
# A line of `memmap`: type, first and last byte, pages.
RANGE = re.compile(r"(\w+)\s+([0-9A-F]{16})-([0-9A-F]{16})\s+([0-9A-F]{16})\s")
TOTAL = re.compile(r"Total Memory: .*\(([\d,]+) Bytes\)")
HANDLE = re.compile(r"([0-9A-F]{2,}): ")

# EFI_STATUS of success, and of an application that is there already; the shell leaves the highest bit out.
SUCCESS = 0
ALREADY_STARTED = 20

# What the shell must do: commands by the name of their part, and a line that each must print.
WORK = {
    "version": (["ver"], r"UEFI v\d+\.\d+.*"),
    "handles": (["dh"], HANDLE.pattern + ".*"),
    "files": (["ls"], r".*\bstartup\.nsh"),
    "written": ([f"echo there > {SECOND}", f"type {SECOND}"], r"there"),
    "clock": (["date", "time"], r"\d\d:\d\d:\d\d.*"),
    "timer": (["stall 100000"], None),
    "variable": ([f"setvar {VARIABLE} -nv -bs =0xC0DE", f"setvar {VARIABLE}"], r"DE C0.*"),
    "devices": (["pci"], r".*Network Controller.*"),
}


def _part(name, *commands):
    return [f"echo == {name}", *commands, "echo status %lasterror%"]


def script(starts):
    """The script: `starts` are the commands that start Portcullis by the names of their parts. The second time the
    machine starts it switches it off."""
    lines = [
        f"if exist {SECOND} then", *_part("second", f"setvar {VARIABLE}"), "reset -s", "endif",
        *_part("before", "memmap"),
    ]  # fmt: skip
    for name, command in starts.items():
        lines += _part(name, command)
    lines += _part("after", "memmap")
    for name, (commands, _) in WORK.items():
        lines += _part(name, *commands)
    return stick.script(*lines, *_part("end"), "reset")


class Report:
    """What was answered, as lines by the part that they belong to."""

    def __init__(self, lines):
        self.parts = {}
        part = None
        for line in machine.plain(lines):
            if match := PART.fullmatch(line.strip()):
                part = self.parts.setdefault(match[1], [])
            elif part is not None:
                part.append(line.strip())

    def status(self, name):
        """The status of the last command of a part; None where it is not told."""
        found = [match[1] for line in self.parts.get(name, ()) if (match := STATUS.fullmatch(line))]
        return int(found[0], 16) if found else None

    def ranges(self, name):
        """The memory map of a part: (type, first byte, size) of each range."""
        matches = [match for line in self.parts.get(name, ()) if (match := RANGE.match(line))]
        return [(match[1], int(match[2], 16), int(match[4], 16) << 12) for match in matches]

    def reserved(self, name):
        """The bytes that a part's memory map has as reserved, as (address, size)."""
        return [(first, size) for kind, first, size in self.ranges(name) if kind == "Reserved"]

    def has(self, name, pattern):
        """Whether a line of a part matches."""
        return any(re.fullmatch(pattern, line) for line in self.parts.get(name, ()))

    def judge_work(self):
        """What the shell does not do."""
        for name, (_, pattern) in WORK.items():
            if self.status(name) != SUCCESS:
                yield f"{name}: the status is {self.status(name)}"
            if pattern and not self.has(name, pattern):
                yield f"{name}: no line matches {pattern!r}"
        if "end" not in self.parts:
            yield "the script did not come to its end"
        if not self.has("second", WORK["variable"][1]):
            yield "second: after a reset the variable is not there"
        if not self.ranges("before") or not self.ranges("after"):
            yield "there is no memory map"
        elif self.total("before") != self.total("after"):
            yield f"memory: {self.total('before')} bytes, then {self.total('after')}"

    def total(self, name):
        """How many bytes a part's memory map has, those that are reserved included."""
        found = [match[1] for line in self.parts[name] if (match := TOTAL.search(line))]
        return sum(int(text.replace(",", "")) for text in found) + sum(size for _, size in self.reserved(name))
