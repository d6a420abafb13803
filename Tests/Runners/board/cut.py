# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts the first RECORDS records of a console log of `make trace` down to a small trace, as bytes.

Left out are the loads that change nothing, and the stores to registers that are read only or reserved.
To be done anew when the mediation asks something else of the hardware: see Tests/ReplayTests/Traces/attacks.trace.
"""

import pathlib
import struct

from Runners import commandline
from Runners.board import trace

ACCESS = 5
SETUP = {1, 2, 3, 4}
WRITABLE = {0x00, 0x80, 0x88, *range(0x100, 0x140, 8)}
READ_POINTER = 0x90


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("--records", type=int, default=2575)
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("trace", type=pathlib.Path)
    options = parser.parse_args()

    lines = options.log.read_text("utf-8").splitlines()
    digits = [line[len(trace.MARK) :] for line in lines if line.startswith(trace.MARK)]
    kept = []
    trap = []
    for record in digits[: options.records]:
        words = [int(record[at : at + 16], 16) for at in range(0, 128, 16)]
        kind = words[0] & 0xFF
        if kind in SETUP:
            kept.append(words)
            continue
        trap.append(words)
        if kind == ACCESS:
            offset = words[2] & ~7
            if offset in (WRITABLE if words[0] >> 32 & 1 else {READ_POINTER}):
                kept += trap
            trap = []
    options.trace.write_bytes(b"".join(struct.pack("<8Q", *words) for words in kept))


if __name__ == "__main__":
    main()
