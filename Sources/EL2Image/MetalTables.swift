// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware

/// The image's own table pages, reached through the mapping of the image.
struct MetalTables: TableMemory {
  /// What is added to a physical address to reach it: zero with the MMU off, the distance between
  /// link and load address with it on.
  let offset: UInt64

  func load(_ address: PhysicalAddress) -> UInt64 { pc_load64(address.rawValue &+ offset) }

  func store(_ value: UInt64, at address: PhysicalAddress) {
    pc_store64(address.rawValue &+ offset, value)
  }

  func publishTables() {
    pc_dsb_ishst()
    pc_isb()
  }
}
