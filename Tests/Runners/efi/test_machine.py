# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import unittest

from Runners.efi import machine

PRINTED = [
    "UEFI firmware (version  built at 13:10:49)",
    "\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: starting Boot0002",
    "\x1b[1m\x1b[33mportcullis: GICv3",
    "EFI stub: Exiting boot services...",
    "ok 1 - first",
    "UEFI firmware (version  built at 13:10:49)",
    "Shell> ",
    "EFI stub: Booting Linux Kernel...",
    "EFI stub: Exiting boot services...",
    "ok 2 - second",
]


class LineTests(unittest.TestCase):
    def test_what_firmware_says_is_left_out_each_time_it_starts(self):
        found = list(machine.without_firmware(PRINTED))
        self.assertEqual(found, ["portcullis: GICv3", "ok 1 - first", "ok 2 - second"])

    def test_a_line_that_is_written_over_is_the_last_of_it(self):
        self.assertEqual(list(machine.plain(["\x1b[01;01Hfive\rfour"])), ["four"])
        self.assertEqual(list(machine.plain(["  a menu \x1b[0m\x1b[2J\x1b[1;01H\x1b[33mfour"])), ["four"])


class MachineTests(unittest.TestCase):
    def test_the_source_of_the_board_is_in_the_title_and_in_the_options(self):
        tree = machine.Machine(acpi=False, processor="max")
        self.assertTrue(tree.title.endswith(" efi tree"))
        self.assertEqual(tree.options, "mte=on,acpi=off")
        self.assertEqual(machine.Machine().options, "")
        self.assertEqual([tree.column, machine.Machine().column], ["6.1 v3 tree", "6.1 v3 acpi"])

    def test_by_psci_linux_has_no_runtime_services(self):
        self.assertIn("efi=noruntime", machine.linux_words(machine.Machine(psci=True), ""))
        self.assertNotIn("noruntime", machine.linux_words(machine.Machine(), ""))

    def test_either_script_starts_portcullis_and_then_linux(self):
        (shell,) = machine.shell_script(["portcullis.efi"], "quiet").values()
        self.assertEqual(shell.split(b"\r\n")[2:4], [b"portcullis.efi", b"linux.efi initrd=initrd quiet"])
        (grub,) = machine.grub_script(["portcullis.efi"], "quiet").values()
        linux = b"linux /linux.efi quiet\ninitrd /initrd\nboot\n"
        begin, _, rest = grub.partition(b"if boot; then\n")
        self.assertTrue(begin.endswith(b"\nchainloader ($stick)/portcullis.efi\n"))
        self.assertEqual(rest, linux + b"fi\n")
        self.assertEqual(machine.grub_script([], "quiet"), {machine.GRUB_SCRIPT: linux})

    def test_systemd_boot_offers_portcullis_first(self):
        files = machine.systemd_boot_entries(["portcullis.efi portcullis.log=error"], "quiet")
        self.assertEqual(files["loader/loader.conf"], b"default portcullis.conf\ntimeout 1\n")
        due = b"title Portcullis\nefi /portcullis.efi\noptions portcullis.log=error\n"
        self.assertEqual(files["loader/entries/portcullis.conf"], due)
        bare = machine.systemd_boot_entries([], "quiet")
        self.assertEqual(bare["loader/loader.conf"], b"default linux.conf\ntimeout 1\n")
        self.assertEqual(len(bare), 2)

    def test_only_a_menu_that_comes_back_is_answered(self):
        board = machine.Machine(loader=machine.SYSTEMD_BOOT)
        self.assertEqual(len(machine.dialogue(board, True, starts=1)), 3)
        self.assertEqual(machine.dialogue(board, False), machine.dialogue(machine.Machine(), True))

    def test_an_smmu_is_an_option_of_the_application(self):
        self.assertEqual(machine.application_command(machine.Machine()), "portcullis.efi")
        owned = machine.application_command(machine.Machine(smmu="owned"), "portcullis.log=error")
        self.assertEqual(owned, "portcullis.efi portcullis.smmu=owned portcullis.log=error")


if __name__ == "__main__":
    unittest.main()
