// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership

/// A handover that is being checked: what the hardware says, compared with what the host says.
struct HandoverDraft {
  let setup: ITSSetup
  let descriptor: HandoverDescriptor
  let typer: GITSTyper
  let queue: GITSCommandBase
  /// Where the hardware is in its queue, in bytes.
  let offset: UInt64
  let tables: InlineArray<8, UInt64>
  let deviceTableIndex: Int
  let deviceTable: HardwareTable
  let collectionTable: HardwareTable?
  let origins: PhysicalAddress
  var ledgers: ITSLedgers

  /// Reads the hardware and compares; nothing is claimed yet.
  init<Machine: ITSMachine & ~Copyable>(
    _ setup: ITSSetup, base: PhysicalAddress, _ descriptor: HandoverDescriptor,
    _ arena: inout PageArena, _ machine: borrowing Machine
  ) throws(HandoverError) {
    func read(_ offset: UInt64, _ width: AccessWidth) throws(HandoverError) -> UInt64 {
      guard
        let value = machine.registers.read(
          width, at: VirtualAddress(setup.frame.rawValue &+ offset))
      else { throw .silent(offset: offset) }
      return value
    }
    func said(_ word: UInt64) -> UInt64 { descriptor.word(word, memory: machine.memory) }

    // What EL2 gives the hardware from the arena must be within its reach.
    guard setup.arena.address.rawValue <= setup.addressLimit,
      setup.arena.size <= setup.addressLimit - setup.arena.address.rawValue
    else { throw .outOfMemory }
    guard said(1) == base.rawValue else { throw .malformed }
    let control = UInt32(truncatingIfNeeded: try read(ITSRegister.control.offset, .word))
    guard GITSControl(rawValue: control).isEnabled else { throw .notEnabled }
    let typer = GITSTyper(
      rawValue: try read(ITSRegister.type.offset, .double),
      of: try read(ITSRegister.implementer.offset, .word))
    let queue = GITSCommandBase(rawValue: try read(ITSRegister.commandBase.offset, .double))
    guard queue.isValid, queue.rawValue == said(2) else {
      throw .mismatch(offset: ITSRegister.commandBase.offset)
    }
    let slots = queue.size / ITSCommand.size
    guard slots.nonzeroBitCount == 1 else { throw .queueSize }
    let reader = GITSQueuePointer(rawValue: try read(ITSRegister.commandRead.offset, .double))
    let writer = GITSQueuePointer(rawValue: try read(ITSRegister.commandWrite.offset, .double))
    guard reader.offset == writer.offset, !reader.isStalled, reader.offset < queue.size else {
      throw .busy
    }

    var tables = InlineArray<8, UInt64>(repeating: 0)
    var deviceIndex: Int?
    var collectionIndex: Int?
    var collectionLimit = typer.hardwareCollections
    for index in 0..<8 {
      let offset = ITSRegister.tableBases.offset + UInt64(index) * 8
      tables[index] = try read(offset, .double)
      guard tables[index] == said(8 + UInt64(index)) else { throw .mismatch(offset: offset) }
      let table = GITSTableBase(rawValue: tables[index])
      guard table.isValid else { continue }
      switch table.kind {
      case .devices where deviceIndex == nil: deviceIndex = index
      case .collections where collectionIndex == nil:
        collectionIndex = index
        collectionLimit += table.capacity
      // Not offered, and claimed with the others: the host may have set it up and never used it.
      case .vpes: break
      case .devices, .collections, .none: throw .table(index: UInt64(index))
      }
    }
    guard let deviceIndex else { throw .table(index: 8) }
    guard
      let origins = arena.takeZeroed(
        CommitQueue.originsSize(slots: slots), memory: machine.memory),
      let ledgers = ITSLedgers(
        &arena, collectionLimit: min(collectionLimit, 1 << typer.collectionIDBits), vpes: 0,
        cpus: setup.cpus, memory: machine.memory)
    else { throw .outOfMemory }
    self.setup = setup
    self.descriptor = descriptor
    self.typer = typer
    self.queue = queue
    offset = reader.offset
    self.tables = tables
    deviceTableIndex = deviceIndex
    deviceTable = Self.table(tables[deviceIndex], ids: 1 << typer.deviceIDBits, setup)
    collectionTable = collectionIndex.map {
      Self.table(tables[$0], ids: 1 << typer.collectionIDBits, setup)
    }
    self.origins = origins
    self.ledgers = ledgers
  }

