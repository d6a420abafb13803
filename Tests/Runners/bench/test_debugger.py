# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The debugger's and the monitor's connection, against a stub that says what it is told to."""

import pathlib
import socket
import tempfile
import threading
import unittest

from Runners import qemu
from Runners.bench import debugger


class Stub:
    """Listens at `path` and plays a dialogue once: pairs of what is read and what is written then."""

    def __init__(self, test, dialogue):
        directory = tempfile.TemporaryDirectory()
        test.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / "socket"
        self.unexpected = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._play, args=(dialogue,))
        self._thread.start()
        test.addCleanup(self._thread.join)
        test.addCleanup(self._listener.close)

    def _play(self, dialogue):
        connection, _ = self._listener.accept()
        connection.settimeout(10)
        with connection:
            for asked, pieces in dialogue:
                got = b""
                while len(got) < len(asked):
                    got += connection.recv(len(asked) - len(got))
                if got != asked:
                    self.unexpected.append(got)
                for piece in pieces:
                    connection.sendall(piece)


class Packets(unittest.TestCase):
    def test_frame(self):
        self.assertEqual(debugger.frame(b"OK"), b"$OK#9a")

    def test_registers(self):
        reply = b"".join(index.to_bytes(8, "little").hex().encode() for index in range(33)) + b"00" * 9
        self.assertEqual(debugger.registers(reply), list(range(33)))
        with self.assertRaises(ValueError):
            debugger.registers(reply[:500])

    def test_stopped(self):
        self.assertEqual(debugger.stopped(b"T05thread:01;"), b"01")
        for end in (b"W00", b"X09"):
            with self.assertRaises(debugger.Gone):
                debugger.stopped(end)
        with self.assertRaises(ValueError):
            debugger.stopped(b"T02thread:01;")


class Dialogues(unittest.TestCase):
    def connect(self, *dialogue):
        self.stub = Stub(self, dialogue)
        target = debugger.Debugger(qemu.connect(self.stub.path, 10))
        self.addCleanup(target.close)
        return target

    def test_breakpoint_and_stop_in_pieces(self):
        frame = debugger.frame
        target = self.connect(
            (frame(b"Z0,1000,4"), (b"+", frame(b"OK"))),
            (b"+", ()),
            (frame(b"c"), (b"+$T05thr", b"ead:02;#", b"08")),
            (b"+", ()),
            (frame(b"z0,1000,4"), (b"+" + frame(b"OK"),)),
        )
        target.set_breakpoint(0x1000)
        self.assertEqual(target.run(), b"02")
        target.clear_breakpoint(0x1000)
        self.assertEqual(self.stub.unexpected, [])

    def test_a_breakpoint_that_is_refused(self):
        target = self.connect((debugger.frame(b"Z0,10,4"), (debugger.frame(b"E22"),)))
        with self.assertRaises(ValueError):
            target.set_breakpoint(0x10)

    def test_text(self):
        target = self.connect(
            (debugger.frame(b"m2000,40"), (debugger.frame(b"boot\0rest".hex().encode()),))
        )
        self.assertEqual(target.text(0x2000), "boot")

    def test_the_end(self):
        target = self.connect((debugger.frame(b"c"), ()))
        with self.assertRaises(debugger.Gone):
            target.run()


class Monitors(unittest.TestCase):
    HELLO = (b"", (b'{"QMP": {}}\n',))
    READY = (b'{"execute": "qmp_capabilities"}\n', (b'{"return": {}}\n',))

    def test_instructions(self):
        question = b'{"execute": "query-replay"}\n'
        answers = (b'{"event": "STOP"}\n', b'{"return": {"mode": "none", "icount": 17}}\n')
        stub = Stub(self, (self.HELLO, self.READY, (question, answers)))
        connected = qemu.Monitor(qemu.connect(stub.path, 10))
        self.addCleanup(connected.close)
        self.assertEqual(connected.instructions(), 17)
        self.assertEqual(stub.unexpected, [])

    def test_an_error(self):
        question = b'{"execute": "nonsense"}\n'
        answer = b'{"error": {"desc": "not known"}}\n'
        stub = Stub(self, (self.HELLO, self.READY, (question, (answer,))))
        connected = qemu.Monitor(qemu.connect(stub.path, 10))
        self.addCleanup(connected.close)
        with self.assertRaises(ValueError):
            connected.ask("nonsense")
        with self.assertRaises((EOFError, OSError)):
            connected.ask("more")
