# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest

from Runners.efi import stick


class StickTests(unittest.TestCase):
    def test_files_and_folders_are_read_back(self):
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            source = directory / "kernel"
            source.write_bytes(bytes(range(256)) * 4096)
            made = stick.write(directory / "stick", {"linux.efi": source, "EFI/BOOT/grub.cfg": b"boot\n"})
            self.assertEqual(stick.read(made, "linux.efi"), source.read_bytes())
            self.assertEqual(stick.read(made, "efi/boot/GRUB.CFG"), b"boot\n")

    def test_a_stick_is_as_large_as_its_files(self):
        with tempfile.TemporaryDirectory() as name:
            large = bytes(stick.LEAST)
            made = stick.write(pathlib.Path(name) / "stick", {"large": large})
            self.assertEqual(made.stat().st_size, stick.LEAST + stick.SPARE)
            self.assertEqual(stick.read(made, "large"), large)

    def test_a_script_begins_on_the_stick(self):
        self.assertEqual(stick.script("ver"), b"@echo -off\r\nfs0:\r\nver\r\n")


if __name__ == "__main__":
    unittest.main()
