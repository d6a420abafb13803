// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware

/// The image's own table pages, reached through wherever the image is mapped now.
struct MetalTables: TableMemory {
  /// Where the image was loaded.
  let imageBase: PhysicalAddress

  /// Where the word at `address` is: its physical address with the MMU off, the link address of the
  /// same place with it on. The program counter knows which.
  @inline(always)
  private func place(_ address: PhysicalAddress) -> UInt64 {
    address.rawValue &- imageBase.rawValue &+ el2_image_start_here()
  }

  func load(_ address: PhysicalAddress) -> UInt64 { pc_load64(place(address)) }

  func store(_ value: UInt64, at address: PhysicalAddress) { pc_store64(place(address), value) }

  func publishTables() {
    pc_dsb_ishst()
    pc_isb()
  }
}
