#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# unpack.sh ARCHITECTURE [--backports|--newest] PACKAGE... DIRECTORY - downloads Debian's PACKAGEs for ARCHITECTURE
# and unpacks all of them to the new DIRECTORY, which appears whole or not at all. Nothing is installed.
set -eu

architecture=$1
shift

suite=
case $1 in
  --*)
    suite=$1
    shift
    ;;
esac
packages=
while [ $# -gt 1 ]; do
  packages="$packages $1"
  shift
done
directory=$1
[ ! -d "$directory" ] || exit 0

here=$(cd "$(dirname "$0")" && pwd)
parent=$(dirname "$directory")
mkdir -p "$parent"
unpacked=$(mktemp -d "$(cd "$parent" && pwd)/unpack.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT
trap 'exit 1' INT TERM

echo "Fetching$packages for $architecture" >&2
# shellcheck disable=SC2086 # nothing, or one word; and a list of words
(cd "$unpacked" && "$here/apt-beside.sh" "$architecture" $suite apt-get -qq download $packages >&2)
for package in "$unpacked"/*.deb; do dpkg -x "$package" "$unpacked/root"; done
mv "$unpacked/root" "$directory"
