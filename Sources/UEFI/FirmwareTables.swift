// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The memory that firmware's tables lie in, one table at a time.
public protocol FirmwareTableMemory: ~Copyable, ~Escapable {
  /// Opens a table for loads and stores; false where it is not all in the firmware's memory.
  @_lifetime(self: copy self)
  mutating func open(_ table: AddressRange) -> Bool
  /// Whether any of `range` is memory.
  func touchesMemory(_ range: AddressRange) -> Bool
  /// Closes it again.
  @_lifetime(self: copy self)
  mutating func close(_ table: AddressRange)
  /// A word of an open table.
  func load(_ address: PhysicalAddress) -> UInt64
  /// Replaces a word of an open table.
  func store(_ value: UInt64, at address: PhysicalAddress)
}

/// The tables of a stage 1 of EL2, made to mean the same at EL1.
///
/// EL2 has one privilege level, EL1 is above EL0. Bit 54 of a leaf, XN at EL2, is there UXN alone, and what EL0 may
/// write (AP[1]) EL1 never executes. So PXN is set where XN is, and AP[1] cleared; both bits have no effect at EL2.
/// The same holds of the tables' own XNTable and PXNTable. Source: Arm ARM DDI 0487, D8.3.1 and D8.4.1.
public struct FirmwareTables: Sendable {
  /// The most tables that are looked at.
  public static let limit = 8192

  /// Ranges of what is executed without being memory.
  public typealias Executed = FixedList<8, AddressRange>

  private let geometry: FirmwareGeometry
  private let adapts: Bool
  private var left = Self.limit
  private var executed: Executed

  private init?(_ geometry: FirmwareGeometry, adapts: Bool) {
    self.geometry = geometry
    self.adapts = adapts
    guard let filler = AddressRange(base: geometry.root, size: 1) else { return nil }
    executed = Executed(filler: filler)
  }

  /// Looks whether all tables can be reached, and changes nothing.
  ///
  /// - Returns: what is executed in place: Normal, and no memory.
  public static func check(
    _ geometry: FirmwareGeometry, in memory: inout some FirmwareTableMemory & ~Copyable & ~Escapable
  ) throws(FirmwareRefusal) -> Executed {
    guard var tables = FirmwareTables(geometry, adapts: false) else { throw .geometry }
    try tables.visit(geometry.root, level: 4 - geometry.levels, &memory)
    return tables.executed
  }

  /// Adapts all tables, of which ``check(_:in:)`` has found nothing to refuse.
  public static func adapt(
    _ geometry: FirmwareGeometry, in memory: inout some FirmwareTableMemory & ~Copyable & ~Escapable
  ) throws(FirmwareRefusal) {
    guard var tables = FirmwareTables(geometry, adapts: true) else { throw .geometry }
    try tables.visit(geometry.root, level: 4 - geometry.levels, &memory)
  }

  // It goes no deeper than a walk has levels, whatever the tables say.
  private mutating func visit(
    _ table: PhysicalAddress, level: UInt64,
    _ memory: inout some FirmwareTableMemory & ~Copyable & ~Escapable
  ) throws(FirmwareRefusal) {
    guard left > 0 else { throw .tooManyTables(limit: Self.limit) }
    left -= 1
    let count: UInt64 = 1 << geometry.bits(at: level)
    guard let range = AddressRange(base: table, size: 8 * count), memory.open(range) else {
      throw .tableOutsideMemory(table)
    }
    for index in 0..<count {
      let place = PhysicalAddress(table.rawValue + 8 * index)
      let entry = memory.load(place)
      guard let next = look(at: entry, place, level: level, memory) else {
        try noteExecuted(entry, level: level, memory)
        continue
      }
      memory.close(range)
      try visit(next, level: level + 1, &memory)
      // It was there a moment ago.
      guard memory.open(range) else { throw .tableOutsideMemory(table) }
    }
    memory.close(range)
  }

  /// Adapts an entry; the table that it leads to, if it does.
  private func look(
    at entry: UInt64, _ place: PhysicalAddress, level: UInt64,
    _ memory: borrowing some FirmwareTableMemory & ~Copyable & ~Escapable
  ) -> PhysicalAddress? {
    guard entry & 1 == 1 else { return nil }
    let isTable = level < 3 && entry & 0b10 != 0
    let executeNever: UInt64 = isTable ? 1 << 60 : 1 << 54
    // What EL2 ignores may hold anything.
    var adapted = entry & ~(executeNever >> 1)
    if entry & executeNever != 0 { adapted |= executeNever >> 1 }
    if !isTable { adapted &= ~(1 << 6) }
    if adapts, adapted != entry { memory.store(adapted, at: place) }
    let pages = ~(UInt64(1) << geometry.granuleShift - 1)
    return isTable ? PhysicalAddress(entry & 0xffff_ffff_ffff & pages) : nil
  }

  /// Takes note of a leaf that is executed, and is neither memory nor registers.
  private mutating func noteExecuted(
    _ entry: UInt64, level: UInt64,
    _ memory: borrowing some FirmwareTableMemory & ~Copyable & ~Escapable
  ) throws(FirmwareRefusal) {
    // XN; an attribute of 0b0000xxxx is Device.
    guard !adapts, entry & 1 == 1, entry >> 54 & 1 == 0,
      geometry.memoryAttributes >> (8 * (entry >> 2 & 0b111)) & 0xf0 != 0
    else { return }
    let size: UInt64 = 1 << (geometry.granuleShift + (3 - level) * (geometry.granuleShift - 3))
    let base = PhysicalAddress(entry & 0xffff_ffff_ffff & ~(size - 1))
    guard let range = AddressRange(base: base, size: size), !memory.touchesMemory(range) else {
      return
    }
    if let last = executed.indices.last, executed[last].last.rawValue + 1 == base.rawValue,
      let joined = AddressRange(base: executed[last].base, size: executed[last].size + size)
    {
      executed[last] = joined
      return
    }
    guard executed.append(range) else {
      throw .tooManyExecuted(limit: Executed.capacity)
    }
  }
}
