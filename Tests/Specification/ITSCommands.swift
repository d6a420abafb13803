// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Commands.md`: the rule of each command, and what the hardware gets. A command is an input: what EL2 read,
// once, from memory that the host may rewrite at any time.

/// What EL2 goes on with.
enum Read: Equatable, Sendable {
  /// The four words that it read.
  case command(ITSCommand)
  /// A load aborted.
  case aborted
  /// The command that takes several traps.
  case kept
}

/// What was observed where the documentation leaves EL2 the choice.
struct CommandChoice: Equatable, Sendable {
  /// Where EL2 put the translation table.
  var table: PageRange? = nil
  /// The second-level page that EL2 installed.
  var secondLevel: PageRange? = nil
  /// How many bytes of the table EL2 zeroed in this trap.
  var zeroed: UInt64 = 0
}

// MARK: The table of `Commands.md`

extension ITSOpcode {
  /// The rules of a row, from left to right; nil for what is refused.
  func row(isValid: Bool) -> [Rule]? {
    switch self {
    case .mapd:
      isValid ? [.deviceBelowBothTables, .devicePermitted, .sizeUpToIDBits] : [.deviceBelowBothTables]
    case .mapc: isValid ? [.collection, .target] : [.collection]
    case .mapti: [.device, .event, .collection, .interruptBelowTheLimit]
    case .mapi: [.device, .event, .collection, .eventIsAnInterrupt]
    case .movi: [.device, .event, .collection]
    case .int, .clear, .inv, .discard: [.device, .event]
    case .invall: [.collection, .collectionMapped]
    case .sync: [.target]
    case .movall: [.target, .secondTarget]
    case .vmapp:
      isValid
        ? [.vpeBelowLedgerAndTables, .target, .virtualIDBits, .pendingTableIsTheHosts]
        : [.vpeBelowLedgerAndTables]
    case .vmapti, .vmapi: [.device, .event, .vpe, .virtualInterrupt, .doorbell]
    case .vmovi: [.device, .event, .vpe, .doorbellIfItChanges]
    case .vmovp: [.vpe, .target]
    case .vinvall: [.vpe]
    case .vsync: [.vpeBelowLedgerAndTables]
    case .vsgi, .invdb: nil
    }
  }
}

extension World {
  /// Whether a rule of a row holds for a command.
  private func holds(_ rule: Rule, _ its: Int, _ command: ITSCommand) -> Bool {
    let state = self[its], device = state.devices[command.deviceID], vpe = state.vpes[command.vpeID]
    func isInterruptOrNone(_ id: UInt32) -> Bool { id == 1023 || board.isInterrupt(id) }
    return switch rule {
    case .device: device != nil
    case .event: device.map { UInt64(command.eventID) >> $0.eventIDBits == 0 } ?? false
    case .collection: UInt64(command.collectionID) < state.collectionPlaces
    case .collectionMapped: state.collections[command.collectionID] != nil
    case .target: redistributor(command.target, its, isVirtual: command.opcode?.isVirtual == true) != nil
    case .secondTarget: isKnown(command.secondTarget, its)
    case .interruptBelowTheLimit: board.isInterrupt(command.physicalID)
    case .eventIsAnInterrupt: board.isInterrupt(command.eventID)
    case .deviceBelowBothTables: UInt64(command.deviceID) < state.deviceLimit
    case .devicePermitted: board.listedDevices?.contains { $0.contains(command.deviceID) } ?? true
    case .sizeUpToIDBits: command.eventIDBits <= state.identity.type.eventIDBits
    case .vpe: vpe != nil
    case .vpeBelowLedgerAndTables:
      UInt64(command.vpeID) < min(state.vpeLimit, UInt64(state.identity.vpePlaces))
    case .virtualIDBits: 14...16 ~= command.virtualIDBits
    case .pendingTableIsTheHosts: command.pendingTablePages.map { pages.mayBeHeld($0) } ?? false
    case .virtualInterrupt:
      vpe.map { vpe in
        let id = command.opcode == .vmapi ? command.eventID : command.virtualID
        return id >= 8192 && UInt64(id) >> vpe.virtualIDBits == 0
      } ?? false
    case .doorbell: isInterruptOrNone(command.doorbellID)
    case .doorbellIfItChanges: !command.hasDoorbell || isInterruptOrNone(command.doorbellID)
    default: false
    }
  }

  /// *Target*: a Redistributor that EL2 has found.
  func isKnown(_ target: Target, _ its: Int) -> Bool { redistributor(target, its) != nil }

