// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

/// A table that the hardware walks: in EL2's memory, zeroed before it was installed.
struct HardwareTable: Sendable {
  /// GITS_BASER<n> as the hardware reads it back.
  let register: GITSTableBase
  /// How many IDs it can hold.
  let capacity: UInt64
  /// Whether the hardware sees the table without cleaning.
  var isCoherent: Bool { MemoryAttributes.isCoherent(register.rawValue) }

  /// The place of the first-level entry of an ID; nil for a table of one level, and beyond its end.
  func firstLevelEntry(of id: UInt64) -> PhysicalAddress? {
    guard register.isIndirect, id < capacity else { return nil }
    return PhysicalAddress(
      register.base + id / (register.pageSize.bytes / register.entrySize) * 8)
  }

  /// How many 4 KiB pages a page of the second level is, which is its alignment as well.
  var secondLevelPages: UInt64 { register.pageSize.bytes >> PageFrameNumber.shift }
}
