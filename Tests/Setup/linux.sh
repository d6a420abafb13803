#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# linux.sh DIRECTORY KERNEL... - unpacks Debian's stock arm64 kernels and static busybox.
#
# KERNEL is the series: that of the machine's Debian release by its number (6.1), that of its backports (6.12), or
# `newest`, whatever the backports of Debian's stable release have. Below DIRECTORY there is then `busybox/` and for
# each series a folder of its name, and two more for its headers, `-headers` and `-common`. What is there
# already isn't fetched again.
set -eu

directory=$1
shift
setup=$(cd "$(dirname "$0")" && pwd)

# depends SUITE PACKAGE - what it depends on, one a line.
depends() {
  # shellcheck disable=SC2086 # nothing, or one word
  "$setup/apt-beside.sh" arm64 $1 apt-cache depends --important "$2" |
    sed -n 's/^ *Depends: *\([^ :]*\).*/\1/p'
}

# current SUITE - the concrete kernel that the metapackage names today.
current() { depends "$1" linux-image-arm64 | grep '^linux-image-' | head -n 1; }

# fetch SUITE PACKAGE DIRECTORY - a package, and those of its release in which newer ones have parts of it.
fetch() {
  parts=$(depends "$1" "$2" | grep -- "^linux-[a-z]*-$release\$" || true)
  # shellcheck disable=SC2086 # nothing, or one word; and a list of words
  "$setup/unpack.sh" arm64 $1 "$2" $parts "$3"
}

for series in "$@"; do
  [ ! -d "$directory/$series-common" ] || continue
  wanted=linux-image-$series.
  suite=
  case $series in newest) suite=--newest wanted=linux-image- ;; esac
  package=$(current "$suite")
  case $package in
    "$wanted"*) ;;
    *)
      suite=--backports
      package=$(current "$suite")
      ;;
  esac
  case $package in
    "$wanted"*) ;;
    *)
      echo "linux.sh: neither the machine's Debian release nor its backports has Linux $series" >&2
      exit 1
      ;;
  esac
  release=${package#linux-image-}
  fetch "$suite" "$package" "$directory/$series"
  fetch "$suite" "linux-headers-$release" "$directory/$series-headers"
  fetch "$suite" "linux-headers-${release%-arm64}-common" "$directory/$series-common"
done
"$setup/unpack.sh" arm64 busybox-static "$directory/busybox"