  /// The Redistributor that a command names, by its RD frame; one for virtual interrupts may name the VLPI frame.
  func redistributor(_ target: Target, _ its: Int, isVirtual: Bool = false) -> Target? {
    let areAddresses = self[its].areAddresses
    let known = redistributors.map { $0.target(areAddresses: areAddresses) }
    return [target, isVirtual && areAddresses ? target &- 2 : target].first { known.contains($0) }
  }
}

extension ITSCommand {
  /// The bits of an EventID in MAPD.
  var eventIDBits: UInt64 { eventIDBitsMinusOne + 1 }
  /// The bits of a vINTID in VMAPP.
  var virtualIDBits: UInt64 { virtualIDBitsMinusOne + 1 }
  /// The pending table of VMAPP, with a bit for each vINTID of 16 bits.
  var pendingTablePages: PageRange? {
    PageRange(PhysicalAddress(pendingTable), bytes: LPITableSizes(interruptIDBits: 16).pending)
  }
}

extension ITSState {
  /// Whether commands name Redistributors by their addresses.
  var areAddresses: Bool { identity.type.targetsAreAddresses }
  /// The first DeviceID that is not below the host's and EL2's table.
  var deviceLimit: UInt64 { limit(.devices, bits: identity.type.deviceIDBits) }
  /// The first vPEID that is not below the host's and EL2's table.
  var vpeLimit: UInt64 { limit(.vpes, bits: 16) }

  private func limit(_ kind: GITSTableBase.Kind, bits: UInt64) -> UInt64 {
    guard let mine = identity.tables.first(kind), let hosts = host.tables.first(kind) else { return 0 }
    return min(mine.capacity, hosts.capacity, 1 << bits)
  }

  /// The first ICID that is not below EL2's collection table, with the hardware's own places, and the ledger.
  var collectionPlaces: UInt64 {
    let table = identity.tables.first(.collections)?.capacity ?? 0, type = identity.type
    return min(table + type.hardwareCollections, 1 << type.collectionIDBits, identity.collectionPlaces)
  }

  /// The pages of a translation table.
  func pages(eventIDBits: UInt64) -> UInt64 {
    let bytes = max(identity.type.translationEntrySize << eventIDBits, 256)
    return (bytes + PageFrameNumber.size - 1) >> PageFrameNumber.shift
  }

  /// Whether so many tables are unmapped, and wait for the hardware, that no other may be unmapped.
  var isCrowded: Bool { waitingTables >= Board.waitingTables }
  /// The tables that are unmapped, and wait for the hardware.
  var waitingTables: Int { tables.values.count { $0.state != .zeroing && $0.state != .mapped } }

  /// Whether EL2 may append to its queue: the ITS is enabled, and there is room for a command and its SYNCs.
  var mayAppend: Bool { phase == .enabled && commit.room >= UInt64(5 + targets.count) }
}

// MARK: The queue

extension World {
  /// EL2 shares and pins the staging queue before it reads a command; if it can't, the queue stalls.
  func holdingQueue(its: Int) -> [Outcome] {
    let base = self[its].host.commandBase, use = Use.stagingQueue(its: its)
    guard self[its].hasWork, pages.holds[use] == nil, base.isValid else { return [] }
    let range = PageRange(PhysicalAddress(base.base), bytes: base.size)
    guard let range, pages.mayBeRead(range), let held = holding(range, for: use) else {
      return ending(.its(its), .ignored, .unsharedQueueStalls, .noMapIsNeverShared) {
        $0[its].host.isStalled = true
      }
    }
    return held.ending(.its(its), .done, .stagingIsShared, .holdsMayOverlap)
  }

  /// EL2 takes the next command of the host's queue, or goes on with one, once there is room for it.
  func taking(its: Int, _ read: Read, _ choice: CommandChoice = CommandChoice()) -> [Outcome] {
    let state = self[its]
    guard state.mayAppend, pages.holds[.stagingQueue(its: its)] != nil, state.hasWork, state.doomed.isEmpty
    else { return [] }
    switch (read, state.staging.unfinished) {
    case (.aborted, nil): return ending(.its(its), .stalled, .abortStalls) { $0[its].host.isStalled = true }
    case (.command(let words), nil): return carryingOut(its, words, choice).adding(.readOnce)
    case (.kept, let kept?): return carryingOut(its, kept.command, choice).adding(.notReadAgain)
    default: return []
    }
  }

