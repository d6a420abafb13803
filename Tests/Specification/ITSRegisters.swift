// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Commands.md`, Registers, and `ITS.md`, Power: the host's accesses to the control frame of an ITS.

/// What was observed where the documentation leaves open what a store to a register does.
struct RegisterChoice: Equatable, Sendable {
  /// What `GITS_BASER<n>` reads as after it was written.
  var readBack = GITSTableBase(rawValue: 0)
  /// The doubleword that EL2 read in each of the host's tables at the enabling, by the register's number.
  ///
  /// Of two levels it is the entry of a mapped ID, of one level the first; none if EL2 could not read.
  var evidence: [Int: UInt64] = [:]
  /// Whether the hardware took each register that EL2 wrote again.
  var takesRegisters = true
}

private typealias Register = ITSRegister

extension ITSRegister {
  /// The number of a `GITS_BASER<n>`; nil for another register.
  fileprivate static func number(_ register: UInt64) -> Int? {
    let distance = register &- tableBases.offset
    return distance < tableBases.size * tableBases.count ? Int(distance / tableBases.size) : nil
  }
}

// MARK: Loads

extension World {
  /// A load of the host from the control frame of an ITS.
  func load(its: Int, at offset: UInt64, _ width: AccessWidth) -> [Outcome] {
    decoding(.its(its), offset, width, isLoad: true) { access in
      let state = self[its]
      func reads(_ whole: UInt64, _ rules: Rule...) -> [Outcome] {
        ending(.its(its), .value(access.part(of: whole)), rules)
      }
      if let number = Register.number(access.register) {
        return reads(state.host.tables[number].rawValue, .tableBase)
      }
      switch access.register {
      case Register.control.offset:
        // Enabled is what the host wrote with effect, Quiescent the hardware's. EL2 sees what the read tells.
        let value: UInt64 = (state.host.isEnabled ? 1 : 0) | (state.hardware.isQuiescent ? 1 << 31 : 0)
        return noticing(its).ending(.its(its), .value(value), .control, .restIsSeenAtReads)
      case Register.type.offset: return reads(hostType(its).rawValue, .type)
      case Register.commandBase.offset: return reads(state.host.commandBase.rawValue, .commandBase)
      case Register.commandWrite.offset:
        return reads(GITSQueuePointer(offset: state.host.write).rawValue, .commandWrite)
      case Register.commandRead.offset:
        // Of an ITS that is off nobody knows whether it has stalled.
        let flags = state.phase == .off ? [false, true] : [state.hostsRead.isStalled]
        return flags.flatMap {
          reads(GITSQueuePointer(offset: state.hostsRead.offset, flag: $0).rawValue, .commandRead)
        }
      default:
        let value = state.identity.identification[access.register]
        return value.map { reads($0, .identification) } ?? readingNothing(.its(its))
      }
    }
  }

  /// GITS_TYPER as the host reads it: Devbits and CIDbits are less where EL2's table holds less.
  func hostType(_ its: Int) -> GITSTyper {
    let identity = self[its].identity
    func bits(_ capacity: UInt64) -> UInt64 { UInt64(63 - capacity.leadingZeroBitCount) }
    var type = offersVirtual(its) ? identity.type : identity.type.withoutVirtualLPIs
    if let table = identity.tables.first(.devices) {
      let largest = GITSTableBase(rawValue: table.rawValue | 0xff).capacity
      let isLess = table.capacity < min(largest, 1 << type.deviceIDBits)
      if isLess { type = type.with(deviceIDBits: bits(table.capacity)) }
    }
    let places = self[its].collectionPlaces
    return places < 1 << type.collectionIDBits ? type.with(collectionIDBits: bits(places)) : type
  }

  /// Whether virtual interrupts are offered: with the policy `checked`, by an ITS of GICv4.0.
  func offersVirtual(_ its: Int) -> Bool {
    let type = self[its].identity.type
    return board.checksVirtual && type.hasVirtualLPIs && !type.hasGICv41
  }
}

extension [GITSTableBase] {
  /// The table of a kind that is Valid.
  func first(_ kind: GITSTableBase.Kind) -> GITSTableBase? { first { $0.isValid && $0.kind == kind } }
}

