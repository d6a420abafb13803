// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import Hypervisor

/// The pages that EL2 owns, by physical address: its tables, and memory that it has claimed.
struct MetalTables: TableMemory {
  /// Where the image was loaded.
  let imageBase: PhysicalAddress

  /// Where the word at `address` is now.
  ///
  /// A page of the image is at its physical address with the MMU off and at its link address with
  /// it on; the program counter knows which. Other memory is in the linear part.
  @inline(always)
  private func place(_ address: PhysicalAddress) -> UInt64 {
    let distance = address.rawValue &- imageBase.rawValue
    let here = el2_image_start_here()
    guard distance < el2_image_end_here() &- here else {
      return VirtualLayout.linear(address).rawValue
    }
    return here &+ distance
  }

  func load(_ address: PhysicalAddress) -> UInt64 { pc_load64(place(address)) }

  func store(_ value: UInt64, at address: PhysicalAddress) { pc_store64(place(address), value) }

  func zero(_ address: PhysicalAddress, size: UInt64) {
    let first = place(address)
    for offset in stride(from: 0, to: size, by: 64) { pc_zero64(first &+ offset) }
  }

  func publishTables() {
    pc_dsb_ishst()
    pc_isb()
  }

  func clean(_ address: PhysicalAddress, size: UInt64) {
    DataCache.clean(place(address), size: size)
  }
}
