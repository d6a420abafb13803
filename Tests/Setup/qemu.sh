#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# qemu.sh DIRECTORY - makes DIRECTORY/qemu-system-aarch64, a QEMU whose SMMUv3 has stage 2 (9.1 or newer).
#
# The machine's own where it is new enough. Otherwise that of the backports of the machine's Debian release,
# unpacked beside it in DIRECTORY: nothing is installed or replaced. It runs with its own modules and data,
# for it refuses those of another version, and with the libraries of the machine's: both link the same.
# Says on standard output which was taken.
set -eu

directory=$1
oldest=9.1
here=$(cd "$(dirname "$0")" && pwd)
program=$directory/qemu-system-aarch64

# version PROGRAM - its version; nothing where it doesn't run.
version() { "$1" --version 2>/dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p'; }

# is_new_enough VERSION
is_new_enough() {
  [ -n "$1" ] && [ "$(printf '%s\n' "$oldest" "$1" | sort --version-sort | head -n 1)" = "$oldest" ]
}

own=$(command -v qemu-system-aarch64 || true)
if [ -n "$own" ] && is_new_enough "$(version "$own")"; then
  mkdir -p "$directory"
  ln -sf "$own" "$program.$$"
  mv -T "$program.$$" "$program"
  echo "QEMU $(version "$own") of this machine"
  exit 0
fi

unpacked=$directory/unpacked
"$here/unpack.sh" "$(dpkg --print-architecture)" --backports \
  qemu-system-arm qemu-system-common qemu-system-data \
  qemu-system-modules-opengl qemu-system-modules-spice "$unpacked"
unpacked=$(cd "$unpacked" && pwd)
missing=$(ldd "$unpacked/usr/bin/qemu-system-aarch64" | sed -n 's/^[[:space:]]*\(.*\) => not found$/\1/p')
if [ -n "$missing" ]; then
  echo "qemu.sh: the backports' QEMU lacks libraries that Debian's own qemu-system-arm brings:" $missing >&2
  exit 1
fi
# A folder of modules; for a machine of any architecture.
modules=$(dirname "$(find "$unpacked/usr/lib" -path '*/qemu/*.so' | head -n 1)")
# Written anew each time, for the checkout may have moved since; and put in place whole, for others may start it now.
cat >"$program.$$" <<WRAPPER
#!/bin/sh
QEMU_MODULE_DIR='$modules' exec '$unpacked/usr/bin/qemu-system-aarch64' -L '$unpacked/usr/share/qemu' "\$@"
WRAPPER
chmod +x "$program.$$"
mv -T "$program.$$" "$program"
taken=$(version "$program")
if ! is_new_enough "$taken"; then
  echo "qemu.sh: the backports have QEMU ${taken:-of no version}; SMMUv3 stage 2 needs $oldest" >&2
  exit 1
fi
echo "QEMU $taken of the backports, beside $(version "${own:-false}" || true)${own:+ of this machine}"