extension ITSState {
  /// GITS_CREADR as the host reads it: the first place that the hardware has not passed, and a stall there.
  var hostsRead: GITSQueuePointer {
    let place = staging.taken.first { $0.end > commit.passed }?.place ?? staging.next
    return GITSQueuePointer(offset: place, flag: commit.slots.isEmpty ? host.isStalled : hardware.isStalled)
  }

  // MARK: Power

  /// Whether Enabled is what EL2 has written.
  var isEnabledAsWritten: Bool { hardware.isEnabled == (phase == .enabled) }

  /// Whether GITS_CBASER is EL2's.
  var isQueueEL2s: Bool {
    hardware.commandBase.isValid && hardware.commandBase.base == identity.commandBase.base
  }

  /// Whether all registers are what EL2 left.
  var isAsLeft: Bool {
    isEnabledAsWritten && hardware.commandBase == identity.commandBase && hardware.tables == identity.tables
      && hardware.read == commit.offset(of: commit.passed)
  }

  /// Whether GITS_CREADR has an offset that the hardware can have come to.
  var isReadPlausible: Bool {
    let size = commit.capacity * ITSCommand.size
    let passed = (hardware.read % size + size - commit.offset(of: commit.passed)) % size
    return hardware.read < size && passed / ITSCommand.size <= commit.published - commit.passed
  }
}

extension World {
  /// EL2 reads GITS_CTLR: the ITS is at rest now, if EL2 `looks` for that, or its power was lost.
  ///
  /// It believes that the hardware rests at offset zero only while the queue is unused, or if it
  /// `believesZero`.
  func noticing(_ its: Int, looksForRest looks: Bool = true, believesZero: Bool = false) -> World {
    let state = self[its], hardware = state.hardware
    guard state.phase != .off else { return self }
    if !state.isEnabledAsWritten { return changed { $0[its].phase = .off } }
    let isUnused = state.commit.offset(of: state.commit.published) == 0
    guard looks, state.phase == .disabled, hardware.isQuiescent else { return self }
    guard state.isQueueEL2s else { return changed { $0[its].phase = .off } }
    guard believesZero || hardware.read != 0 || isUnused else { return self }
    return changed { $0[its].phase = state.isReadPlausible ? .atRest : .off }
  }

  /// EL2 reads GITS_CREADR and GITS_CBASER: the ITS is off if they cannot be right.
  func observing(its: Int) -> [Outcome] {
    let seen = noticing(its, looksForRest: false), state = self[its]
    let isLost =
      state.phase == .enabled && !state.isQueueEL2s || state.phase != .atRest && !state.isReadPlausible
    return seen.ending(.its(its), .done, .offUntilReset, .lostWhileEnabledStaysOff) {
      if isLost { $0[its].phase = .off }
    }
  }

  /// Before SYSTEM_SUSPEND, EL2 disables an ITS that is enabled; the host has not asked for it.
  func pausing(its: Int) -> [Outcome] {
    guard self[its].phase == .enabled else { return ending(.its(its), .done, .suspendDisablesTheITS) }
    return storeControl(its, isEnabled: false, RegisterChoice()).adding(.suspendDisablesTheITS) {
      $0[its].isPaused = true
    }
  }

  /// EL2 enables an ITS that it has paused, behind so many further `looks` whether it is Quiescent.
  ///
  /// It takes commands behind it, as behind the host's own store.
  func resuming(its: Int, looks: UInt64, _ choice: RegisterChoice = RegisterChoice()) -> [Outcome] {
    guard self[its].isPaused, looks <= Board.repetitions else { return [] }
    let waking = changed { ($0[its].isPaused, $0[its].waited) = (false, looks) }
    let aborted = choice.takesRegisters ? [] : waking.ending(.its(its), .aborted)
    let ended = waking.enabling(its, choice).filter { $0.answer != .repeats }
    return (ended + aborted).adding(.suspendedITSIsEnabled) {
      if $0[its].phase != .enabled { $0[its].phase = .off }
    }
  }

  /// On each CPU that firmware starts or wakes EL2 checks each ITS before the host runs.
  ///
  /// One that is off does not run either. Behind `resuming`, if it was paused.
  func waking(its: Int) -> [Outcome] {
    guard !self[its].isPaused else { return [] }
    return observing(its: its).adding(.wakingChecksTheITS) {
      if $0[its].phase == .off { $0[its].hardware.isEnabled = false }
    }
  }

  // MARK: Stores

