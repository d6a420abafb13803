#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# unpack-arm64.sh [--backports] PACKAGE DIRECTORY - downloads Debian's PACKAGE for arm64 and unpacks it
# to the new DIRECTORY, which appears whole or not at all. Nothing is installed.
set -eu

suite=
if [ "$1" = --backports ]; then
  suite=$1
  shift
fi
package=$1 directory=$2
[ ! -d "$directory" ] || exit 0

here=$(cd "$(dirname "$0")" && pwd)
parent=$(dirname "$directory")
mkdir -p "$parent"
unpacked=$(mktemp -d "$(cd "$parent" && pwd)/unpack.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT
trap 'exit 1' INT TERM

echo "Fetching $package for arm64" >&2
# shellcheck disable=SC2086 # nothing, or one word
(cd "$unpacked" && "$here/apt-arm64.sh" $suite apt-get -qq download "$package" >&2)
dpkg -x "$unpacked"/*.deb "$unpacked/root"
mv "$unpacked/root" "$directory"