  private static func table(
    _ register: UInt64, ids: UInt64, _ setup: ITSSetup
  ) -> HardwareTable {
    // Hardware that does not look into caches does not, whatever attributes it accepts.
    let seen = setup.isNonCoherent ? register & ~MemoryAttributes.all : register
    let table = GITSTableBase(rawValue: seen)
    return HardwareTable(register: table, capacity: min(table.capacity, ids))
  }

  /// The slots of the hardware's queue.
  var slots: UInt64 { queue.size / ITSCommand.size }

  /// Claims the queue, the tables and the second levels that their first levels point to.
  mutating func claimQueueAndTables<Machine: HandoverMachine & ~Copyable>(
    _ claims: inout ClaimSet, firstLevelLimit: UInt64, _ machine: borrowing Machine
  ) throws(HandoverError) {
    try claim(queue.base, queue.size, &claims, machine)
    for index in 0..<8 {
      let table = GITSTableBase(rawValue: tables[index])
      guard table.isValid else { continue }
      try claim(table.base, table.size, &claims, machine)
      guard table.isIndirect else { continue }
      guard table.size / 8 <= firstLevelLimit else { throw .table(index: UInt64(index)) }
      for entry in 0..<(table.size / 8) {
        // The table is EL2's by now: the host can't change it behind the check.
        let place = PhysicalAddress(table.base + entry * 8)
        guard let word = machine.memory.tryLoad(place) else { throw .unreadable(place) }
        let found = TableFirstLevelEntry(rawValue: UInt64(littleEndian: word))
        guard found.isValid else { continue }
        guard found.rawValue == TableFirstLevelEntry(page: found.page).rawValue,
          found.page & (table.pageSize.bytes - 1) == 0,
          found.page <= setup.addressLimit - table.pageSize.bytes
        else { throw .firstLevelEntry(place) }
        try claim(found.page, table.pageSize.bytes, &claims, machine)
      }
    }
  }

  /// Notes the collections that are mapped.
  mutating func takeCollections<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(HandoverError) {
    for index in 0..<descriptor.collectionCount {
      let word = descriptor.collection(index, memory: machine.memory)
      let id = word & 0xffff
      guard id < ledgers.collections.capacity, word >> 52 == 0,
        let target = ledgers.targets.find(word >> 16, memory: machine.memory)
      else { throw .collection(UInt16(truncatingIfNeeded: id)) }
      ledgers.targets.markUsed(target, memory: machine.memory)
      ledgers.collections.set(id, isMapped: true, memory: machine.memory)
    }
  }

  /// Claims the Interrupt Translation Tables, which may share pages but not bytes, and notes the
  /// devices.
  ///
  /// A page of the queue or of a table can't be claimed once more, and so holds no ITT.
  ///
  /// - Complexity: linear in the devices and in the pages that they have.
  mutating func takeDevices<Machine: HandoverMachine & ~Copyable>(
    _ claims: inout ClaimSet, _ occupied: TranslationMap, _ machine: borrowing Machine
  ) throws(HandoverError) {
    for index in 0..<descriptor.deviceCount {
      let (head, address) = descriptor.device(index, memory: machine.memory)
      let id = UInt32(truncatingIfNeeded: head)
      let bits = head >> 32
      guard bits > 0, bits <= typer.eventIDBits, UInt64(id) < deviceTable.capacity,
        setup.policy.devices.permits(id), address & 0xff == 0, address < setup.addressLimit
      else { throw .device(id) }
      let size = max(typer.translationEntrySize << bits, 256)
      guard size <= setup.addressLimit - address,
        let pages = PageRange(
          first: PageFrameNumber(containing: PhysicalAddress(address)),
          count: (address + size - 1) >> 12 - address >> 12 + 1),
        ledgers.devices.find(id, memory: machine.memory) == nil,
        ledgers.devices.insert(
          MappedDevice(deviceID: id, eventIDBits: bits, table: pages, name: address),
          memory: machine.memory)
      else { throw .device(id) }
      for frame in pages.first.rawValue...pages.last.rawValue {
        let frame = PageFrameNumber(frame)
        switch occupied.occupy(frame, from: address, size: size, memory: machine.memory) {
        case .newPage: try claim(frame.address.rawValue, PageFrameNumber.size, &claims, machine)
        case .free: break
        case .taken: throw .overlap(id)
        case .full: throw .outOfMemory
        }
      }
    }
  }

