#!/bin/sh
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# run.sh SWIFTC CLANG LIBRARY BUILD - compiles the C program against portcullis.h, once as C++ to see
# that the header is that too, links it with the library built for this machine, and runs it.
set -eu

swiftc=$1 clang=$2 library=$3 build=$4
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$build"

for tree in one-its two-its eight-its no-its disabled-its dma-noncoherent; do
  dtc --quiet --in-format dts --out-format dtb --out "$build/$tree.dtb" "$root/dts/$tree.dts"
done
# A tree that is sound as such and describes a board that cannot be protected.
dtc --quiet --in-format dts --out-format dtb --out "$build/refused.dtb" "$root/dts/misaligned-base.dts"

warnings="-Wall -Wextra -Wpedantic -Werror"
include="$root/CShims/Embedder/include"
# shellcheck disable=SC2086 # a list of options on purpose
{
  for source in capi mediation handover redistributors pages driver machine gic; do
    "$clang" $warnings -std=c11 -I"$include" -c "$root/Tests/CAPI/$source.c" -o "$build/$source.o"
  done
  printf '#include "portcullis.h"\n#include "portcullis_hypercalls.h"\n' >"$build/header.cpp"
  "$clang" $warnings -std=c++17 -I"$include" -fsyntax-only "$build/header.cpp"
}
"$swiftc" "$build/capi.o" "$build/mediation.o" "$build/handover.o" "$build/redistributors.o" "$build/pages.o" \
  "$build/driver.o" "$build/machine.o" "$build/gic.o" "$library" -lfdt -lpthread -profile-generate -o "$build/capi"
cd "$build"
# The library is that of the unit tests, and counts what is executed; nobody reads it here.
LLVM_PROFILE_FILE=/dev/null exec ./capi
