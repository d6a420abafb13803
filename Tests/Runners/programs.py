# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs programs for what they print; the compiler's are in a folder `tools`."""

import subprocess


def output(*command):
    """What a command prints; it must succeed."""
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout


def own_headers(tools):
    """The flags by which clang finds the headers that are its own, and no others."""
    resources = output(tools / "clang", "-print-resource-dir").strip()
    return ["-nostdinc", "-isystem", f"{resources}/include"]
