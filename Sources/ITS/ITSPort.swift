// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

/// The hardware's registers during set-up, when every refusal ends it.
struct ITSPort {
  let frame: VirtualAddress

  /// How often a bit that the hardware is to change is looked at.
  private static var polls: Int { 1 << 20 }

  func read<Machine: ITSMachine & ~Copyable>(
    _ offset: UInt64, _ machine: borrowing Machine, _ width: AccessWidth = .double
  ) throws(ITSSetupError) -> UInt64 {
    guard
      let value = machine.registers.read(width, at: VirtualAddress(frame.rawValue &+ offset))
    else { throw .silent(offset: offset) }
    return value
  }

  func write<Machine: ITSMachine & ~Copyable>(
    _ offset: UInt64, _ value: UInt64, _ machine: borrowing Machine,
    _ width: AccessWidth = .double
  ) throws(ITSSetupError) {
    guard machine.registers.write(width, value, at: VirtualAddress(frame.rawValue &+ offset)) else {
      throw .silent(offset: offset)
    }
  }

  /// Clears GITS_CTLR.Enabled and waits for Quiescent.
  func disable<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(ITSSetupError) {
    let offset = ITSRegister.control.offset
    let control = try read(offset, machine, .word)
    try write(offset, control & ~(1 | 1 << 31), machine, .word)
    for _ in 0..<Self.polls {
      let value = UInt32(truncatingIfNeeded: try read(offset, machine, .word))
      if GITSControl(rawValue: value).isQuiescent { return }
    }
    throw .notQuiescent
  }

  /// Installs the queue; whether the hardware sees it without cleaning.
  func installQueue<Machine: ITSMachine & ~Copyable>(
    _ base: PhysicalAddress, pages: UInt64, isNonCoherent: Bool, _ machine: borrowing Machine
  ) throws(ITSSetupError) -> Bool {
    func install(_ attributes: UInt64) throws(ITSSetupError) -> GITSCommandBase {
      let offset = ITSRegister.commandBase.offset
      let wanted = GITSCommandBase(base: base.rawValue, pages: pages, attributes: attributes)
      try write(offset, wanted.rawValue, machine)
      let found = GITSCommandBase(rawValue: try read(offset, machine))
      guard found.isValid, found.base == wanted.base, found.size == wanted.size else {
        throw .queueRefused
      }
      return found
    }
    var found = try install(
      isNonCoherent ? MemoryAttributes.nonCacheable : MemoryAttributes.coherent)
    let isCoherent = !isNonCoherent && MemoryAttributes.isCoherent(found.rawValue)
    if !isCoherent { found = try install(MemoryAttributes.nonCacheable) }
    try write(ITSRegister.commandWrite.offset, 0, machine)
    let pointer = GITSQueuePointer(rawValue: try read(ITSRegister.commandRead.offset, machine))
    guard pointer.offset == 0 else { throw .queueRefused }
    return isCoherent
  }

  private func tableOffset(_ index: UInt64) -> UInt64 { ITSRegister.tableBases.offset + index * 8 }

  /// Makes a table not Valid.
  func clearTable<Machine: ITSMachine & ~Copyable>(
    _ index: UInt64, _ machine: borrowing Machine
  ) throws(ITSSetupError) {
    try write(tableOffset(index), 0, machine)
  }

  /// What the registers hold that say where queue and tables are.
  func installed<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(ITSSetupError) -> InstalledRegisters {
    var installed = InstalledRegisters()
    installed.commandBase = try read(ITSRegister.commandBase.offset, machine)
    for index in 0..<8 {
      installed.tableBases[index] = try read(tableOffset(UInt64(index)), machine)
    }
    return installed
  }

  /// Tries all table registers out.
  func probeTables<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(ITSSetupError) -> InlineArray<8, TableBaseRules> {
    var rules: InlineArray<8, TableBaseRules> = InlineArray(repeating: try probe(0, machine))
    for index in 1..<8 { rules[index] = try probe(UInt64(index), machine) }
    return rules
  }

