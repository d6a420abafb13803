#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# libfdt.sh DIRECTORY - unpacks Debian's arm64 libfdt-dev into DIRECTORY, for the bare-metal images.
set -eu

directory=$1
library=usr/lib/aarch64-linux-gnu/libfdt.a
"$(dirname "$0")/unpack.sh" arm64 libfdt-dev "$directory"
[ -f "$directory/$library" ] || { echo "libfdt-dev holds no $library" >&2; exit 1; }