  /// Shares and pins the staging queue.
  func pinStaging<Machine: HandoverMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(HandoverError) -> Pin<1> {
    let base = descriptor.word(3, memory: machine.memory)
    guard base & (PageFrameNumber.size - 1) == 0, base < setup.addressLimit,
      let pages = PageRange(
        first: PageFrameNumber(containing: PhysicalAddress(base)), count: queue.size >> 12)
    else { throw .malformed }
    do throws(OwnershipError) {
      return try machine.shareAndPin(pages)
    } catch {
      throw .ownership(OwnershipErrorCode(page: PhysicalAddress(base)))
    }
  }

  /// The ITS, mediated: nothing fails here.
  func finish(
    _ arena: PageArena, pin: consuming Pin<1>, stagedTables: InlineArray<8, UInt64>
  ) -> MediatedITS {
    var commit = CommitQueue(
      PhysicalAddress(queue.base), origins: origins, slots: slots, at: offset / ITSCommand.size)
    commit.isCoherent = !setup.isNonCoherent && MemoryAttributes.isCoherent(queue.rawValue)
    var rules = InlineArray<8, TableBaseRules>(repeating: TableBaseRules(keeping: 0))
    for index in 0..<8 { rules[index] = TableBaseRules(keeping: tables[index]) }
    var its = MediatedITS(
      ITSParts(
        frame: setup.frame, typer: typer, offered: MediatedITS.offeredType(typer, setup.policy),
        policy: setup.policy, arena: arena, ledgers: ledgers,
        commit: commit, deviceTable: deviceTable, deviceTableIndex: deviceTableIndex,
        collectionTable: collectionTable,
        rules: rules,
        installed: InstalledRegisters(commandBase: queue.rawValue, tableBases: tables)))
    let base = pin[0].pages.address.rawValue
    its.staging.reset(
      GITSCommandBase(base: base, pages: queue.size >> 12, attributes: queue.attributes))
    its.staging.begin(at: offset)
    its.staging.pin = consume pin
    its.stagingBegan = its.commit.written
    for index in 0..<8 {
      let table = GITSTableBase(rawValue: tables[index])
      guard table.isValid else { continue }
      let staged = GITSTableBase(
        base: stagedTables[index], pages: table.pages, pageSize: table.pageSize,
        isIndirect: table.isIndirect, attributes: table.attributes)
      its.tableBases[index] =
        rules[index].readBackByHost(staged.rawValue, offersVPEs: false).rawValue
    }
    its.marks.staged = .max
    its.isEnabled = true
    its.isAtRest = false
    return its
  }

  private func claim<Machine: HandoverMachine & ~Copyable>(
    _ base: UInt64, _ size: UInt64, _ claims: inout ClaimSet, _ machine: borrowing Machine
  ) throws(HandoverError) {
    let failure = OwnershipErrorCode(page: PhysicalAddress(base))
    guard base < setup.addressLimit, size <= setup.addressLimit - base,
      let pages = PageRange(
        first: PageFrameNumber(containing: PhysicalAddress(base)), count: size >> 12)
    else { throw .ownership(failure) }
    guard claims.count < claims.capacity else { throw .outOfMemory }
    do throws(OwnershipError) {
      try machine.claim(pages, into: &claims)
    } catch {
      throw .ownership(failure)
    }
    // EL2 reads and writes there from now on as in memory of its own.
    for page in pages.first.rawValue...pages.last.rawValue {
      let place = PageFrameNumber(page).address
      guard machine.memory.tryLoad(place) != nil else { throw .unreadable(place) }
    }
  }
}