  private func probe<Machine: ITSMachine & ~Copyable>(
    _ index: UInt64, _ machine: borrowing Machine
  ) throws(ITSSetupError) -> TableBaseRules {
    let address = VirtualAddress(frame.rawValue &+ tableOffset(index))
    let initial = try read(tableOffset(index), machine)
    let rules = TableBaseRules(initial: initial) { value in
      guard machine.registers.write(.double, value, at: address) else { return nil }
      return machine.registers.read(.double, at: address)
    }
    guard let rules else { throw .silent(offset: tableOffset(index)) }
    return rules
  }

  /// How large a table gets.
  private struct Shape {
    let pageSize: TablePageSize
    let pages: UInt64
    let capacity: UInt64
    var bytes: UInt64 { pages * pageSize.bytes }
  }

  /// The smallest pages that make a table for `ids` IDs of at most `limit` bytes, and of 256 pages as the
  /// register has it; else those that come nearest.
  private func shape(
    ids: UInt64, limit: UInt64, isIndirect: Bool, _ rules: TableBaseRules
  ) -> Shape {
    var best: Shape?
    for size in 0..<3 as Range<UInt64> {
      let read = rules.readBack(size << 8 | (isIndirect ? GITSTableBase.indirect : 0))
      let page = read.pageSize.bytes
      let perPage = page / read.entrySize
      let bytes = isIndirect ? (ids + perPage - 1) / perPage * 8 : ids * read.entrySize
      let pages = max(min((bytes + page - 1) / page, min(256, limit / page)), 1)
      let capacity = isIndirect ? pages * page / 8 * perPage : pages * page / read.entrySize
      if capacity > best?.capacity ?? 0, best?.capacity ?? 0 < ids {
        best = Shape(pageSize: read.pageSize, pages: pages, capacity: capacity)
      }
    }
    return best ?? Shape(pageSize: .kib4, pages: 1, capacity: 0)
  }

  /// The bits of an ID that fit into a table; nil for as many as the hardware promises, or could have a table for.
  func cutBits(_ table: HardwareTable, ids: UInt64, _ rules: TableBaseRules) -> UInt64? {
    let largest = shape(ids: ids, limit: .max, isIndirect: table.register.isIndirect, rules)
    guard table.capacity < min(ids, largest.capacity) else { return nil }
    return 63 - UInt64(table.capacity.leadingZeroBitCount)
  }

  /// Installs a zeroed table of EL2 for `ids` IDs, of at most `limit` bytes: of two levels where that is
  /// permitted and the hardware has it, and else of one.
  func installTable<Machine: ITSMachine & ~Copyable>(
    _ index: UInt64, ids: UInt64, limit: UInt64, mayBeIndirect: Bool, _ rules: TableBaseRules,
    isNonCoherent: Bool, _ arena: inout PageArena, _ machine: borrowing Machine
  ) throws(ITSSetupError) -> HardwareTable {
    let isIndirect = mayBeIndirect && rules.readBack(GITSTableBase.indirect).isIndirect
    let shape = shape(ids: ids, limit: limit, isIndirect: isIndirect, rules)
    guard
      let pages = arena.take(
        shape.bytes >> PageFrameNumber.shift,
        alignment: shape.pageSize.bytes >> PageFrameNumber.shift, memory: machine.memory)
    else { throw .outOfMemory }
    pages.zero(machine.memory)
    machine.memory.clean(pages.address, size: pages.size)

    func install(_ attributes: UInt64) throws(ITSSetupError) -> GITSTableBase {
      let value = GITSTableBase(
        base: pages.address.rawValue, pages: shape.pages, pageSize: shape.pageSize,
        isIndirect: isIndirect, attributes: attributes)
      try write(tableOffset(index), value.rawValue, machine)
      let found = GITSTableBase(rawValue: try read(tableOffset(index), machine))
      guard found.isValid, found.base == value.base, found.size == value.size,
        found.isIndirect == isIndirect
      else { throw .tableRefused(index: index) }
      return found
    }
    var found = try install(
      isNonCoherent ? MemoryAttributes.nonCacheable : MemoryAttributes.coherent)
    if !MemoryAttributes.isCoherent(found.rawValue) {
      found = try install(MemoryAttributes.nonCacheable)
    }
    return HardwareTable(register: found, capacity: min(found.capacity, ids))
  }
}
