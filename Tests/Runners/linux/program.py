# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Builds a program for the guest that needs no C library."""

from Runners.programs import output, own_headers

FLAGS = (
    "--target=aarch64-linux-gnu", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
    "-ffreestanding", "-fno-stack-protector", "-mgeneral-regs-only",
)  # fmt: skip


def build(source, directory, tools):
    """Builds the program of the file `source`, with the programs of `tools`; returns it, in
    `directory`."""
    target = directory / source.stem
    objects = target.with_suffix(".o")
    output(tools / "clang", *FLAGS, *own_headers(tools), "-c", source, "-o", objects)
    output(tools / "ld.lld", "-static", "-o", target, objects)
    return target
