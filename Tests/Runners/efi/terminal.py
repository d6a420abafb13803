# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Starts a board by UEFI on this terminal: its shell, Portcullis, and an unmodified Linux."""

import pathlib
import sys
import tempfile

from Runners import commandline, qemu
from Runners.efi import machine
from Runners.linux import machine as linux


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "image")
    linux.add_options(parser, 2)
    parser.add_argument("--tree", action="store_true", help="a board that a device tree describes, and not ACPI")
    options = parser.parse_args()

    board = machine.Machine(
        options.kernel, options.gic, options.cpus, options.processor, acpi=not options.tree
    )
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        images = linux.Images(options.fetched, board.kernel, options.tools, directory, more=machine.MODULES)
        arguments = machine.arguments(board, images, directory, options.fetched, options.image)
        print(f"# {board.title}; Esc before its script leads to UEFI's shell, startup.nsh goes on; Ctrl-A X ends QEMU", flush=True)
        return qemu.interact([options.qemu, *arguments])


if __name__ == "__main__":
    sys.exit(main())
