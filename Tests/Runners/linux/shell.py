# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an unmodified Linux under Portcullis, with a shell on this terminal."""

import pathlib
import sys
import tempfile

from Runners import qemu
from Runners.linux import commandline, machine


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("image", type=pathlib.Path, help="the EL2 image")
    commandline.add_machine(parser, 2)
    options = parser.parse_args()

    board = commandline.chosen_machine(options)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        images = machine.Images(options.fetched, board.kernel, options.toolchain, directory)
        disks = machine.make_disks(directory)
        arguments = machine.arguments(board, images, disks, options.image)
        print(f"# {board.title}; Ctrl-A X ends QEMU", flush=True)
        return qemu.interact([options.qemu, *arguments])


if __name__ == "__main__":
    sys.exit(main())