  /// A store of the host to the control frame; of GITS_CWRITER and of Enabled only how it begins.
  func store(
    its: Int, at offset: UInt64, _ width: AccessWidth, _ value: UInt64, by cpu: CPU,
    _ choice: RegisterChoice = RegisterChoice()
  ) -> [Outcome] {
    decoding(.its(its), offset, width, isLoad: false) { access in
      let host = self[its].host
      if let number = Register.number(access.register) {
        let whole = access.joining(value, to: host.tables[number].rawValue)
        return storeTable(its, number, GITSTableBase(rawValue: whole), choice)
      }
      switch access.register {
      case Register.control.offset:
        // What the host says now counts when the ITS wakes.
        return storeControl(its, isEnabled: value & 1 != 0, choice).adding { $0[its].isPaused = false }
      case Register.commandBase.offset:
        let whole = access.joining(value, to: host.commandBase.rawValue) & GITSCommandBase.writable
        return storeCommandBase(its, GITSCommandBase(rawValue: whole))
      case Register.commandWrite.offset:
        return ring(its, GITSQueuePointer(rawValue: access.joining(value, to: host.write)), by: cpu)
      default: return ending(.its(its), .ignored, .otherRegisters)
      }
    }
  }

  /// A store that waits for Quiescent is repeated, and ignored after too many repetitions.
  private func waiting(_ its: Int) -> [Outcome] {
    let isLast = self[its].waited >= Board.repetitions
    if isLast { return ending(.its(its), .ignored, .waitingStoreIsIgnoredAtLast) }
    return ending(.its(its), .repeats, .waitingStoreIsRepeated) { $0[its].waited += 1 }
  }

  /// GITS_CTLR: Enabled alone is the host's.
  private func storeControl(_ its: Int, isEnabled: Bool, _ choice: RegisterChoice) -> [Outcome] {
    guard isEnabled != self[its].host.isEnabled else { return ending(.its(its), .done, .control) }
    if isEnabled { return enabling(its, choice) }
    let wasEnabled = noticing(its)[its].phase == .enabled
    // The hardware may become quiescent while EL2 waits, or not.
    return (self[its].hardware.isQuiescent ? [true] : [false, true]).flatMap { isQuiescent in
      noticing(its).ending(.its(its), .done, .clearingEnabledWaits) {
        if wasEnabled { $0[its].phase = .disabled }
        $0[its].host.isEnabled = false
        $0[its].hardware.isEnabled = false
        $0[its].hardware.isQuiescent = isQuiescent
        $0[its].waited = 0
        $0 = $0.noticing(its, believesZero: true)
      }
    }
  }

  /// EL2 sets Enabled from *at rest* only, with its own registers; it takes commands behind it.
  private func enabling(_ its: Int, _ choice: RegisterChoice) -> [Outcome] {
    let seen = noticing(its), state = seen[its]
    if state.phase == .off { return seen.ending(.its(its), .ignored, .offUntilReset) }
    guard state.hardware.isQuiescent else { return seen.waiting(its) }
    let canRestart = state.commit.slots.isEmpty && choice.takesRegisters
    guard state.phase == .atRest, state.isAsLeft || canRestart else {
      return seen.ending(.its(its), .ignored, .enabledOnlyFromRest, .lostCommandsKeepItOff) {
        $0[its].phase = .off
      }
    }
    return seen.ending(
      .its(its), .done, .enabledOnlyFromRest, .hostsTableTells, .twoLevelTableTells, .oneLevelTableTells,
      .foreignTableKeepsMappings, state.isAsLeft ? .enabledOnlyFromRest : .registersAreWrittenAgain
    ) {
      if !state.isAsLeft {
        // EL2 writes all registers again, and its queue begins at offset zero.
        $0[its].commit.start = state.commit.passed
        $0[its].hardware = ITSHardware(commandBase: state.identity.commandBase, tables: state.identity.tables)
      }
      $0[its].judgeTables(by: choice.evidence)
      $0[its].host.isEnabled = true
      $0[its].hardware.isEnabled = true
      $0[its].hardware.isQuiescent = false
      $0[its].phase = .enabled
      $0[its].waited = 0
    }
  }

