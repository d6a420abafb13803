# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an unmodified Linux under Portcullis, with a shell on this terminal."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import machine


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fetched", type=pathlib.Path, help="where fetch.sh has put its packages")
    parser.add_argument("image", type=pathlib.Path, help="the EL2 image")
    parser.add_argument(
        "--toolchain", type=pathlib.Path, required=True, help="where clang and its companions are"
    )
    parser.add_argument("--qemu", default="qemu-system-aarch64")
    parser.add_argument("--kernel", choices=machine.KERNELS, default=machine.KERNELS[0])
    parser.add_argument("--gic", type=int, choices=machine.GIC_VERSIONS, default=3)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--processor", default=machine.PROCESSORS[0])
    options = parser.parse_args()

    board = machine.Machine(options.kernel, options.gic, options.cpus, options.processor)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        images = machine.Images(options.fetched, board.kernel, options.toolchain, directory)
        disks = machine.make_disks(directory)
        arguments = machine.arguments(board, images, disks, options.image)
        print(f"# {board.title}; Ctrl-A X ends QEMU", flush=True)
        return subprocess.run([options.qemu, *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
