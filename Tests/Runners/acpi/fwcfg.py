# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what QEMU offers firmware, from a machine that stands still.

QEMU's fw_cfg device has files. Its DMA interface reads one into the machine's memory. QEMU's test protocol
(qtest) does the accesses in the place of a CPU.
"""

import struct

# The device's register of DMA on `virt`; big-endian.
DMA = 0x0902_0010
# Where in the machine's memory a request lies, and what was read.
REQUEST = 0x4000_0000
BUFFER = 0x4000_1000
# The key of the list of files, and what of an entry is its size, key and name.
DIRECTORY = 0x19
ENTRY = struct.Struct(">IHH56s")
SELECT, READ = 8, 2


class Probe:
    """A machine that is asked by the test protocol; `connection` is a socket."""

    def __init__(self, connection):
        self._file = connection.makefile("rw")

    def _ask(self, command):
        self._file.write(f"{command}\n")
        self._file.flush()
        answer = self._file.readline().split()
        if answer[:1] != ["OK"]:
            raise ValueError(f"{command}: {' '.join(answer) or 'QEMU has ended'}")
        return answer[1:]

    def read(self, key, size):
        """So many bytes of the item with a key."""
        if not size:
            return b""
        request = struct.pack(">IIQ", key << 16 | SELECT | READ, size, BUFFER)
        self._ask(f"write {REQUEST:#x} {len(request)} 0x{request.hex()}")
        # The machine is little-endian, the register is not.
        self._ask(f"writeq {DMA:#x} {int.from_bytes(REQUEST.to_bytes(8, 'big'), 'little'):#x}")
        if self._ask(f"read {REQUEST:#x} 4") != ["0x00000000"]:
            raise ValueError(f"fw_cfg: item {key:#x} is not read")
        (content,) = self._ask(f"read {BUFFER:#x} {size}")
        return bytes.fromhex(content.removeprefix("0x"))

    def files(self, prefix):
        """The files whose names begin so: bytes by their names."""
        (count,) = struct.unpack(">I", self.read(DIRECTORY, 4))
        listed = self.read(DIRECTORY, 4 + count * ENTRY.size)[4:]
        found = {}
        for size, key, _, name in ENTRY.iter_unpack(listed):
            text = name.partition(b"\0")[0].decode()
            if text.startswith(prefix):
                found[text] = self.read(key, size)
        return found
