// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import Ownership

/// SCTLR_EL2 with the MMU on: RES1 bits, WXN as a second lock on W^X, I, SA, C, M.
private var systemControl: UInt64 { 0x30c5_0830 | 1 << 19 | 1 << 12 | 1 << 3 | 1 << 2 | 1 }

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_build_translation() -> UInt64 {
  let imageBase = PhysicalAddress(el2_image_start_here())
  guard StateMemory.fits, EL2Statistics.fits, let pages = ImageMap.poolPages(),
    let space = VirtualLayout.space
  else {
    return 1
  }
  let range = pc_read_id_aa64mmfr0_el1() & 0xf
  var pool = ImageMap.Pool(pages: pages, memory: MetalTables(imageBase: imageBase))
  do throws(OwnershipError) {
    var stage1 = try ImageMap.Stage1(space, pool: &pool, cache: MetalTranslationCache())
    guard ImageMap.map(into: &stage1, pool: &pool) else { return 2 }
    el2_set_translation(
      stage1.root.rawValue, ImageMap.Stage1.controlValue(physicalAddressRange: range),
      ImageMap.Stage1.memoryAttributes, systemControl)
    unsafe StateMemory.early.initialize(to: EarlyState(pool: pool, stage1: stage1))
  } catch {
    return 3
  }
  return 0
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_main(_ tree: UInt64) -> Never {
  Startup.run(unsafe StateMemory.early.move(), tree: PhysicalAddress(tree))
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_secondary_main(_ cpu: UInt64) -> Never {
  HostCPU.start(Int(truncatingIfNeeded: cpu))
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_refuse(_ tree: UInt64, _ reason: UInt64) -> Never {
  var line = LogLine("not started: ")
  var exceptionLevel: UInt64 = 2
  switch reason {
  case 2: line.append("HCR_EL2.E2H cannot be cleared on this core")
  case 1, 3:
    exceptionLevel = reason
    line.append("entered at EL")
    line.append(decimal: exceptionLevel)
    line.append(", not at EL2")
  default: line.append("the image cannot be mapped where it lies")
  }
  Startup.refuse(line, tree: PhysicalAddress(tree), exceptionLevel: exceptionLevel)
}
