# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The least of GDB's remote protocol that stops a machine at an instruction and looks at it.

There is no single step: with a clock that counts instructions QEMU can hang behind it. To go on from a
breakpoint, clear it and set another one behind it.
"""

import contextlib

# The general registers x0 to x30, sp and pc, 8 bytes each, come first in the reply to `g`.
REGISTERS = 33
PC = 32


class Gone(Exception):
    """The machine has ended."""


def frame(payload):
    """A packet: the payload between `$` and `#`, then its sum."""
    return b"$%s#%02x" % (payload, sum(payload) & 0xFF)


def registers(reply):
    """The general registers in the reply to `g`."""
    raw = bytes.fromhex(reply[: 16 * REGISTERS].decode())
    if len(raw) != 8 * REGISTERS:
        raise ValueError(f"too few registers: {reply!r}")
    return [int.from_bytes(raw[8 * index : 8 * index + 8], "little") for index in range(REGISTERS)]


def stopped(reply):
    """The CPU that has stopped at a breakpoint; raises Gone where the machine has ended."""
    if reply[:1] in (b"W", b"X"):
        raise Gone
    if not reply.startswith(b"T05thread:"):
        raise ValueError(f"not stopped at a breakpoint: {reply!r}")
    return reply.removeprefix(b"T05thread:").rstrip(b";")


class Debugger:
    """A connection to QEMU's stub, on a machine that stands still between two calls."""

    def __init__(self, connection):
        self._socket = connection
        self._rest = b""

    def close(self):
        """Ends the connection."""
        self._socket.close()

    def set_breakpoint(self, address):
        """Stops the machine before the instruction at this virtual address, of whatever program."""
        self._expect(b"Z0,%x,4" % address)

    def clear_breakpoint(self, address):
        """Undoes `set_breakpoint`."""
        self._expect(b"z0,%x,4" % address)

    def run(self):
        """Lets the machine run until it stops at a breakpoint; returns the CPU that stands there. Raises
        Gone where the machine ends."""
        return stopped(self._ask(b"c"))

    def registers(self):
        """The general registers of the CPU that has stopped."""
        return registers(self._ask(b"g"))

    def text(self, address, limit=64):
        """The text at this virtual address, which ends in a zero byte."""
        raw = bytes.fromhex(self._ask(b"m%x,%x" % (address, limit)).decode())
        return raw.partition(b"\0")[0].decode()

    def _expect(self, payload):
        reply = self._ask(payload)
        if reply != b"OK":
            raise ValueError(f"{payload!r}: {reply!r}")

    def _ask(self, payload):
        self._socket.sendall(frame(payload))
        return self._packet()

    def _packet(self):
        """The next packet, which is acknowledged."""
        while True:
            begin = self._rest.find(b"$")
            end = self._rest.find(b"#", begin)
            if begin >= 0 and 0 <= end <= len(self._rest) - 3:
                packet = self._rest[begin + 1 : end]
                self._rest = self._rest[end + 3 :]
                # One that tells of its end does not wait for this.
                with contextlib.suppress(BrokenPipeError):
                    self._socket.sendall(b"+")
                return packet
            chunk = self._socket.recv(4096)
            if not chunk:
                raise Gone
            self._rest += chunk
