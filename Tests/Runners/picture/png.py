# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What of a PNG image is not transparent (ISO/IEC 15948)."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def alpha_rows(data):
    """The width of an image, and its rows, each with a byte of opacity for a pixel.

    Filters work on each channel by itself, so that the colours need not be looked at. Raises ValueError for an image
    that has no opacity, or is not what rsvg-convert writes.
    """
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG image")
    place, packed, header = len(SIGNATURE), b"", None
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        place += 12 + length
    width, height, depth, colours, _, _, interlaced = header
    if (depth, colours, interlaced) != (8, 6, 0):
        raise ValueError("not 8 bits each of red, green, blue and opacity")
    raw = zlib.decompress(packed)
    stride = 1 + 4 * width
    rows, above = [], bytes(width)
    for start in range(0, height * stride, stride):
        above = unfiltered(raw[start], raw[start + 4 : start + stride : 4], above)
        rows.append(above)
    return width, rows


def unfiltered(kind, line, above):
    """A line without its filter."""
    result = bytearray(len(line))
    # Most of a line is empty, and so is what the filters make of nothing beside and above nothing.
    begin = min(len(data) - len(data.lstrip(b"\0")) for data in (line, above))
    end = max(len(data.rstrip(b"\0")) for data in (line, above))
    left = corner = 0
    for index in range(begin, len(line)):
        if index >= end and not left and not corner:
            break
        up, byte = above[index], line[index]
        if kind == 0:
            guess = 0
        elif kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        else:
            guess = paeth(left, up, corner)
        left = result[index] = (byte + guess) & 0xFF
        corner = up
    return bytes(result)


def paeth(left, up, corner):
    """The neighbour that is nearest to left + up - corner."""
    to_left, to_up = abs(up - corner), abs(left - corner)
    to_corner = abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner
