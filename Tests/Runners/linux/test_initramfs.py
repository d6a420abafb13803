# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The initial RAM file system: its form, and the order of the modules."""

import lzma
import pathlib
import tempfile
import unittest
import unittest.mock

from Runners.linux import initramfs


def entries(archive):
    """The entries of an archive in their order: (name, mode, content)."""
    offset = 0
    while True:
        head = archive[offset : offset + 110]
        assert head[:6] == b"070701", offset
        fields = [int(head[6 + 8 * index : 14 + 8 * index], 16) for index in range(13)]
        offset += 110
        name = archive[offset : offset + fields[11] - 1].decode()
        offset += fields[11]
        offset += -offset % 4
        content = archive[offset : offset + fields[6]]
        offset += fields[6]
        offset += -offset % 4
        if name == initramfs.TRAILER:
            assert offset == len(archive)
            return
        yield name, fields[1], content


def module(*dependencies):
    return b"\x7fELF\0name=x\0depends=" + ",".join(dependencies).encode() + b"\0vermagic=6\0"


class Archive(unittest.TestCase):
    def test_parents_come_first_and_once(self):
        archive = initramfs.Archive()
        archive.add_file("a/b/c", b"12345", executable=True)
        archive.add_file("a/d", b"")
        archive.add_link("a/e", "b/c")
        found = list(entries(archive.finish()))
        self.assertEqual([name for name, _, _ in found], ["a", "a/b", "a/b/c", "a/d", "a/e"])
        self.assertEqual([mode for _, mode, _ in found], [0o40755, 0o40755, 0o100755, 0o100644, 0o120777])
        self.assertEqual(found[2][2], b"12345")
        self.assertEqual(found[4][2], b"b/c")


class Whole(unittest.TestCase):
    def test_what_is_in_it(self):
        kernel = unittest.mock.Mock()
        kernel.in_order.return_value = [("b", b"of b"), ("a", b"of a")]
        with tempfile.TemporaryDirectory() as name:
            own = pathlib.Path(name) / "own.ko"
            own.write_bytes(b"of own")
            scripts = {"init": b"#!/bin/sh", "bin/tool": b"#!/bin/sh"}
            archive = initramfs.build(kernel, b"busybox", scripts, [own])
        found = {name: (mode, content) for name, mode, content in entries(archive)}
        self.assertEqual(found["modules/order"][1], b"b\na\n")
        self.assertEqual(found["modules/own.ko"][1], b"of own")
        self.assertEqual(found["init"], (0o100755, b"#!/bin/sh"))
        self.assertEqual(found["bin/tool"][0], 0o100755)
        self.assertEqual(found["bin/sh"], (0o120777, b"busybox"))
        self.assertEqual(found["dev/console"][0], 0o20600)


class Modules(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "boot").mkdir()
        (self.root / "boot" / "vmlinuz-6").write_bytes(b"kernel")
        self.modules = self.root / "lib" / "modules" / "6"
        (self.modules / "kernel" / "drivers").mkdir(parents=True)
        (self.modules / "modules.builtin").write_text("kernel/lib/crc-t10dif.ko\n")

    def add(self, name, *dependencies, compress=False):
        content = module(*dependencies)
        path = self.modules / "kernel" / "drivers" / f"{name}.ko"
        if compress:
            path = path.with_suffix(".ko.xz")
            content = lzma.compress(content)
        path.write_bytes(content)

    def order(self, *names):
        return [name for name, _ in initramfs.Kernel(self.root).in_order(names)]

    def test_dependencies_come_first_and_once(self):
        self.add("virtio-net", "failover", "net_failover", compress=True)
        self.add("net_failover", "failover")
        self.add("failover")
        self.assertEqual(
            self.order("failover", "virtio_net"), ["failover", "net_failover", "virtio_net"]
        )

    def test_what_is_built_in_is_left_out(self):
        self.add("nvme", "crc_t10dif")
        self.assertEqual(self.order("nvme", "crc_t10dif"), ["nvme"])

    def test_a_package_may_have_all_below_usr(self):
        (self.root / "usr").mkdir()
        (self.root / "lib").rename(self.root / "usr" / "lib")
        self.modules = self.root / "usr" / "lib" / "modules" / "6"
        (self.root / "boot" / "vmlinuz-6").rename(self.modules / "vmlinuz")
        self.add("nvme")
        self.assertEqual(self.order("nvme"), ["nvme"])
        self.assertEqual(initramfs.Kernel(self.root).image, self.modules / "vmlinuz")

    def test_of_two_kernels_none_is_taken(self):
        (self.modules / "vmlinuz").write_bytes(b"kernel")
        with self.assertRaises(ValueError):
            initramfs.Kernel(self.root)

    def test_a_program_is_found_where_either_release_puts_it(self):
        for directory in ("bin", "usr/bin"):
            path = self.root / directory / "busybox"
            with self.assertRaises(ValueError):
                initramfs.program(self.root, "busybox")
            path.parent.mkdir(parents=True)
            path.write_bytes(b"busybox")
            self.assertEqual(initramfs.program(self.root, "busybox"), path)
            path.unlink()

    def test_content_is_unpacked(self):
        self.add("nvme", compress=True)
        kernel = initramfs.Kernel(self.root)
        self.assertEqual(kernel.in_order(["nvme"]), [("nvme", module())])

    def test_what_cannot_be_loaded_is_refused(self):
        self.add("a", "b")
        self.add("b", "a")
        for name in ("a", "missing"):
            with self.assertRaises(ValueError):
                self.order(name)
