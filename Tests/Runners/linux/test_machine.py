# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What is typed at U-Boot, and what a board has."""

import pathlib
import tempfile
import types
import unittest
import unittest.mock

from Runners import pace
from Runners.linux import machine


class Paced(unittest.TestCase):
    """A test for which the machine has a pace, and not what it is measured at."""

    pace = 1.0

    def setUp(self):
        paced = unittest.mock.patch.object(pace, "factor", lambda: self.pace)
        paced.start()
        self.addCleanup(paced.stop)


class Dialogue(Paced):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        kernel = pathlib.Path(directory.name) / "kernel"
        ramdisk = pathlib.Path(directory.name) / "ramdisk"
        kernel.write_bytes(bytes(0x1230))
        ramdisk.write_bytes(bytes(0x456))
        self.images = types.SimpleNamespace(kernel=kernel, ramdisk=ramdisk)

    def test_nothing_without_u_boot(self):
        self.assertEqual(machine.dialogue(machine.Machine(), self.images), ())

    def test_modules(self):
        each = machine.Machine(u_boot=True)
        self.assertIn("u-boot", each.title)
        typed = [text.decode() for _, text in machine.dialogue(each, self.images, "a=b")]
        self.assertEqual(typed[0], "\n", "it would start by itself")
        self.assertEqual(typed[-1], "booti 48200000 - 47000000\n")
        self.assertIn("fdt set /chosen/kernel@50000000 reg <0 0x50000000 0 0x1230>\n", typed)
        self.assertIn("fdt set /chosen/ramdisk@58000000 reg <0 0x58000000 0 0x456>\n", typed)
        self.assertIn(
            'fdt set /chosen/kernel@50000000 bootargs "console=ttyAMA0 a=b"\n', typed
        )

    def test_files_lie_in_memory(self):
        each = machine.Machine(u_boot=True)
        words = machine.arguments(each, self.images, ("disk0", "disk1"), "el2.img")
        self.assertNotIn("-kernel", words)
        loaded = [word for word in words if word.startswith("loader,")]
        self.assertEqual([word.split("addr=")[1] for word in loaded], [
            "0x48200000,force-raw=on", "0x50000000,force-raw=on", "0x58000000,force-raw=on",
        ])  # fmt: skip


class Behind(Paced):
    images = types.SimpleNamespace(kernel="kernel", ramdisk="ramdisk")

    def words(self, smmu, el2):
        each = machine.Machine(smmu=smmu)
        return machine.arguments(each, self.images, ("disk0", "disk1"), "el2.img" if el2 else None)

    def test_who_has_an_smmu(self):
        for smmu, el2, has in (
            ("", True, False), ("", False, False), ("owned", True, True), ("owned", False, False),
            ("nested", True, True), ("nested", False, True),
        ):  # fmt: skip
            words = self.words(smmu, el2)
            board = words[words.index("-M") + 1]
            self.assertEqual("iommu=smmuv3" in board, has, (smmu, el2))
            # The devices are the same on the boards that are compared.
            devices = [word for word in words if word.startswith("virtio-")]
            self.assertEqual(len(devices), 3)
            for device in devices:
                self.assertEqual(bool(smmu), device.endswith(",iommu_platform=on,disable-legacy=on"))

    def test_words(self):
        self.assertIn("portcullis.smmu=owned", self.words("owned", True))
        nested = self.words("nested", True)
        self.assertIn("portcullis.smmu=nested", nested)
        self.assertTrue(any("bootargs=console=ttyAMA0 iommu.passthrough=0" in word for word in nested))
        self.assertIn("console=ttyAMA0 iommu.passthrough=0", self.words("nested", False))
        self.assertFalse(any("passthrough" in word for word in self.words("owned", True)))

    def test_a_slow_machine_waits_longer(self):
        self.assertFalse(any("PACE" in word for word in self.words("", False)))
        self.pace = 1.4
        self.assertFalse(any("PACE" in word for word in self.words("", False)))
        self.pace = 2.2
        self.assertIn("console=ttyAMA0 PACE=2 watchdog_thresh=20", self.words("", False))

    def test_title(self):
        self.assertTrue(machine.Machine(smmu="owned").title.endswith(" smmu=owned"))
        self.assertNotIn("smmu", machine.Machine().title)
