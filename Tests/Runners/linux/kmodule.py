# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Builds a module for one of Debian's arm64 kernels from its headers packages, with clang.

The kernel's own build needs its compiler and tools for this machine. What it would do for one source is
little: compile with the kernel's configuration, and add what the kernel checks when it loads the module,
which is its version and, where the kernel was configured so, the checksum of each symbol that the module uses.
"""

import pathlib

from Runners.programs import output, own_headers

FLAGS = (
    "--target=aarch64-linux-gnu", "-std=gnu11", "-O2", "-ffreestanding",
    "-fno-strict-aliasing", "-fno-common", "-fno-pic", "-fno-stack-protector", "-fms-extensions", "-fshort-wchar",
    "-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-mgeneral-regs-only",
    "-mbranch-protection=pac-ret",
    # The headers are written for another compiler's warnings.
    "-Wno-everything", "-Werror=implicit-function-declaration", "-Werror=int-conversion",
    "-Werror=incompatible-pointer-types",
    "-D__KERNEL__", "-DMODULE", '-DARM64_ASM_PREAMBLE=".arch armv8.5-a\\n"',
)  # fmt: skip

# What is added to each module; the kernel looks for these sections.
TAIL = """
#include <linux/module.h>
/* The header's word for a file that the kernel's build has made. */
#define INCLUDE_VERMAGIC
#include <linux/vermagic.h>

MODULE_INFO(vermagic, VERMAGIC_STRING);
MODULE_INFO(name, KBUILD_MODNAME);
MODULE_INFO(depends, "");
__visible struct module __this_module __section(".gnu.linkonce.this_module") = {
    .name = KBUILD_MODNAME,
    .init = init_module,
    .exit = cleanup_module,
    .arch = MODULE_ARCH_INIT,
};
"""
VERSIONS = """
static const struct modversion_info versions[] __used __section("__versions") = {{
{versions}
}};
"""


class Headers:
    """The unpacked headers packages of a kernel: its own and those that its flavours share."""

    def __init__(self, own, common):
        self._own = _one(own.glob("usr/src/linux-headers-*-arm64"))
        self._common = _one(common.glob("usr/src/linux-headers-*-common"))

    @property
    def linker_script(self):
        """The sections that a module must have."""
        return self._own / "arch" / "arm64" / "module.lds"

    @property
    def flags(self):
        """The compiler's flags for these headers."""
        arch = pathlib.Path("arch", "arm64", "include")
        directories = [
            self._common / arch,
            self._own / arch / "generated",
            self._common / "include",
            self._own / "include",
            self._common / arch / "uapi",
            self._own / arch / "generated" / "uapi",
            self._common / "include" / "uapi",
            self._own / "include" / "generated" / "uapi",
        ]
        linux = self._common / "include" / "linux"
        includes = [linux / name for name in ("compiler-version.h", "kconfig.h", "compiler_types.h")]
        flags = [f"-I{directory}" for directory in directories]
        for include in includes:
            flags += ["-include", str(include)]
        return flags

    @property
    def has_checksums(self):
        """Whether the kernel looks at the checksums of symbols."""
        return "CONFIG_MODVERSIONS=y" in (self._own / ".config").read_text("utf-8").splitlines()

    def checksums(self):
        """The checksum of each symbol that the kernel and its modules export."""
        lines = (self._own / "Module.symvers").read_text("utf-8").splitlines()
        return {fields[1]: int(fields[0], 16) for fields in map(str.split, lines)}


def _one(paths):
    [path] = paths
    return path


def build(source, headers, directory, tools):
    """Builds a module with the programs of `tools`; returns it, in `directory`.

    `source` is a file, or a directory of which all files are compiled; the module has its name.
    """
    name = source.stem
    files = sorted(source.glob("*.c")) if source.is_dir() else [source]
    clang = tools / "clang"
    found = own_headers(tools)
    names = [f'-DKBUILD_MODNAME="{name}"', f'-DKBUILD_BASENAME="{name}"', f"-D__KBUILD_MODNAME=kmod_{name}"]

    def compile_file(file):
        target = directory / f"{name}-{file.stem}.o"
        output(
            clang, *FLAGS, *found, *headers.flags, *names,
            "-c", file, "-o", target,
        )  # fmt: skip
        return target

    body = directory / f"{name}.o"
    linker = tools / "ld.lld"
    output(linker, "-r", "-o", body, *(compile_file(file) for file in files))
    undefined = output(tools / "llvm-nm", "--undefined-only", "--just-symbol-name", body).split()
    checksums = headers.checksums()
    rows = []
    # What stands for the layout of `struct module`, where checksums are looked at.
    layout = ["module_layout"] if headers.has_checksums else []
    for symbol in [*layout, *undefined]:
        if symbol == "__this_module":
            continue
        if symbol not in checksums:
            raise ValueError(f"{source}: the kernel exports no {symbol}")
        rows.append(f'    {{{checksums[symbol]:#x}, "{symbol}"}},')
    tail = directory / f"{name}.mod.c"
    versions = VERSIONS.format(versions="\n".join(rows)) if layout else ""
    tail.write_text(TAIL + versions)
    module = directory / f"{name}.ko"
    output(linker, "-r", "-T", headers.linker_script, "-o", module, body, compile_file(tail))
    return module
