# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The test host as a payload that a loader puts in memory, told apart from the built-in one.

Portcullis falls back to its built-in host where it sees no payload, and that one passes the same
tests. So a payload is a copy of the test host that ends with other words: a run that does not print
them was not a run of the payload.
"""

import struct

BUILT_IN = b" tests passed\n"
LOADED = b" tests PASSED\n"

# The boot protocol's header for arm64: 64 bytes, the size in memory at 16, the magic at 56.
HEADER_SIZE = 64
OFFSET_AT = 8
SIZE_AT = 16
MAGIC_AT = 56
MAGIC = b"ARM\x64"


def image(testhost, text_offset=0, appended=0):
    """The bytes of `testhost` as an arm64 `Image` of its own words, with this text offset in its header, and with so
    many bytes behind the memory that the header tells of."""
    if len(testhost) < HEADER_SIZE or testhost[MAGIC_AT : MAGIC_AT + 4] != MAGIC:
        raise ValueError("the test host has no header of the arm64 boot protocol")
    if testhost.count(BUILT_IN) != 1:
        raise ValueError(f"the test host does not hold {BUILT_IN!r} once")
    made = bytearray(testhost.replace(BUILT_IN, LOADED))
    struct.pack_into("<Q", made, OFFSET_AT, text_offset)
    if appended:
        (size,) = struct.unpack_from("<Q", made, SIZE_AT)
        made = made.ljust(size + appended, b"\0")
    return bytes(made)


def flat(testhost):
    """The same without a header to go by: all of its memory in the file, entered at its first byte."""
    payload = bytearray(image(testhost))
    (size,) = struct.unpack_from("<Q", payload, SIZE_AT)
    payload[MAGIC_AT : MAGIC_AT + 4] = bytes(4)
    return bytes(payload.ljust(size, b"\0"))


def entry(image):
    """Code of a loader that has used SP_EL0, and enters the image at this address without a tree."""
    high, low = divmod(image, 1 << 16)
    if low or high >> 16:
        raise ValueError(f"{image:#x} is not made by one instruction")
    # MSR SPSel, #0; MOV X0, #0; MOVZ X1, #high, LSL #16; BR X1.
    return struct.pack("<4I", 0xD50040BF, 0xD2800000, 0xD2A00001 | high << 5, 0xD61F0020)
