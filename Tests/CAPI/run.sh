#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# run.sh SWIFTC CLANG LIBRARY BUILD - compiles the C program against portcullis.h, links it with the library built for
# this machine, and runs it. Example.c and the headers compile with gcc and clang, as C and as C++.
set -eu

swiftc=$1 clang=$2 library=$3 build=$4
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$build"

for tree in smmu one-its odd-memory two-its eight-its no-its disabled-its dma-noncoherent dma-platform; do
  dtc --quiet --in-format dts --out-format dtb --out "$build/$tree.dtb" "$root/dts/$tree.dts"
done
# A tree that is sound as such and describes a board that cannot be protected.
dtc --quiet --in-format dts --out-format dtb --out "$build/refused.dtb" "$root/dts/misaligned-base.dts"

warnings="-Wall -Wextra -Wpedantic -Werror"
include="$root/CShims/Embedder/include"
sources="capi calls host_tree mediation handover redistributors statistics translated board pages dma smmu embedding driver machine gic"
objects=
# shellcheck disable=SC2086 # lists of options on purpose
{
  "$root/Tests/CAPI/example.sh" "$root/Tests/CAPI/Example.c" "-I$include" gcc "$clang"
  printf '#include "portcullis.h"\n#include "portcullis_hypercalls.h"\n' >"$build/headers.c"
  "$root/Tests/CAPI/example.sh" "$build/headers.c" "-I$include" gcc "$clang"
  for source in $sources; do
    "$clang" $warnings -std=c11 -I"$include" -c "$root/Tests/CAPI/$source.c" -o "$build/$source.o"
    objects="$objects $build/$source.o"
  done
  "$clang" $warnings -Wconversion -std=c11 -I"$include" -c "$root/Tests/CAPI/Example.c" -o "$build/Example.o"
  "$swiftc" $objects "$build/Example.o" "$library" -lfdt -lpthread -profile-generate -o "$build/capi"
}
cd "$build"
# The library is that of the unit tests, and counts what is executed; nobody reads it here.
LLVM_PROFILE_FILE=/dev/null exec ./capi
