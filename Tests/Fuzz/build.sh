#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# build.sh SWIFT MODULE SCRATCH - builds the fuzzer of Tests/Fuzz/MODULE as SCRATCH/MODULE.
#
# SwiftPM compiles MODULE and what is below it, instrumented and with the package's own settings;
# the fuzzer itself is no target of the package, because libFuzzer brings the main function.
set -euo pipefail
swift=$1 module=$2 scratch=$3
sources=("Tests/Fuzz/$module"/*.swift)
[ -e "${sources[0]}" ] || { echo "Tests/Fuzz/$module holds no Swift file" >&2; exit 1; }

build=("$swift" build --build-system native --scratch-path "$scratch")
"${build[@]}" --target "$module" \
  -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=fuzzer-no-link,address -Xcc -g
binaries=$("${build[@]}" --show-bin-path)

# Each target has a folder of objects, in which those of sources since deleted may linger.
objects=()
for object in "$binaries"/*.build/*.o; do
  source=$(find Sources CShims -name "$(basename "$object" .o)" -print -quit)
  if [ -n "$source" ]; then objects+=("$object"); fi
done
modules=(-I "$binaries/Modules")
# A shim has its own module map or gets one with its objects.
for map in CShims/*/include/module.modulemap "$binaries"/C*.build/module.modulemap; do
  if [ -e "$map" ]; then modules+=(-Xcc "-fmodule-map-file=$map"); fi
done
"${swift}c" -swift-version 6 -g -parse-as-library -module-name "Fuzz$module" \
  -D FUZZING -sanitize=fuzzer,address -use-ld=lld "${modules[@]}" \
  "${sources[@]}" "${objects[@]}" -lfdt -o "$scratch/$module"