  /// What a store to GITS_CBASER or `GITS_BASER<n>` ends in if it can't take effect: ignored, or repeated.
  private func notDisabled(_ its: Int, _ rule: Rule) -> [Outcome]? {
    if self[its].host.isEnabled { return ending(.its(its), .ignored, rule) }
    return self[its].hardware.isQuiescent ? nil : noticing(its, looksForRest: false).waiting(its)
  }

  /// GITS_CBASER: the host has another queue, which is empty; nothing of the old one is read any more.
  private func storeCommandBase(_ its: Int, _ value: GITSCommandBase) -> [Outcome] {
    if let outcomes = notDisabled(its, .commandBase) { return outcomes }
    return noticing(its, looksForRest: false).ending(
      .its(its), .done, .commandBase, .newQueueIsEmpty, .replacedQueueFreesZeroing
    ) {
      $0.pages.holds[.stagingQueue(its: its)] = nil
      $0[its].dropUnfinished()
      $0[its].host = HostRegisters(commandBase: value, tables: $0[its].host.tables)
      $0[its].staging = Staging()
      $0[its].doorbells = [:]
      $0[its].waited = 0
    }
  }

  /// `GITS_BASER<n>`: another table takes away what the old one had.
  private func storeTable(_ its: Int, _ number: Int, _ value: GITSTableBase, _ choice: RegisterChoice)
    -> [Outcome]
  {
    let old = self[its].host.tables[number], kind = self[its].identity.tables[number].kind
    let isHidden = kind == .none || kind == .vpes && !offersVirtual(its)
    if isHidden { return ending(.its(its), .ignored, .otherRegisters) }
    if let outcomes = notDisabled(its, .tableBase) { return outcomes }
    // Page_Size, Indirect and attributes may be read only, Type and Entry_Size are.
    let open = MemoryAttributes.all | GITSTableBase.indirect | 0b11 << 8, fixed = GITSTableBase.fixed
    let made = value.rawValue & ~fixed | old.rawValue & fixed
    guard (choice.readBack.rawValue ^ made) & ~open == 0 else { return [] }
    return noticing(its, looksForRest: false).ending(.its(its), .done, .tableBase, .otherTablesUnmap) {
      $0[its].host.tables[number] = choice.readBack
      $0[its].waited = 0
      if choice.readBack == old {
        $0[its].written.insert(number)
        return
      }
      $0[its].written.remove(number)
      $0[its].marked.remove(number)
      $0[its].doomed.formUnion($0[its].mappings(of: kind))
    }
  }

  // MARK: Doorbells

  /// A store to GITS_CWRITER begins: it is new, or repeated.
  ///
  /// EL2 takes commands behind it.
  private func ring(_ its: Int, _ pointer: GITSQueuePointer, by cpu: CPU) -> [Outcome] {
    let state = self[its], isBeyond = pointer.offset >= state.host.commandBase.size
    if isBeyond { return ending(.its(its), .ignored, .offsetBeyondIsIgnored) }
    let doorbell = Doorbell(cpu: cpu, offset: pointer.offset)
    let half = state.host.commandBase.size / ITSCommand.size / 2
    // A newer doorbell that has moved the end of the queue back has overtaken it too.
    let isRepeated = state.doorbells[doorbell].map { state.asked &- $0 < half } ?? false
    let rules: [Rule] = isRepeated ? [.repeatedStoreIsRecognised] : [.commandWrite, .overtakenDoorbellIsNew]
    // Retry reaches hardware that EL2 has seen stalled, and that still has EL2's queue.
    let isTold =
      pointer.isRetry && state.phase != .off
      && state.hardware.commandBase == state.identity.commandBase
    return ending(
      .its(its), .done, rules + (pointer.isRetry ? [.retryRepeats, .stalledStaysStalled] : [])
    ) {
      if isTold { $0[its].hardware.isStalled = false }
      if pointer.isRetry { $0[its].host.isStalled = false }
      if isRepeated { return }
      $0[its].host.write = pointer.offset
      $0[its].doorbells[doorbell] = $0[its].asked
      $0[its].waited = 0
    }
  }

