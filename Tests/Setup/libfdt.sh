#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# libfdt.sh DIRECTORY - unpacks Debian's arm64 libfdt-dev into DIRECTORY, for the bare-metal images.
#
# apt runs with lists and cache of its own and for arm64 alone, from the machine's own sources:
# nothing foreign is installed or registered, and no privilege is needed.
set -eu

directory=$1
library=usr/lib/aarch64-linux-gnu/libfdt.a
[ ! -f "$directory/.complete" ] || exit 0

parent=$(dirname "$directory")
mkdir -p "$parent"
work=$(mktemp -d "$(cd "$parent" && pwd)/libfdt.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/root"

apt() {
  apt-get --quiet \
    -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Dir::State="$work/state" -o Dir::State::status=/dev/null -o Dir::Cache="$work/cache" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@" >&2
}

echo "Fetching libfdt for arm64" >&2
# A source without arm64 makes update fail; what counts is whether the package can be had.
apt update || echo "apt-get update failed; trying with the lists there are" >&2
(cd "$work" && apt download libfdt-dev)
dpkg -x "$work"/libfdt-dev_*_arm64.deb "$work/root"
[ -f "$work/root/$library" ] || { echo "libfdt-dev holds no $library" >&2; exit 1; }

# Moved into place whole, so that an interrupted run leaves no half-unpacked directory behind.
touch "$work/root/.complete"
rm -rf "$directory"
mv "$work/root" "$directory"