  /// The row of a command: the first rule that fails refuses it.
  private func carryingOut(_ its: Int, _ words: ITSCommand, _ choice: CommandChoice) -> [Outcome] {
    guard let opcode = words.opcode else { return refusing(its, .anythingElse) }
    guard !opcode.isVirtual || offersVirtual(its) else { return refusing(its, .virtualIsOff) }
    guard let row = opcode.row(isValid: words.isValid) else { return refusing(its, .gicv41IsRefused) }
    let command = words.rebuilt(as: opcode, targetsAreAddresses: self[its].areAddresses)
    if let failed = row.first(where: { !holds($0, its, command) }) { return refusing(its, failed) }
    let collection = command.collectionID
    switch (opcode, command.isValid) {
    case (.mapd, true): return mapd(its, command, choice)
    case (.mapd, false): return unmapping(its, command, .device(command.deviceID), .unmapd)
    case (.mapc, true):
      return committing(its, [command], .mapc) {
        $0[its].collections[collection] = command.target
        $0[its].targets.insert(command.target)
      }
    case (.mapc, false):
      return committing(its, [.unmapc(collection)], .unmapc) { $0[its].collections[collection] = nil }
    case (.vmapp, true): return vmapp(its, command)
    case (.vmapp, false): return unmapping(its, command, .vpe(command.vpeID), .unvmapp)
    case (.vmovp, _):
      return committing(its, [command], .targetsAreRedistributors) {
        $0[its].targets.formUnion([redistributor(command.target, its, isVirtual: true)].compactMap { $0 })
      }
    default: return committing(its, [command], .res0BitsAreZero)
    }
  }

  /// A command is refused: skipped, or the queue stops at it.
  ///
  /// What it had been given is free again.
  private func refusing(_ its: Int, _ rule: Rule) -> [Outcome] {
    let stalls = board.stallsAtRefused
    return ending(
      .its(its), .refused(rule), .firstRuleThatFailsIsTheReason, stalls ? .refusedStalls : .refusedIsSkipped
    ) {
      $0[its].dropUnfinished()
      if stalls { $0[its].host.isStalled = true } else { $0[its].advance() }
    }
  }

  /// A command is passed on as `commands`, behind `before`, which are appended already.
  private func committing(
    _ its: Int, _ commands: [ITSCommand], _ rules: Rule..., behind before: [ITSCommand] = [],
    change: (inout World) -> Void = { _ in }
  ) -> [Outcome] {
    ending(.its(its), .committed(before + commands), rules + [.slotsAreNotRewritten]) {
      $0[its].commit.slots += commands
      change(&$0)
      $0[its].staging.unfinished = nil
      $0[its].advance()
    }
  }

  /// A command waits for the hardware to pass what unmapped another table; it is not read again.
  private func waiting(_ its: Int, _ command: ITSCommand) -> [Outcome] {
    ending(.its(its), .unfinished, .notReadAgain) {
      $0[its].staging.unfinished = $0[its].staging.unfinished ?? Staging.Unfinished(command: command)
    }
  }

  // MARK: MAPD

  /// MAPD, V=1: memory first, zeroed over as many traps as it takes; then the commands.
  private func mapd(_ its: Int, _ command: ITSCommand, _ choice: CommandChoice) -> [Outcome] {
    let state = self[its], id = command.deviceID, known = state.devices[id]
    if let known, known.name == command.translationTable, known.eventIDBits == command.eventIDBits {
      return committing(its, [], .sameMAPDKeepsEvents)
    }
    let isFull = state.devices.count >= state.identity.devicePlaces
    if known == nil, isFull { return refusing(its, .placeInTheLedger) }
    if known != nil, state.isCrowded { return waiting(its, command) }
    var world = self
    if state.staging.unfinished?.table == nil {
      guard choice.table != nil else {
        guard state.mayLackMemory(for: command) else { return [] }
        return state.waitingTables > 0 ? waiting(its, command) : refusing(its, .memoryForTables)
      }
      guard let allocated = allocating(its, command, choice) else { return [] }
      world = allocated
    }
    return world.zeroing(its, command, choice)
  }

