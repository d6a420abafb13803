// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// Which collections the hardware has mapped: one word for each ICID, not zero where it is.
struct CollectionLedger: Sendable {
  private let base: PhysicalAddress
  /// How many ICIDs there are.
  let capacity: UInt64
  /// How many collections are mapped.
  private(set) var count: UInt64 = 0

  /// The bytes that `capacity` collections take.
  static func size(capacity: UInt64) -> UInt64 { capacity * 8 }

  /// Makes a ledger without a mapped collection in zeroed memory.
  init(_ base: PhysicalAddress, capacity: UInt64) {
    self.base = base
    self.capacity = capacity
  }

  @inline(__always)
  private func place(_ collectionID: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ collectionID &* 8)
  }

  /// Whether a collection below the capacity is mapped.
  @inline(__always)
  func isMapped<Memory: BusMemory & ~Copyable>(
    _ collectionID: UInt64, memory: borrowing Memory
  ) -> Bool {
    collectionID < capacity && memory.load(place(collectionID)) != 0
  }

  /// Notes whether a collection below the capacity is mapped.
  mutating func set<Memory: BusMemory & ~Copyable>(
    _ collectionID: UInt64, isMapped: Bool, memory: borrowing Memory
  ) {
    guard collectionID < capacity, self.isMapped(collectionID, memory: memory) != isMapped else {
      return
    }
    count = isMapped ? count + 1 : count - 1
    memory.store(isMapped ? 1 : 0, at: place(collectionID))
  }
}
