# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Builds a program for the guest that needs no C library."""

import subprocess

FLAGS = (
    "--target=aarch64-linux-gnu", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
    "-ffreestanding", "-fno-stack-protector", "-mgeneral-regs-only", "-nostdinc",
)  # fmt: skip


def build(source, directory, toolchain):
    """Builds the program of the file `source`, with the programs of `toolchain`; returns it, in
    `directory`."""
    clang = str(toolchain / "clang")
    resources = subprocess.run(
        [clang, "-print-resource-dir"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    target = directory / source.stem
    objects = target.with_suffix(".o")
    command = [clang, *FLAGS, "-isystem", f"{resources}/include", "-c", str(source), "-o", str(objects)]
    subprocess.run(command, check=True)
    subprocess.run([str(toolchain / "ld.lld"), "-static", "-o", str(target), str(objects)], check=True)
    return target
