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
    let rules = TableBaseRules { value in
      guard machine.registers.write(.double, value, at: address) else { return nil }
      return machine.registers.read(.double, at: address)
    }
    guard let rules else { throw .silent(offset: tableOffset(index)) }
    return rules
  }

  /// Installs a zeroed table of EL2 for `ids` IDs: of two levels where that is permitted and the
  /// hardware has it, of one with at most `limit` bytes otherwise.
  func installTable<Machine: ITSMachine & ~Copyable>(
    _ index: UInt64, ids: UInt64, limit: UInt64, mayBeIndirect: Bool, _ rules: TableBaseRules,
    isNonCoherent: Bool, _ arena: inout PageArena, _ machine: borrowing Machine
  ) throws(ITSSetupError) -> HardwareTable {
    // What a small page and two levels become says what there is.
    let probe = rules.readBack(GITSTableBase.indirect)
    let isIndirect = mayBeIndirect && probe.isIndirect
    let page = probe.pageSize.bytes
    let perPage = page / probe.entrySize
    let wanted =
      isIndirect ? (ids + perPage - 1) / perPage * 8 : min(ids * probe.entrySize, limit)
    let count = min(max((wanted + page - 1) / page, 1), 256)
    guard
      let pages = arena.take(
        count * page >> PageFrameNumber.shift, alignment: page >> PageFrameNumber.shift,
        memory: machine.memory)
    else { throw .outOfMemory }
    pages.zero(machine.memory)
    machine.memory.clean(pages.address, size: pages.size)

    func install(_ attributes: UInt64) throws(ITSSetupError) -> GITSTableBase {
      let value = GITSTableBase(
        base: pages.address.rawValue, pages: count, pageSize: probe.pageSize,
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
