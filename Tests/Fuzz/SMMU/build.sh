#!/bin/bash
# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

# build.sh SWIFT SCRATCH - builds the fuzzer of the virtual SMMU as SCRATCH/SMMU.
#
# As Tests/Fuzz/ITS/build.sh does.
set -euo pipefail
swift=$1 scratch=$2
export PORTCULLIS_FUZZ=1

build=("$swift" build --build-system native -c release --scratch-path "$scratch")
"${build[@]}" --target SMMUFuzzWorld -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing \
  -Xswiftc -cross-module-optimization -Xswiftc -assert-config -Xswiftc Debug
binaries=$("${build[@]}" --show-bin-path)

objects=()
for module in CFdt Architecture GIC SMMU Trace Boards DeviceTree Ownership Traps ITS Redistributor IOMMU SMMUDriver \
  VirtualSMMU Hypervisor SimulatedHardware Simulation Specification Observing Comparison FuzzWorld SMMUFuzzWorld; do
  for object in "$binaries/$module.build"/*.o; do
    # Those of sources since deleted may linger.
    source=$(find Sources CShims Tests -name "$(basename "$object" .o)" -print -quit)
    if [ -n "$source" ]; then objects+=("$object"); fi
  done
done
"${swift}c" -swift-version 6 -O -parse-as-library -module-name FuzzSMMU -sanitize=fuzzer \
  -use-ld=lld -I "$binaries/Modules" -Xcc -fmodule-map-file=CShims/Fdt/include/module.modulemap \
  Tests/Fuzz/SMMU/*.swift "${objects[@]}" -lfdt -o "$scratch/SMMU"
