#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
#
# Fetches the corpus: the device trees of Debian's arm64 kernel and of QEMU's `virt` board.
#
#   fetch.sh DIRECTORY
#
# Everything lands below DIRECTORY (`dtb/` and `python/`) and nothing is installed. It needs a Debian
# machine that knows the arm64 packages (`dpkg --add-architecture arm64 && apt-get update`). What
# is there already isn't fetched again.

set -eu

if [ $# -ne 1 ]; then
  echo "usage: fetch.sh DIRECTORY" >&2
  exit 64
fi
mkdir -p "$1"
directory=$(cd "$1" && pwd)

# Downloads package $1 and unpacks it to the new directory $2, which appears whole or not at all.
unpack() {
  work=$(mktemp -d "$directory/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  # As root, apt-get would hand the download to a user who may not write here.
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$1")
  mkdir "$work/root"
  dpkg -x "$work"/*.deb "$work/root"
  mv "$work/root" "$2"
  rm -rf "$work"
  trap - EXIT
}

# The metapackage names the concrete kernel of the day.
kernel=$(apt-cache depends --important linux-image-arm64:arm64 |
  sed -n 's/^ *Depends: *\(linux-image-[^ ]*\).*/\1/p' | head -n 1)
if [ -z "$kernel" ]; then
  echo "fetch.sh: no linux-image-arm64: dpkg --add-architecture arm64 && apt-get update" >&2
  exit 1
fi
package=${kernel%:arm64}

if [ ! -d "$directory/dtb/$package" ]; then
  mkdir -p "$directory/dtb"
  unpack "$package:arm64" "$directory/kernel"
  mv "$directory"/kernel/usr/lib/linux-image-*/ "$directory/dtb/$package"
  rm -rf "$directory/kernel"
fi

# The independent reading uses Debian's binding of libfdt for Python.
if [ ! -d "$directory/python" ] && ! python3 -c 'import libfdt' 2>/dev/null; then
  unpack python3-libfdt "$directory/unpacked"
  mv "$directory/unpacked/usr/lib/python3/dist-packages" "$directory/python"
  rm -rf "$directory/unpacked"
fi

# QEMU's own trees, one for each way in which the board can be built.
mkdir -p "$directory/dtb/qemu"
dump() {
  name=$1
  shift
  if [ ! -f "$directory/dtb/qemu/$name.dtb" ]; then
    qemu-system-aarch64 "$@" -display none -nic none 2>/dev/null ||
      { echo "fetch.sh: QEMU does not build $name; left out" >&2; return 0; }
  fi
}
for machine in gic-version=2 gic-version=3 gic-version=4 gic-version=3,its=off \
  gic-version=3,iommu=smmuv3; do
  for smp in 1 8 140; do
    name=virt-$(echo "$machine" | tr ',=' '-_')-smp_$smp
    # GICv2 has interfaces for eight CPUs only.
    if [ "$machine" = gic-version=2 ] && [ "$smp" -gt 8 ]; then continue; fi
    dump "$name" -cpu cortex-a57 -smp "$smp" -m 1G -M \
      "virt,virtualization=on,$machine,dtb-randomness=off,dumpdtb=$directory/dtb/qemu/$name.dtb"
  done
done
dump "virt-numa" -cpu cortex-a57 -smp 2 -m 2G \
  -object memory-backend-ram,id=a,size=1G -object memory-backend-ram,id=b,size=1G \
  -numa node,memdev=a,cpus=0 -numa node,memdev=b,cpus=1 \
  -M "virt,gic-version=3,dtb-randomness=off,dumpdtb=$directory/dtb/qemu/virt-numa.dtb"

find "$directory/dtb" -name '*.dtb' | wc -l | sed 's/$/ device trees/'