  /// A trap in which EL2 takes commands ends: a store to GITS_CWRITER, one of Enabled, a load of GITS_CREADR.
  ///
  /// Where work is left a store is repeated, but not for ever without progress. `doorbell` is that of a store
  /// to GITS_CWRITER; `madeProgress`, whether EL2 took a command, zeroed memory or appended a slot; `spent`,
  /// how many commands it took or unmapped, and how many bytes of translation tables it zeroed.
  func endingTrap(
    its: Int, _ trap: CommandTrap, doorbell: Doorbell? = nil, madeProgress: Bool,
    spent: (commands: Int, bytes: UInt64) = (0, 0)
  ) -> [Outcome] {
    let state = self[its]
    let isBounded = spent.commands <= board.commandsPerTrap && spent.bytes <= board.bytesPerTrap
    guard state.isComplete, isBounded else { return [] }
    let isLeft = state.hasWork && state.phase == .enabled
    let waited = isLeft ? (madeProgress ? 0 : state.waited + 1) : state.waited
    let others = state.doorbells.keys.count { $0.cpu == doorbell?.cpu && $0 != doorbell }
    let isRepeated = isLeft && waited <= Board.repetitions && others < Board.doorbells
    let answer = trap == .store && isRepeated ? Answer.repeats : .done
    return ending(.its(its), answer, .workLeftRepeatsTheStore, .commandsPerTrap, .bytesPerTrap) {
      $0[its].waited = waited
      if let doorbell, !isRepeated { $0[its].doorbells[doorbell] = nil }
    }
  }
}

/// What kind of access the trap is in which EL2 takes commands.
enum CommandTrap: Equatable, Sendable { case store, load }

extension ITSState {
  /// All that is mapped of a kind.
  func mappings(of kind: GITSTableBase.Kind) -> Set<Mapping> {
    switch kind {
    case .devices: Set(devices.keys.map { .device($0) })
    case .collections: Set(collections.keys.map { .collection($0) })
    case .vpes: Set(vpes.keys.map { .vpe($0) })
    case .none: []
    }
  }

  /// `Commands.md`, Registers: what the host's tables say where it has written the same value again.
  ///
  /// A table speaks for all mappings of its kind; one of one level, only if EL2 has marked it before.
  mutating func judgeTables(by evidence: [Int: UInt64]) {
    for (number, table) in host.tables.enumerated() where table.isValid {
      guard let word = evidence[number] else { continue }
      let isEmptied = word == 0 && (table.isIndirect || marked.contains(number))
      if isEmptied, written.contains(number) { doomed.formUnion(mappings(of: table.kind)) }
      if !table.isIndirect { marked.insert(number) }
    }
    written = []
  }

  /// Whether EL2 can go on with the host's queue.
  var hasWork: Bool {
    host.commandBase.isValid && !host.isStalled && staging.next != host.write || !doomed.isEmpty
  }

  /// How many commands the host has asked for since the queue began.
  var asked: UInt64 {
    let size = host.commandBase.size
    return staging.count + (host.write + size - staging.next) % size / ITSCommand.size
  }

  /// What must hold when a trap ends: all slots are published, and each unmapping has its SYNCs.
  var isComplete: Bool {
    commit.published == commit.appended
      && tables.values.allSatisfy { if case .unsealed = $0.state { false } else { true } }
  }
}

// MARK: The hardware

/// What the hardware of an ITS may do by itself, well or badly.
enum ITSStep: Equatable, Sendable {
  /// It executes the next published slot: GITS_CREADR passes it.
  case passes
  /// It stalls at the next published slot.
  case stalls
  /// It becomes quiescent.
  case quiesces
  /// It loses power, and reads as firmware has restored it; or it is broken, and reads as anything.
  case becomes(ITSHardware)
}

extension World {
  /// The worlds behind a step of the hardware; none where the architecture does not permit it.
  func stepping(its: Int, _ step: ITSStep) -> [World] {
    let hardware = self[its].hardware, commit = self[its].commit
    let canWork = !hardware.isQuiescent && !hardware.isStalled && commit.passed < commit.published
    var next = self
    switch step {
    case .passes where canWork && hardware.read == commit.offset(of: commit.passed):
      next[its].commit.slots.removeFirst()
      next[its].commit.passed += 1
      next[its].hardware.read = commit.offset(of: commit.passed + 1)
      next[its].staging.taken.removeAll { $0.end <= commit.passed + 1 }
    case .stalls where canWork: next[its].hardware.isStalled = true
    case .quiesces where !hardware.isEnabled: next[its].hardware.isQuiescent = true
    case .becomes(let other): next[its].hardware = other
    default: return []
    }
    return [next]
  }
}
