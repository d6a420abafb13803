# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Trees that are changed."""

import struct
import unittest

from Runners.board import flattree


def tree(*items):
    """A flattened tree: `{` with a name and `}` are nodes, pairs are properties."""
    strings = b""
    structure = b""

    def padded(data):
        return data + bytes(-len(data) % 4)

    for item in items:
        if item == "}":
            structure += struct.pack(">I", flattree.END_NODE)
        elif isinstance(item, str):
            structure += struct.pack(">2I", flattree.NOP, flattree.BEGIN_NODE)
            structure += padded(item.encode() + b"\0")
        else:
            name, value = item
            structure += struct.pack(">3I", flattree.PROPERTY, len(value), len(strings))
            structure += padded(value)
            strings += name.encode() + b"\0"
    structure += struct.pack(">I", flattree.END)
    head = struct.pack(">4I", flattree.MAGIC, 0, 40, 40 + len(structure))
    rest = struct.pack(">6I", 0, 17, 16, 0, len(strings), len(structure))
    return head + rest + structure + strings


class Cells(unittest.TestCase):
    def setUp(self):
        self.tree = tree(
            "", ("x", b"abc"), "pcie", ("map", struct.pack(">4I", 0, 7, 0, 0x10000)), ("y", b""), "}", "}"
        )  # fmt: skip

    def test_properties(self):
        found = [(path, name, length) for path, name, _, length in flattree.properties(self.tree)]
        self.assertEqual(found, [("/", "x", 3), ("/pcie", "map", 16), ("/pcie", "y", 0)])

    def test_change(self):
        changed = flattree.with_cells(self.tree, "map", lambda cells: [*cells[:3], 8])
        self.assertEqual(len(changed), len(self.tree))
        [(_, _, at, _)] = [each for each in flattree.properties(changed) if each[1] == "map"]
        self.assertEqual(struct.unpack_from(">4I", changed, at), (0, 7, 0, 8))
        self.assertEqual([a == b for a, b in zip(changed, self.tree)].count(False), 2)

    def test_a_property_of_a_node(self):
        two = tree("", "a", ("reg", bytes(4)), "}", "b", ("reg", bytes(4)), "}", "}")
        changed = flattree.with_cells(two, "b/reg", lambda cells: [5])
        self.assertEqual(changed.count(struct.pack(">I", 5)), 1)
        with self.assertRaises(ValueError):
            flattree.with_cells(two, "reg", list)

    def test_one_more_node(self):
        more = flattree.with_node(self.tree, "bank@8", device_type="memory", reg=[0, 8])
        found = [(path, name, length) for path, name, _, length in flattree.properties(more)]
        self.assertEqual(found[-2:], [("/bank@8", "device_type", 7), ("/bank@8", "reg", 8)])
        self.assertEqual(found[:-2], [(p, n, length) for p, n, _, length in flattree.properties(self.tree)])
        self.assertEqual(struct.unpack_from(">I", more, 4), (len(more),))

    def test_room_is_taken_off(self):
        small = flattree.packed(self.tree + bytes(1 << 20))
        self.assertEqual(len(small) % 8, 0)
        self.assertLess(len(small) - len(self.tree), 8)
        self.assertEqual(struct.unpack_from(">I", small, 4), (len(small),))
        self.assertEqual(list(flattree.properties(small)), list(flattree.properties(self.tree)))

    def test_what_cannot_be(self):
        for name, change in (("none", list), ("map", lambda cells: cells[:3])):
            with self.assertRaises((ValueError, struct.error)):
                flattree.with_cells(self.tree, name, change)
        with self.assertRaises(ValueError):
            flattree.with_cells(tree("", ("x", b"1234"), ("x", b"1234"), "}"), "x", list)
        with self.assertRaises(ValueError):
            list(flattree.properties(b"no tree at all..."))
