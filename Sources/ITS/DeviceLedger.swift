// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// A device that is mapped in the hardware.
struct MappedDevice: Sendable {
  /// The DeviceID.
  let deviceID: UInt32
  /// How many bits its EventIDs have.
  let eventIDBits: UInt64
  /// The pages of its Interrupt Translation Table.
  let table: PageRange
  /// ITT_addr as the host has it: a name by which a MAPD of the same table is known.
  let name: UInt64
}

/// Which devices the hardware has mapped, and where their Interrupt Translation Tables are.
///
/// This is the truth: the hardware's device table is its output, and what a command says of an
/// earlier mapping is not listened to. A hash table with open addressing in pages of the arena: two
/// words a slot, {DeviceID, EventID bits} and {first page, pages}; the second is zero in a free slot.
/// Behind all of them a word a slot, ITT_addr of the host, which few commands look at.
struct DeviceLedger: Sendable {
  let base: PhysicalAddress
  private let mask: UInt64
  /// How many devices are mapped.
  private(set) var count: UInt64 = 0

  /// How many devices can be mapped at once: three quarters of the slots, so that a search is short.
  var capacity: UInt64 { (mask + 1) / 4 * 3 }
  /// How many slots there are, to look at all of them.
  var slots: UInt64 { mask + 1 }

  /// The bytes that `slots` slots, a power of two, take.
  static func size(slots: UInt64) -> UInt64 { slots * 24 }

  /// Makes an empty ledger in zeroed memory.
  init(_ base: PhysicalAddress, slots: UInt64) {
    self.base = base
    mask = slots - 1
  }

  @inline(__always)
  private func place(_ slot: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ slot &* 16)
  }

  private func namePlace(_ slot: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ (mask &+ 1) &* 16 &+ slot &* 8)
  }

  @inline(__always)
  private func home(_ deviceID: UInt32) -> UInt64 {
    // Fibonacci hashing: the high bits of the product depend on all bits of the DeviceID.
    (UInt64(deviceID) &* 0x9e37_79b9_7f4a_7c15) >> 32 & mask
  }

  /// The slot of a device, or the free slot where it would go.
  @inline(__always)
  private func slot<Memory: BusMemory & ~Copyable>(
    of deviceID: UInt32, _ memory: borrowing Memory
  ) -> (slot: UInt64, isTaken: Bool) {
    var slot = home(deviceID)
    // Ends: a quarter of the slots is free.
    while true {
      if memory.load(PhysicalAddress(place(slot).rawValue &+ 8)) == 0 { return (slot, false) }
      if UInt32(truncatingIfNeeded: memory.load(place(slot))) == deviceID { return (slot, true) }
      slot = (slot &+ 1) & mask
    }
  }

  /// How many bits the EventIDs of a mapped device have; nil where it is not mapped.
  @inline(__always)
  func eventIDBits<Memory: BusMemory & ~Copyable>(
    of deviceID: UInt32, memory: borrowing Memory
  ) -> UInt64? {
    let (slot, isTaken) = slot(of: deviceID, memory)
    return isTaken ? memory.load(place(slot)) >> 32 : nil
  }

  /// What is known of a device; nil where it is not mapped.
  func find<Memory: BusMemory & ~Copyable>(
    _ deviceID: UInt32, memory: borrowing Memory
  ) -> MappedDevice? {
    device(in: slot(of: deviceID, memory).slot, memory: memory)
  }

  /// The device in a slot; nil in a free one.
  func device<Memory: BusMemory & ~Copyable>(
    in slot: UInt64, memory: borrowing Memory
  ) -> MappedDevice? {
    let table = memory.load(PhysicalAddress(place(slot).rawValue &+ 8))
    guard table != 0,
      let pages = PageRange(first: PageFrameNumber(table >> 20), count: table & 0xf_ffff)
    else { return nil }
    let device = memory.load(place(slot))
    return MappedDevice(
      deviceID: UInt32(truncatingIfNeeded: device), eventIDBits: device >> 32, table: pages,
      name: memory.load(namePlace(slot)))
  }

  /// Notes that a device is mapped; false where the ledger is full.
  ///
  /// An entry of the same DeviceID is replaced.
  mutating func insert<Memory: BusMemory & ~Copyable>(
    _ device: MappedDevice, memory: borrowing Memory
  ) -> Bool {
    let (slot, isTaken) = slot(of: device.deviceID, memory)
    guard isTaken || count < capacity else { return false }
    memory.store(UInt64(device.deviceID) | device.eventIDBits << 32, at: place(slot))
    memory.store(
      device.table.first.rawValue << 20 | device.table.count,
      at: PhysicalAddress(place(slot).rawValue &+ 8))
    memory.store(device.name, at: namePlace(slot))
    if !isTaken { count += 1 }
    return true
  }

  /// Notes that a device is no longer mapped.
  mutating func remove<Memory: BusMemory & ~Copyable>(
    _ deviceID: UInt32, memory: borrowing Memory
  ) {
    var (hole, isTaken) = slot(of: deviceID, memory)
    guard isTaken else { return }
    count -= 1
    // Whatever a search would pass the hole for moves into it, so that no search ends too early.
    var next = hole
    while true {
      next = (next &+ 1) & mask
      let table = memory.load(PhysicalAddress(place(next).rawValue &+ 8))
      guard table != 0 else { break }
      let device = memory.load(place(next))
      let home = home(UInt32(truncatingIfNeeded: device))
      guard (next &- home) & mask >= (next &- hole) & mask else { continue }
      memory.store(device, at: place(hole))
      memory.store(table, at: PhysicalAddress(place(hole).rawValue &+ 8))
      memory.store(memory.load(namePlace(next)), at: namePlace(hole))
      hole = next
    }
    memory.store(0, at: PhysicalAddress(place(hole).rawValue &+ 8))
  }
}
