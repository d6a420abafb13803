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
644 ${prefix#/}/include/portcullis_aarch64.h
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

# The operations for AArch64, in both languages, by both linkers, with and without --gc-sections and -pie: their list of
# guarded accesses stays, with 8 entries or more, and nothing is left to a loader.
guards() {
  for language in "-std=c11" "-x c++ -std=c++17 -fno-exceptions"; do
    # shellcheck disable=SC2046,SC2086 # lists of options on purpose
    "$tools/clang" --target=aarch64-none-elf -ffreestanding -mgeneral-regs-only -O2 -fpie $language \
      -Wall -Wextra -Wpedantic -Wconversion -Werror $(pkg-config --cflags portcullis) \
      -c "$root/Tests/Install/guarded.c" -o "$folder/guarded.o" || return 1
    entry=start
    case $language in *c++*) entry=_Z5startP14portcullis_opsPm ;; esac
    for linker in "$tools/ld.lld" aarch64-linux-gnu-ld; do
      for way in "--gc-sections -static" "--no-gc-sections -static" "--gc-sections -pie --no-dynamic-linker"; do
        # shellcheck disable=SC2086 # lists of options on purpose
        "$linker" $way -e $entry "$folder/guarded.o" -o "$folder/guarded" || return 1
        "$tools/llvm-objdump" --section-headers "$folder/guarded" >"$folder/sections"
        grep -E ' portcullis_fixups +000000[4-9a-f]0 ' "$folder/sections" || { echo "$linker $way" && cat "$folder/sections" && return 1; }
        ! grep -E ' \.rela?\.dyn +0*[1-9a-f]' "$folder/sections" || return 1
      done
    done
  done
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
check "the operations for AArch64 compile and link" guards
check "pkg-config tells of libfdt" names_libfdt
check "the program tells the version that pkg-config tells" tells_version
check "the completion of bash is a script" completes
check "make install again" installs
echo "1..$number"
