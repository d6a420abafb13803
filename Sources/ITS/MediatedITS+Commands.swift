// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

// The rule of each command. A rule looks at the private copy, at the ledgers and at limits that come
// from the hardware; it changes nothing before all of it holds.
//
//   command              rule                                             effect beside the command itself
//   MAPD V=1             DeviceID below both tables, permitted;           none with the ITT_addr and Size that it has;
//                        Size up to ID_bits                               else own table, zeroed; old one unmapped first
//   MAPD V=0             DeviceID below both tables; Size, ITT ignored    unmapped by the ledger, table retired
//   MAPC                 ICID below the limit; V=1: RDbase known          ledger
//   MAPTI                device, EventID, ICID, INTID an LPI
//   MAPI                 as MAPTI, the INTID is the EventID
//   MOVI                 device, EventID, ICID
//   INT CLEAR INV DISCARD  device, EventID
//   INVALL               ICID mapped
//   SYNC                 RDbase known
//   MOVALL               both RDbase known
//   all with bit 5 set   MediatedITS+VirtualCommands.swift, or refused where they are not offered
//   anything else        refused
//
// The hardware gets the fields of a command and no other bit of it.

/// What became of a command.
enum CommandOutcome {
  /// Appended, and in the ledger.
  case done
  /// Not yet: more zeroing, or progress of the hardware, comes first. Nothing has changed.
  case later
  /// It does not reach the hardware.
  case refused(CommandRefusalReason)
}

