# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""A USB stick: a FAT file system as a file, written by mtools."""

import os
import pathlib
import subprocess

# What the file system takes beside its files, in bytes; and the least size that is FAT32.
SPARE = 8 << 20
LEAST = 40 << 20


def _size(content):
    return content.stat().st_size if isinstance(content, pathlib.Path) else len(content)


def _folders(names):
    """The folders that files lie in, outer ones first."""
    return sorted({str(parent) for name in names for parent in pathlib.PurePosixPath(name).parents if parent.name})


def _tool(*command, text=b""):
    """Runs one of mtools; it takes `text` for what it is to copy from its standard input."""
    environment = os.environ | {"MTOOLS_SKIP_CHECK": "1"}
    subprocess.run(list(map(str, command)), check=True, input=text, stdout=subprocess.DEVNULL, env=environment)


def write(path, files):
    """Makes a stick at `path`; `files` are contents by their names, as bytes or as the path of a file."""
    path.write_bytes(b"")
    os.truncate(path, max(LEAST, sum(map(_size, files.values())) + SPARE))
    _tool("mformat", "-i", path, "-F", "-v", "PORTCULLIS", "::")
    for folder in _folders(files):
        _tool("mmd", "-i", path, f"::/{folder}")
    for name, content in files.items():
        if isinstance(content, pathlib.Path):
            _tool("mcopy", "-i", path, content, f"::/{name}")
        else:
            _tool("mcopy", "-i", path, "-", f"::/{name}", text=content)
    return path


def read(path, name):
    """The content of a file on a stick."""
    command = ["mtype", "-i", str(path), f"::/{name}"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def script(*commands):
    """A script of the UEFI shell that shows nothing of itself and begins on the stick."""
    return "".join(f"{line}\r\n" for line in ("@echo -off", "fs0:", *commands)).encode()
