#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# install.sh MAKE TOOLS - installs into a temporary folder, and uses what is there as an embedder and a user would.
# Prints TAP version 14.
set -eu

make=$1 tools=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

number=0
check() { # NAME COMMAND...
  name=$1
  shift
  number=$((number + 1))
  if "$@" >"$folder/log" 2>&1; then
    echo "ok $number - $name"
  else
    sed 's/^/# /' "$folder/log"
    echo "not ok $number - $name"
  fi
}

prefix=/usr/local
place=$folder/root$prefix
library=$place/lib/portcullis/libportcullis.a
example=$place/share/doc/portcullis/examples/Example.c
export PKG_CONFIG_PATH="$place/lib/pkgconfig"

installs() { "$make" -C "$root" --no-print-directory install DESTDIR="$folder/root" PREFIX=$prefix; }

has_all() {
  (cd "$folder/root" && find . -type f -printf '%m %P\n' | sort -k 2) >"$folder/found"
  sort -k 2 >"$folder/due" <<LIST
755 ${prefix#/}/bin/portcullis
644 ${prefix#/}/include/portcullis.h
644 ${prefix#/}/include/portcullis_hypercalls.h
644 ${prefix#/}/lib/pkgconfig/portcullis.pc
644 ${prefix#/}/lib/portcullis/libportcullis.a
644 ${prefix#/}/share/bash-completion/completions/portcullis
644 ${prefix#/}/share/doc/portcullis/LICENSE
644 ${prefix#/}/share/doc/portcullis/examples/Example.c
644 ${prefix#/}/share/man/man1/portcullis.1
644 ${prefix#/}/share/zsh/site-functions/_portcullis
LIST
  diff "$folder/due" "$folder/found"
}

# The folder may be moved: no file names where it was installed.
names_no_place() { ! grep -rlF -e "$folder" -e "$root" "$place/lib" "$place/include" "$place/share"; }

compiles() { "$root/Tests/CAPI/example.sh" "$example" "$(pkg-config --cflags portcullis)" gcc "$tools/clang"; }

# On bare metal, with what the example leaves to its hypervisor still missing, and libfdt.
links() {
  # shellcheck disable=SC2046 # lists of options on purpose
  "$tools/clang" --target=aarch64-none-elf -ffreestanding $(pkg-config --cflags portcullis) -c "$example" -o "$folder/example.o" &&
    "$tools/ld.lld" -r "$folder/example.o" $(pkg-config --libs portcullis) -o "$folder/both.o" &&
    "$tools/llvm-nm" --undefined-only --format=just-symbols "$folder/both.o" >"$folder/missing" &&
    cat "$folder/missing" && grep -q '^hyp_map$' "$folder/missing" && ! grep '^portcullis_' "$folder/missing"
}

names_libfdt() { pkg-config --static --libs portcullis | grep -w -e -lfdt; }
is_the_same() { cmp "$library" "$root/.build/images/libportcullis.a"; }
tells_version() { [ "$("$place/bin/portcullis" --version)" = "portcullis $(pkg-config --modversion portcullis)" ]; }
completes() { bash -n "$place/share/bash-completion/completions/portcullis"; }

echo "TAP version 14"
check "make install" installs
check "what is installed, and nothing else" has_all
check "no file names the place that it was installed from, or to" names_no_place
check "the archive is the one for bare metal" is_the_same
check "the example compiles with what pkg-config says" compiles
check "it links with what pkg-config says" links
check "pkg-config tells of libfdt" names_libfdt
check "the program tells the version that pkg-config tells" tells_version
check "the completion of bash is a script" completes
check "make install again" installs
echo "1..$number"
