# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an unmodified Linux under Portcullis, with a shell on this terminal."""

import pathlib
import sys
import tempfile

from Runners import commandline, qemu
from Runners.linux import machine


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "image")
    machine.add_options(parser, 2)
    options = parser.parse_args()

    board = machine.of(options)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        images = machine.Images(options.fetched, board.kernel, options.tools, directory)
        disks = machine.make_disks(directory)
        arguments = machine.arguments(board, images, disks, options.image)
        print(f"# {board.title}; Ctrl-A X ends QEMU", flush=True)
        return qemu.interact([options.qemu, *arguments])


if __name__ == "__main__":
    sys.exit(main())
