#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
#
# Fetches the corpus: the device trees of Debian's arm64 kernel.
#
#   corpus.sh DIRECTORY
#
# Everything lands below DIRECTORY (`dtb/` and `python/`), nothing is installed, and no privilege is
# needed: the arm64 packages come by the package lists of apt-beside.sh. What is there already
# isn't fetched again.

set -eu

if [ $# -ne 1 ]; then
  echo "usage: corpus.sh DIRECTORY" >&2
  exit 64
fi
mkdir -p "$1"
directory=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
apt=$here/apt-beside.sh

# unpack NAME TARGET COMMAND... - has COMMAND download one package, and unpacks it to the new
# directory TARGET, which appears whole or not at all.
unpack() {
  echo "Fetching $1" >&2
  name=$1 target=$2
  shift 2
  work=$(mktemp -d "$directory/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' INT TERM
  (cd "$work" && "$@" download "$name" >/dev/null)
  dpkg -x "$work"/*.deb "$work/root"
  mv "$work/root" "$target"
  rm -rf "$work"
  trap - EXIT INT TERM
}

# The metapackage names the concrete kernel of the day.
package=$("$apt" arm64 apt-cache depends --important linux-image-arm64 |
  sed -n 's/^ *Depends: *\(linux-image-[^ :]*\).*/\1/p' | head -n 1)
if [ -z "$package" ]; then
  echo "corpus.sh: the machine's package sources have no linux-image-arm64" >&2
  exit 1
fi

if [ ! -d "$directory/dtb/$package" ]; then
  mkdir -p "$directory/dtb"
  rm -rf "$directory/kernel"
  unpack "$package" "$directory/kernel" "$apt" arm64 apt-get -qq
  mv "$directory"/kernel/usr/lib/linux-image-*/ "$directory/dtb/$package"
  rm -rf "$directory/kernel"
fi

# The independent reading uses Debian's binding of libfdt for Python.
if [ ! -d "$directory/python" ] && ! python3 -c 'import libfdt' 2>/dev/null; then
  rm -rf "$directory/unpacked"
  # As root, apt-get would hand the download to a user who may not write here.
  unpack python3-libfdt "$directory/unpacked" \
    apt-get -qq -o APT::Sandbox::User="$(id -un)"
  mv "$directory/unpacked/usr/lib/python3/dist-packages" "$directory/python"
  rm -rf "$directory/unpacked"
fi
