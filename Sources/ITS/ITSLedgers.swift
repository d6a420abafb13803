// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership

/// What EL2 keeps about one ITS beside its queue and tables, all of it in the arena.
struct ITSLedgers {
  var devices: DeviceLedger
  var collections: CollectionLedger
  var targets: RedistributorDirectory
  var vpes: VPELedger
  let heldTables: PhysicalAddress
  var retirement: RetirementQueue
  var tokens: DoorbellTokens

  /// The slots of the ledger of devices.
  private static var deviceSlots: UInt64 { 2048 }
  /// The most collections.
  static var collectionCapacity: UInt64 { 1024 }
  /// The most Redistributors.
  private static var targetCapacity: UInt64 { 512 }

  /// How many pending tables can be held: as many again as there are vPEs may wait to be released.
  static func heldCapacity(_ vpes: VPELedger) -> UInt64 {
    vpes.capacity == 0 ? 0 : vpes.capacity + RetirementQueue.capacity
  }

  /// Makes empty ledgers for collections below `collectionLimit`, `vpes` vPEs and `cpus` CPUs; nil where
  /// the arena is too small.
  init?<Memory: BusMemory & ~Copyable>(
    _ arena: inout PageArena, collectionLimit: UInt64, vpes: UInt64, cpus: UInt64,
    memory: borrowing Memory
  ) {
    let capacity = min(collectionLimit, Self.collectionCapacity)
    guard
      let devices = arena.takeZeroed(DeviceLedger.size(slots: Self.deviceSlots), memory: memory),
      let collections = arena.takeZeroed(
        CollectionLedger.size(capacity: max(capacity, 1)), memory: memory),
      let targets = arena.takeZeroed(
        RedistributorDirectory.size(capacity: Self.targetCapacity), memory: memory),
      let vpeWords = arena.takeZeroed(VPELedger.size(capacity: max(vpes, 1)), memory: memory),
      let heldTables = arena.takeZeroed(
        PinTable.size(capacity: vpes + RetirementQueue.capacity), memory: memory),
      let retirement = arena.takeZeroed(RetirementQueue.size, memory: memory),
      let tokens = arena.takeZeroed(DoorbellTokens.size(cpus: cpus), memory: memory)
    else { return nil }
    self.devices = DeviceLedger(devices, slots: Self.deviceSlots)
    self.collections = CollectionLedger(collections, capacity: capacity)
    self.targets = RedistributorDirectory(targets, capacity: Self.targetCapacity)
    self.vpes = VPELedger(vpeWords, capacity: vpes)
    self.heldTables = heldTables
    self.retirement = RetirementQueue(retirement)
    self.tokens = DoorbellTokens(tokens, cpus: cpus)
  }
}
