#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# fetch.sh DIRECTORY KERNEL... - unpacks Debian's stock arm64 kernels and static busybox.
#
# KERNEL is the series: that of the machine's Debian release by its number (6.1), or that of its
# backports (6.12). Below DIRECTORY there is then `busybox/` and for each series a folder of its name, and
# two more for its headers, `-headers` and `-common`; each is the content of one package. What is there
# already isn't fetched again.
set -eu

directory=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
setup=$here/../Setup

# newest [--backports] - the concrete kernel that the metapackage names today.
newest() {
  "$setup/apt-beside.sh" arm64 "$@" apt-cache depends --important linux-image-arm64 |
    sed -n 's/^ *Depends: *\(linux-image-[^ :]*\).*/\1/p' | head -n 1
}

for series in "$@"; do
  [ ! -d "$directory/$series-common" ] || continue
  suite=
  package=$(newest)
  case $package in
    linux-image-"$series".*) ;;
    *)
      suite=--backports
      package=$(newest --backports)
      ;;
  esac
  case $package in
    linux-image-"$series".*) ;;
    *)
      echo "fetch.sh: neither the machine's Debian release nor its backports has Linux $series" >&2
      exit 1
      ;;
  esac
  # shellcheck disable=SC2086 # nothing, or one word
  "$setup/unpack.sh" arm64 $suite "$package" "$directory/$series"
  release=${package#linux-image-}
  # shellcheck disable=SC2086
  "$setup/unpack.sh" arm64 $suite "linux-headers-$release" "$directory/$series-headers"
  # shellcheck disable=SC2086
  "$setup/unpack.sh" arm64 $suite "linux-headers-${release%-arm64}-common" "$directory/$series-common"
done
"$setup/unpack.sh" arm64 busybox-static "$directory/busybox"
