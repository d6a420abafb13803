#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# libfdt.sh DIRECTORY - unpacks Debian's arm64 libfdt-dev into DIRECTORY, for the bare-metal images.
set -eu

directory=$1
library=usr/lib/aarch64-linux-gnu/libfdt.a
[ ! -d "$directory" ] || exit 0

here=$(cd "$(dirname "$0")" && pwd)
parent=$(dirname "$directory")
mkdir -p "$parent"
unpacked=$(mktemp -d "$(cd "$parent" && pwd)/libfdt.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT
trap 'exit 1' INT TERM

echo "Fetching libfdt for arm64" >&2
(cd "$unpacked" && "$here/apt-arm64.sh" apt-get -qq download libfdt-dev >&2)
dpkg -x "$unpacked"/libfdt-dev_*_arm64.deb "$unpacked/root"
[ -f "$unpacked/root/$library" ] || { echo "libfdt-dev holds no $library" >&2; exit 1; }

# Moved into place whole, so that an interrupted run leaves no half-unpacked directory behind.
mv "$unpacked/root" "$directory"
