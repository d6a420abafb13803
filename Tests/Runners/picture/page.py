# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""A picture as rsvg-convert draws it: where its texts really are, and what is wrong with that.

Nothing here knows how wide the program took a text to be.
"""

import copy
import re
import subprocess
import xml.etree.ElementTree as ET

from Runners.picture import png

NAMESPACE = "{http://www.w3.org/2000/svg}"
ET.register_namespace("", NAMESPACE[1:-1])
# What must be blank at each edge, in pixels.
BLANK = 16
# DIN A4 upright, as high as it is for this width.
LONGEST = 1697
ELEMENTS = {NAMESPACE + name for name in ("svg", "title", "rect", "text", "polyline", "polygon", "path")}
# A pixel with less is the soft edge of a character.
OPAQUE = 64
IS_OPAQUE = bytes(value > OPAQUE for value in range(256))
# Each text gets a strip of its own to be measured in, wide enough for one that leaves the page.
STRIP, LINE, BEYOND = 40, 28, 300


def render(root):
    """The width and the rows of opacity of a tree of SVG."""
    data = subprocess.run(
        ["rsvg-convert"], input=ET.tostring(root), stdout=subprocess.PIPE, check=True
    ).stdout
    return png.alpha_rows(data)


def extent(rows, left):
    """(left, top, right, bottom) of what is opaque in the rows, of which the first pixel is at `left`; None: nothing."""
    marked = [(y, row.translate(IS_OPAQUE)) for y, row in enumerate(rows)]
    inked = [(y, row.find(1), row.rfind(1)) for y, row in marked if 1 in row]
    if not inked:
        return None
    first, last = min(first for _, first, _ in inked), max(last for _, _, last in inked)
    return left + first, inked[0][0], left + last + 1, inked[-1][0] + 1


def text_of(element):
    """What is shown of a text, without its title."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def measured(root):
    """The texts, each with where it is drawn."""
    texts = list(root.iter(NAMESPACE + "text"))
    width = int(root.get("width"))
    strips = ET.Element(
        NAMESPACE + "svg", root.attrib | {
            "width": str(width + 2 * BEYOND), "height": str(STRIP * len(texts)),
            "viewBox": f"{-BEYOND} 0 {width + 2 * BEYOND} {STRIP * len(texts)}",
        },
    )  # fmt: skip
    for number, text in enumerate(texts):
        strips.append(copy.deepcopy(text))
        strips[-1].set("y", str(STRIP * number + LINE))
    _, rows = render(strips)
    for number, text in enumerate(texts):
        box = extent(rows[STRIP * number : STRIP * (number + 1)], -BEYOND)
        if box:
            down = int(text.get("y")) - LINE
            box = (box[0], box[1] + down, box[2], box[3] + down)
        yield text_of(text), box


def shape_box(element):
    """(left, top, right, bottom) of a shape."""
    if element.tag == NAMESPACE + "rect":
        x, y, width, height = (int(element.get(name, "0")) for name in ("x", "y", "width", "height"))
        return x, y, x + width, y + height
    numbers = [int(number) for number in re.findall(r"-?\d+", element.get("points") or element.get("d"))]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def meet(a, b):
    """Whether two boxes have a pixel in common; a line is a box without a width."""
    return a[0] < max(b[2], b[0] + 1) and b[0] < a[2] and a[1] < max(b[3], b[1] + 1) and b[1] < a[3]


def inside(inner, outer):
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]
    )


def faults(root):
    """What is wrong with a picture."""
    width, height = int(root.get("width")), int(root.get("height"))
    if height > LONGEST:
        yield f"{height} pixels high"
    for element in root.iter():
        if element.tag not in ELEMENTS:
            yield f"element {element.tag}"
    page = (BLANK, BLANK, width - BLANK, height - BLANK)
    background, *shapes = [
        (element.tag, shape_box(element)) for element in root
        if element.tag not in (NAMESPACE + "text", NAMESPACE + "title")
    ]  # fmt: skip
    if background[1] != (0, 0, width, height):
        yield "no background"
    texts = list(measured(root))
    for number, (text, box) in enumerate(texts):
        if box is None:
            yield f"{text!r} is not drawn"
            continue
        if not inside(box, page):
            yield f"{text!r} leaves the page: {box}"
        for other, other_box in texts[:number]:
            if other_box and meet(box, other_box):
                yield f"{text!r} and {other!r} overlap: {box} {other_box}"
        for tag, shape in shapes:
            # A text may stand in a rectangle, and nothing else.
            if meet(box, shape) and not (tag == NAMESPACE + "rect" and inside(box, shape)):
                yield f"{text!r} and a {tag.removeprefix(NAMESPACE)} overlap: {box} {shape}"
    yield from edge_faults(root, width, height)


def edge_faults(root, width, height):
    """Whether anything but the background is drawn at an edge."""
    bare = copy.deepcopy(root)
    bare.remove(next(element for element in bare if element.tag == NAMESPACE + "rect"))
    for x, y, right, bottom in (
        (0, 0, width, BLANK), (0, height - BLANK, width, height), (0, 0, BLANK, height), (width - BLANK, 0, width, height),
    ):  # fmt: skip
        bare.set("width", str(right - x))
        bare.set("height", str(bottom - y))
        bare.set("viewBox", f"{x} {y} {right - x} {bottom - y}")
        drawn_width, rows = render(bare)
        if (drawn_width, len(rows)) != (right - x, bottom - y):
            yield f"drawn as {drawn_width} by {len(rows)}"
        if any(map(any, rows)):
            yield f"the edge from {x} {y} to {right} {bottom} is not blank"
