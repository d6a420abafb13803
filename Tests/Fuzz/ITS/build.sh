#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# build.sh SWIFT SCRATCH - builds the fuzzer of the ITS mediation as SCRATCH/ITS.
#
# As Tests/Fuzz/build.sh does, but optimised, and with Swift's own checks instead of
# AddressSanitizer: what counts here is how many steps are made.
set -euo pipefail
swift=$1 scratch=$2
export PORTCULLIS_FUZZ=1

build=("$swift" build --build-system native -c release --scratch-path "$scratch")
for target in FuzzWorld Replay; do
  "${build[@]}" --target "$target" -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing \
    -Xswiftc -cross-module-optimization -Xswiftc -assert-config -Xswiftc Debug
done
binaries=$("${build[@]}" --show-bin-path)

objects=()
for module in Architecture GIC SMMU Trace Ownership Traps ITS IOMMU SMMUDriver VirtualSMMU SimulatedHardware Replay \
  Specification Comparison FuzzWorld; do
  for object in "$binaries/$module.build"/*.o; do
    # Those of sources since deleted may linger.
    source=$(find Sources Tests -name "$(basename "$object" .o)" -print -quit)
    if [ -n "$source" ]; then objects+=("$object"); fi
  done
done
"${swift}c" -swift-version 6 -O -parse-as-library -module-name FuzzITS -sanitize=fuzzer \
  -use-ld=lld -I "$binaries/Modules" \
  Tests/Fuzz/ITS/*.swift "${objects[@]}" -o "$scratch/ITS"