  /// EL2's memory for a MAPD, where it was observed to be; nil where it can't be there.
  private func allocating(_ its: Int, _ command: ITSCommand, _ choice: CommandChoice) -> World? {
    let state = self[its]
    guard let range = choice.table, state.isFree(range),
      range.count == state.pages(eventIDBits: command.eventIDBits)
    else { return nil }
    var world = self
    world[its].tables[.translation(range.first)] = Table(
      pages: range, owner: .device(command.deviceID), state: .zeroing)
    world[its].staging.unfinished = .init(command: command, table: range, bytes: range.bytes)
    guard let missing = state.missingSecondLevel(of: command.deviceID) else { return world }
    guard let page = choice.secondLevel, page.bytes == missing.bytes, world[its].isFree(page),
      page.first.address.isAligned(to: missing.bytes)
    else { return nil }
    world[its].secondLevel[missing.index] = page
    return world
  }

  /// EL2 zeroes some bytes of the table, and passes the MAPD on when none are left.
  private func zeroing(_ its: Int, _ command: ITSCommand, _ choice: CommandChoice) -> [Outcome] {
    guard let kept = self[its].staging.unfinished, let range = kept.table,
      choice.zeroed <= min(kept.bytes, board.bytesPerTrap)
    else { return [] }
    guard choice.zeroed == kept.bytes else {
      return ending(.its(its), .unfinished, .bytesPerTrap, .memoryForTables) {
        $0[its].staging.unfinished?.bytes -= choice.zeroed
      }
    }
    let id = command.deviceID, bits = command.eventIDBits, key = TableKey.translation(range.first)
    let mapping = ITSCommand.mapd(id, table: range.first.address.rawValue, eventIDBits: bits)
    var (world, before) = unmapped(its, .device(id))
    world[its].tables[key]?.state = .mapped
    world[its].devices[id] = Device(name: command.translationTable, eventIDBits: bits, table: key)
    return world.committing(
      its, [mapping], .mapd, .tableIsEL2sArena, .firstLevelAfterSecondIsZero, behind: before)
  }
}

extension ITSState {
  /// Frees at once what was being zeroed, of which the hardware never heard.
  mutating func dropUnfinished() {
    if let table = staging.unfinished?.table { tables[.translation(table.first)] = nil }
    staging.unfinished = nil
  }

  /// The command at hand is done: the next one is behind it.
  fileprivate mutating func advance() {
    let place = staging.next
    staging.next = (place + ITSCommand.size) % host.commandBase.size
    staging.count += 1
    if !commit.slots.isEmpty { staging.taken.append(.init(place: place, end: commit.appended)) }
  }

  /// What of EL2's memory for the ITS is not free.
  var used: [PageRange] {
    let translations = tables.filter { if case .translation = $0.key { true } else { false } }
    return secondLevel.values + translations.values.map { $0.pages }
  }

  /// Whether a range of EL2's memory for the ITS is free.
  func isFree(_ range: PageRange) -> Bool {
    identity.arena.contains { $0.contains(range) } && !used.contains { $0.overlaps(range) }
  }

  /// The second-level page that a DeviceID still lacks: its bytes, and the index of its entry.
  func missingSecondLevel(of id: UInt32) -> (bytes: UInt64, index: UInt64)? {
    guard let table = identity.tables.first(.devices), table.isIndirect else { return nil }
    let index = UInt64(id) / (table.pageSize.bytes / table.entrySize)
    return secondLevel[index] == nil ? (table.pageSize.bytes, index) : nil
  }

  /// Whether EL2 may find no memory for a MAPD.
  ///
  /// Either no run of free pages is long enough; or, by where EL2 put the translation table, none is for the
  /// second-level page, which lies at a multiple of its size.
  func mayLackMemory(for command: ITSCommand) -> Bool {
    let count = pages(eventIDBits: command.eventIDBits)
    let hasRun = identity.arena.contains { part in
      part.pages.contains { PageRange(first: $0, count: count).map(isFree) ?? false }
    }
    return !hasRun || missingSecondLevel(of: command.deviceID) != nil
  }
}

// MARK: VMAPP

extension World {
  /// VMAPP, V=1: the whole pending table is held, and the vPE is unmapped before where it is mapped.
  private func vmapp(_ its: Int, _ command: ITSCommand) -> [Outcome] {
    if self[its].isCrowded { return waiting(its, command) }
    guard let range = command.pendingTablePages else { return [] }
    let (world, before) = unmapped(its, .vpe(command.vpeID))
    let key = TableKey.pending(world[its].commit.appended)
    guard var held = world.holding(range, for: .vpeTable(its: its, key)) else { return [] }
    held[its].tables[key] = Table(pages: range, owner: .vpe(command.vpeID), state: .mapped)
    held[its].vpes[command.vpeID] = VPE(virtualIDBits: command.virtualIDBits, table: key)
    held[its].targets.formUnion([redistributor(command.target, its, isVirtual: true)].compactMap { $0 })
    return held.committing(its, [command], .vmapp, .vpeTableIsTheHosts, behind: before)
  }

