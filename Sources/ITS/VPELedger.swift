// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// A vPE that is mapped in the hardware.
struct MappedVPE: Sendable {
  /// The vPEID.
  let vpeID: UInt16
  /// How many bits its vINTIDs have.
  let virtualIDBits: UInt64
  /// The slot of the pin that holds its pending table.
  let slot: UInt64
}

/// Which vPEs the hardware has mapped: one word for each vPEID, {mapped [63], slot [31:16], bits [5:0]}.
struct VPELedger: Sendable {
  private let base: PhysicalAddress
  /// How many vPEIDs there are; none where virtual interrupts are not offered.
  let capacity: UInt64

  /// The bytes that `capacity` vPEs take.
  static func size(capacity: UInt64) -> UInt64 { capacity * 8 }

  /// Makes a ledger without a mapped vPE in zeroed memory.
  init(_ base: PhysicalAddress, capacity: UInt64) {
    self.base = base
    self.capacity = capacity
  }

  private func place(_ id: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ id &* 8)
  }

  /// What is known of a vPE; nil where it is not mapped.
  func find<Memory: BusMemory & ~Copyable>(
    _ vpeID: UInt16, memory: borrowing Memory
  ) -> MappedVPE? {
    guard UInt64(vpeID) < capacity else { return nil }
    let word = memory.load(place(UInt64(vpeID)))
    guard word >> 63 != 0 else { return nil }
    return MappedVPE(vpeID: vpeID, virtualIDBits: word & 0x3f, slot: word >> 16 & 0xffff)
  }

  /// Notes that a vPE below the capacity is mapped.
  func insert<Memory: BusMemory & ~Copyable>(_ vpe: MappedVPE, memory: borrowing Memory) {
    memory.store(1 << 63 | vpe.slot << 16 | vpe.virtualIDBits, at: place(UInt64(vpe.vpeID)))
  }

  /// Notes that a vPE is not mapped any more.
  func remove<Memory: BusMemory & ~Copyable>(_ vpeID: UInt16, memory: borrowing Memory) {
    memory.store(0, at: place(UInt64(vpeID)))
  }
}