extension MediatedITS {
  /// Carries one command out, or says why not.
  ///
  /// By the number and inlined, with the rare commands out of line: a driver sends INV, MAPTI and SYNC
  /// by the hundred.
  @inline(__always)
  mutating func carryOut<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ budget: inout Budget, _ machine: borrowing Machine
  ) -> CommandOutcome {
    // Each rule names its command once more, so that the compiler knows the fields.
    let rebuilt: ITSCommand
    switch command.number {
    case ITSOpcode.inv.rawValue, ITSOpcode.int.rawValue, ITSOpcode.clear.rawValue,
      ITSOpcode.discard.rawValue:
      rebuilt = command.rebuilt(as: .inv)
      if let reason = checkEvent(command, machine) { return .refused(reason) }
    case ITSOpcode.mapti.rawValue:
      rebuilt = command.rebuilt(as: .mapti)
      if let reason = checkMapping(command, to: command.physicalID, machine) {
        return .refused(reason)
      }
    case ITSOpcode.sync.rawValue:
      rebuilt = command.rebuilt(as: .sync, targetsAreAddresses: typer.targetsAreAddresses)
      guard targets.find(rebuilt.target, memory: machine.memory) != nil else {
        return .refused(.unknownTarget)
      }
    default: return carryOutRare(command, &budget, machine)
    }
    commit.append(rebuilt, for: staging.takenOffset, memory: machine.memory)
    return .done
  }

  @inline(never)
  private mutating func carryOutRare<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ budget: inout Budget, _ machine: borrowing Machine
  ) -> CommandOutcome {
    guard let opcode = command.opcode else { return .refused(.reservedCommand) }
    if opcode.isVirtual, vpes.capacity == 0 { return .refused(.virtualInterrupts) }
    let command = command.rebuilt(as: opcode, targetsAreAddresses: typer.targetsAreAddresses)
    if opcode.isVirtual { return carryOutVirtual(command, opcode, machine) }
    switch opcode {
    case .mapi:
      if let reason = checkMapping(command, to: command.eventID, machine) {
        return .refused(reason)
      }
    case .movi:
      if let reason = checkMapping(command, to: nil, machine) { return .refused(reason) }
    case .movall:
      guard targets.find(command.target, memory: machine.memory) != nil,
        targets.find(command.secondTarget, memory: machine.memory) != nil
      else { return .refused(.unknownTarget) }
    case .invall:
      let id = UInt64(command.collectionID)
      guard id < collections.capacity else { return .refused(.collectionOutOfRange) }
      guard collections.isMapped(id, memory: machine.memory) else {
        return .refused(.collectionNotMapped)
      }
    case .mapc: return mapCollection(command, machine)
    case .mapd: return mapDevice(command, &budget, machine)
    case .inv, .int, .clear, .discard, .mapti, .sync, .vmovi, .vmovp, .vsgi, .vsync, .vmapp,
      .vmapti, .vmapi, .vinvall, .invdb:
      // Carried out, or refused, before.
      return .refused(.reservedCommand)
    }
    commit.append(command, for: staging.takenOffset, memory: machine.memory)
    return .done
  }

  /// Whether the device is mapped and has the event.
  @inline(__always)
  func checkEvent<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ machine: borrowing Machine
  ) -> CommandRefusalReason? {
    guard let bits = devices.eventIDBits(of: command.deviceID, memory: machine.memory) else {
      return .deviceNotMapped
    }
    return UInt64(command.eventID) >> bits == 0 ? nil : .eventOutOfRange
  }

  @inline(__always)
  private func checkMapping<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, to interrupt: UInt32?, _ machine: borrowing Machine
  ) -> CommandRefusalReason? {
    if let reason = checkEvent(command, machine) { return reason }
    guard UInt64(command.collectionID) < collections.capacity else { return .collectionOutOfRange }
    guard let interrupt else { return nil }
    // LPIs begin at 8192 (IHI 0069, 2.2).
    return interrupt >= 8192 && UInt64(interrupt) < policy.interruptLimit
      ? nil : .interruptOutOfRange
  }

  private mutating func mapCollection<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ machine: borrowing Machine
  ) -> CommandOutcome {
    let id = UInt64(command.collectionID)
    guard id < collections.capacity else { return .refused(.collectionOutOfRange) }
    if command.isValid {
      guard let index = targets.find(command.target, memory: machine.memory) else {
        return .refused(.unknownTarget)
      }
      guard prepareSecondLevel(ofCollection: id, machine) else { return .refused(.outOfMemory) }
      targets.markUsed(index, memory: machine.memory)
    } else if !collections.isMapped(id, memory: machine.memory),
      !hasSecondLevel(ofCollection: id, machine)
    {
      // It stays unmapped, and the hardware would stumble over an entry that isn't there.
      return .done
    }
    collections.set(id, isMapped: command.isValid, memory: machine.memory)
    // Unmapping ignores RDbase, and so the hardware does not get the host's.
    commit.append(
      command.isValid ? command : .unmapc(command.collectionID), for: staging.takenOffset,
      memory: machine.memory)
    return .done
  }

  /// The DeviceIDs that the table has room for which the host has set up.
  private var hostDeviceCapacity: UInt64 {
    let register = GITSTableBase(rawValue: tableBases[deviceTableIndex])
    return register.isValid ? register.capacity : 0
  }

  private mutating func mapDevice<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ budget: inout Budget, _ machine: borrowing Machine
  ) -> CommandOutcome {
    let id = UInt64(command.deviceID)
    guard id < deviceTable.capacity, id < hostDeviceCapacity else {
      return .refused(.deviceOutOfRange)
    }
    let old = devices.find(command.deviceID, memory: machine.memory)
    if command.isValid {
      return mapDevice(command, replacing: old, &budget, machine)
    }
    // A device that is not mapped stays so, and the hardware need not hear of it.
    guard let old else { return .done }
    guard !retirement.isFull else { return .later }
    unmap(old, machine)
    return .done
  }

  private mutating func mapDevice<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, replacing old: MappedDevice?, _ budget: inout Budget,
    _ machine: borrowing Machine
  ) -> CommandOutcome {
    guard policy.devices.permits(command.deviceID) else { return .refused(.unknownDevice) }
    let bits = command.eventIDBitsMinusOne + 1
    guard bits <= typer.eventIDBits else { return .refused(.eventOutOfRange) }
    // What the host has mapped in a table stays there, as it would in memory.
    if let old, old.name == command.translationTable, old.eventIDBits == bits { return .done }
    guard old != nil || devices.count < devices.capacity else { return .refused(.tooManyDevices) }
    guard old == nil || !retirement.isFull else { return .later }

    let count = PageRange.pages(for: max(typer.translationEntrySize << bits, 256))
    if unfinished == nil {
      guard let pages = takeTable(count, for: UInt64(command.deviceID), machine) else {
        // What the hardware is still to let go of may be enough.
        return retirement.isEmpty ? .refused(.outOfMemory) : .later
      }
      unfinished = UnfinishedTable(pages: pages, zeroed: 0)
    }
    guard let table = zero(&budget, machine) else { return .later }
    unfinished = nil
    if let old { unmap(old, machine) }
    // There is room, which was checked before anything changed.
    _ = devices.insert(
      MappedDevice(
        deviceID: command.deviceID, eventIDBits: bits, table: table,
        name: command.translationTable),
      memory: machine.memory)
    commit.append(
      .mapd(command.deviceID, table: table.address.rawValue, eventIDBits: bits),
      for: staging.takenOffset, memory: machine.memory)
    return .done
  }

  /// Takes pages for a table, and sees to the second level; nil, and nothing has changed, where there
  /// is no memory for both.
  private mutating func takeTable<Machine: ITSMachine & ~Copyable>(
    _ count: UInt64, for id: UInt64, _ machine: borrowing Machine
  ) -> PageRange? {
    guard let pages = arena.take(count, memory: machine.memory) else { return nil }
    guard prepareSecondLevel(of: id, in: deviceTable, machine) else {
      arena.giveBack(pages, memory: machine.memory)
      return nil
    }
    return pages
  }

  /// Goes on zeroing the unfinished table; it, once all of it is zero and the hardware sees that.
  private mutating func zero<Machine: ITSMachine & ~Copyable>(
    _ budget: inout Budget, _ machine: borrowing Machine
  ) -> PageRange? {
    guard var table = unfinished else { return nil }
    let count = budget.takeBytes(table.pages.size - table.zeroed)
    let start = table.pages.address.rawValue + table.zeroed
    machine.memory.zero(PhysicalAddress(start), size: count)
    // An ITT has no attributes of its own: a non-coherent ITS reads memory (IHI 0069, 5.2).
    if !deviceTable.isCoherent { machine.memory.clean(PhysicalAddress(start), size: count) }
    table.zeroed += count
    unfinished = table
    return table.zeroed == table.pages.size ? table.pages : nil
  }

  /// Sees to a second-level page for an ID; false where there is no memory for it.
  ///
  /// The first level is EL2's, from boot or since a handover; what it has not yet comes from the arena.
  private mutating func prepareSecondLevel<Machine: ITSMachine & ~Copyable>(
    of id: UInt64, in table: HardwareTable, _ machine: borrowing Machine
  ) -> Bool {
    guard let entry = table.firstLevelEntry(of: id), !isValid(entry, machine) else { return true }
    let count = table.secondLevelPages
    guard let pages = arena.take(count, alignment: count, memory: machine.memory) else {
      return false
    }
    pages.zero(machine.memory)
    if !table.isCoherent { machine.memory.clean(pages.address, size: pages.size) }
    // The page is zero for the hardware before the entry is there.
    machine.memory.publishToDevices()
    machine.memory.store(
      TableFirstLevelEntry(page: pages.address.rawValue).rawValue.littleEndian, at: entry)
    if !table.isCoherent { machine.memory.clean(entry, size: 8) }
    return true
  }

  /// Sees to the second level for a collection; only a table that was handed over has one.
  private mutating func prepareSecondLevel<Machine: ITSMachine & ~Copyable>(
    ofCollection id: UInt64, _ machine: borrowing Machine
  ) -> Bool {
    guard let table = collectionTable else { return true }
    // Whether the table counts from the first collection, or from the first one that the hardware does
    // not hold itself, is the hardware's own affair.
    return prepareSecondLevel(of: id, in: table, machine)
      && (id < typer.hardwareCollections
        || prepareSecondLevel(of: id - typer.hardwareCollections, in: table, machine))
  }

  /// Whether the hardware can look a collection up.
  private mutating func hasSecondLevel<Machine: ITSMachine & ~Copyable>(
    ofCollection id: UInt64, _ machine: borrowing Machine
  ) -> Bool {
    guard id >= typer.hardwareCollections, let table = collectionTable else { return true }
    func has(_ id: UInt64) -> Bool {
      table.firstLevelEntry(of: id).map { isValid($0, machine) } ?? true
    }
    return has(id) && has(id - typer.hardwareCollections)
  }

  private func isValid<Machine: ITSMachine & ~Copyable>(
    _ entry: PhysicalAddress, _ machine: borrowing Machine
  ) -> Bool {
    TableFirstLevelEntry(rawValue: UInt64(littleEndian: machine.memory.load(entry))).isValid
  }

  /// Unmaps a device that is in the ledger, by what the ledger says.
  ///
  /// - Precondition: there is room in both queues.
  mutating func unmap<Machine: ITSMachine & ~Copyable>(
    _ device: MappedDevice, _ machine: borrowing Machine
  ) {
    commit.append(
      .unmapd(device.deviceID), for: staging.takenOffset, memory: machine.memory)
    devices.remove(device.deviceID, memory: machine.memory)
    retirement.append(device.table, memory: machine.memory)
  }
}

extension PageRange {
  /// Zeroes pages that EL2 owns.
  func zero<Memory: BusMemory & ~Copyable>(_ memory: borrowing Memory) {
    memory.zero(address, size: size)
  }
}
