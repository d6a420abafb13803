# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import io
import struct
import unittest

from Runners.acpi import fwcfg


class Machine:
    """Answers the test protocol as a machine with a few items does."""

    def __init__(self, items):
        self._items = items
        self._memory = {}
        self._answers = []

    def makefile(self, _):
        return self

    def flush(self):
        pass

    def write(self, line):
        command, *words = line.split()
        answer = "OK"
        if command == "write":
            self._memory[int(words[0], 16)] = bytes.fromhex(words[2][2:])
        elif command == "writeq":
            at = int.from_bytes(int(words[1], 16).to_bytes(8, "little"), "big")
            control, size, target = struct.unpack(">IIQ", self._memory[at])
            content = self._items.get(control >> 16)
            self._memory[at] = struct.pack(">I", 0 if content is not None and control & 0xA == 0xA else 1)
            self._memory[target] = (content or b"")[:size].ljust(size, b"\0")
        else:
            answer += " 0x" + self._memory[int(words[0], 16)][: int(words[1])].hex()
        self._answers.append(answer)

    def readline(self):
        return self._answers.pop(0) if self._answers else ""


def directory(*listed):
    return struct.pack(">I", len(listed)) + b"".join(fwcfg.ENTRY.pack(*each) for each in listed)


class ProbeTests(unittest.TestCase):
    def test_files_with_the_prefix_are_read(self):
        listed = directory((3, 0x20, 0, b"etc/a"), (2, 0x21, 0, b"opt/b"), (0, 0x22, 0, b"etc/c"))
        machine = Machine({fwcfg.DIRECTORY: listed, 0x20: b"abc", 0x21: b"no"})
        self.assertEqual(fwcfg.Probe(machine).files("etc/"), {"etc/a": b"abc", "etc/c": b""})

    def test_an_item_that_is_not_there_is_told(self):
        with self.assertRaisesRegex(ValueError, "item 0x30"):
            fwcfg.Probe(Machine({})).read(0x30, 4)

    def test_a_machine_that_has_ended_is_told(self):
        class Ended(io.StringIO):
            def makefile(self, _):
                return self

        with self.assertRaisesRegex(ValueError, "has ended"):
            fwcfg.Probe(Ended()).read(1, 4)


if __name__ == "__main__":
    unittest.main()