  // MARK: Unmapping

  /// MAPD or VMAPP, V=0: nothing for what is not mapped.
  private func unmapping(_ its: Int, _ command: ITSCommand, _ mapping: Mapping, _ rule: Rule) -> [Outcome] {
    if self[its].isCrowded { return waiting(its, command) }
    let (world, commands) = unmapped(its, mapping)
    return world.committing(its, [], rule, behind: commands)
  }

  /// Appends what unmaps a mapping, if the ledger has it; its table waits for SYNCs and for the hardware.
  private func unmapped(_ its: Int, _ mapping: Mapping) -> (world: World, commands: [ITSCommand]) {
    var world = self
    var commands: [ITSCommand] = []
    var table: TableKey?
    switch mapping {
    case .device(let id):
      table = world[its].devices.removeValue(forKey: id)?.table
      if table != nil { commands = [.unmapd(id)] }
    case .vpe(let id):
      table = world[its].vpes.removeValue(forKey: id)?.table
      if table != nil { commands = [.unvmapp(id), .vsync(id)] }
    case .collection(let id):
      if world[its].collections.removeValue(forKey: id) != nil { commands = [.unmapc(id)] }
    }
    world[its].doomed.remove(mapping)
    world[its].commit.slots += commands
    let targets = self[its].targets, end = world[its].commit.appended
    if let table { world[its].tables[table]?.state = targets.isEmpty ? .sealed(end) : .unsealed(targets) }
    return (world, commands)
  }

  /// EL2 unmaps what the host's tables have lost, before it takes a command.
  func unmappingDoomed(its: Int, _ mapping: Mapping) -> [Outcome] {
    guard self[its].mayAppend, self[its].doomed.contains(mapping) else { return [] }
    let (world, commands) = unmapped(its, mapping)
    return world.ending(.its(its), .committed(commands), .otherTablesUnmap)
  }

  /// EL2 appends SYNCs: behind a batch with an unmapping, or behind one that would end at offset zero.
  func synchronising(its: Int, _ targets: [Target]) -> [Outcome] {
    let state = self[its], isPermitted = state.phase == .enabled && targets.allSatisfy { isKnown($0, its) }
    guard isPermitted, state.commit.room >= UInt64(targets.count) else { return [] }
    return ending(.its(its), .done, .freeBehindSyncs, .noBatchEndsAtZero) {
      $0[its].commit.slots += targets.map { .sync(target: $0) }
      let end = $0[its].commit.appended
      // They have the place of the command before them.
      for index in state.staging.taken.indices where state.staging.taken[index].end == state.commit.appended {
        $0[its].staging.taken[index].end = end
      }
      for (key, table) in state.tables {
        guard case .unsealed(let missing) = table.state else { continue }
        let left = missing.subtracting(targets)
        $0[its].tables[key]?.state = left.isEmpty ? .sealed(end) : .unsealed(left)
      }
    }
  }

  /// EL2 tells the hardware of all slots so far by one write of GITS_CWRITER.
  func publishing(its: Int) -> [Outcome] {
    let state = self[its], commit = state.commit
    let endsAtZero = commit.offset(of: commit.appended) == 0 && !state.targets.isEmpty
    guard state.phase == .enabled, commit.appended > commit.published, !endsAtZero else { return [] }
    return ending(.its(its), .done, .oneWriteOfCWRITER, .noBatchEndsAtZero) {
      $0[its].commit.published = commit.appended
    }
  }

  /// EL2 frees a table that the hardware has done with: its own memory, or the pin of the host's.
  ///
  /// It may do so late.
  func freeing(its: Int, _ key: TableKey) -> [Outcome] {
    let state = self[its], isBelieved = state.phase != .off && state.isEnabledAsWritten && state.isQueueEL2s
    guard case .sealed(let end) = state.tables[key]?.state, end <= state.commit.passed, isBelieved else {
      return []
    }
    return ending(.its(its), .done, .freeBehindSyncs, .freedOnlyWhileRegistersHold, .neverFreedWhileStuck) {
      $0[its].tables[key] = nil
      $0.pages.holds[.vpeTable(its: its, key)] = nil
    }
  }
}
