# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""QEMU's monitor."""

import json
import socket


class Monitor:
    """A connection to QEMU's monitor, in its own protocol QMP."""

    def __init__(self, path, seconds):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(seconds)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw")
        self._file.readline()
        self.ask("qmp_capabilities")

    def close(self):
        """Ends the connection."""
        self._socket.close()

    def ask(self, command):
        """The answer to a command; events in between are left aside."""
        self._file.write(json.dumps({"execute": command}) + "\n")
        self._file.flush()
        while line := self._file.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise ValueError(f"{command}: {answer['error']['desc']}")
        raise EOFError(f"{command}: QEMU has ended")

    def instructions(self):
        """How many instructions all CPUs have executed since reset. The machine must stand still."""
        return self.ask("query-replay")["icount"]
