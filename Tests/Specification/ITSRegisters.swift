// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Commands.md`, Registers, and `ITS.md`, Power: the host's accesses to the control frame of an ITS.

/// What was observed where the documentation leaves open what a store to a register does.
struct RegisterChoice: Equatable, Sendable {
  /// What `GITS_BASER<n>` reads as after it was written.
  var readBack = GITSTableBase(rawValue: 0)
  /// The doubleword that EL2 read in each of the host's tables when the ITS was enabled, by the number of its
  /// register: of two levels the entry of a mapped ID, of one level the first. None where it could not be read.
  var evidence: [Int: UInt64] = [:]
}

// MARK: Loads

extension World {
  /// A load of the host from the control frame of an ITS.
  func load(its: Int, at offset: UInt64, _ width: AccessWidth) -> [Outcome] {
    decoding(.its(its), offset, width, orElse: .value(0)) { access in
      func reads(_ whole: UInt64, _ rule: Rule) -> [Outcome] {
        ending(.its(its), .value(access.part(of: whole)), rule)
      }
      let state = self[its]
      switch access.register {
      case ITSRegister.control.offset: return loadControl(its)
      case ITSRegister.type.offset: return reads(hostType(its).rawValue, .type)
      case ITSRegister.commandBase.offset: return reads(state.host.commandBase.rawValue, .commandBase)
      case ITSRegister.commandWrite.offset:
        return reads(GITSQueuePointer(offset: state.host.write).rawValue, .commandWrite)
      case ITSRegister.commandRead.offset: return reads(state.hostsRead.rawValue, .commandRead)
      case ITSRegister.tableBases.offset..<ITSRegister.tableBases.offset + 64:
        return reads(state.host.tables[Self.number(access)].rawValue, .tableBase)
      default:
        guard let value = state.identity.identification[access.register] else {
          return reads(0, .otherRegisters)
        }
        return reads(value, .identification)
      }
    }
  }

  private static func number(_ access: Access) -> Int {
    Int((access.register - ITSRegister.tableBases.offset) / 8)
  }

  /// GITS_CTLR: Enabled is what the host wrote with effect, Quiescent the hardware's. EL2 sees what the read tells.
  private func loadControl(_ its: Int) -> [Outcome] {
    let isQuiet = self[its].hardware.isQuiescent
    let value: UInt64 = (self[its].host.isEnabled ? 1 : 0) | (isQuiet ? 1 << 31 : 0)
    return noticing(its).ending(.its(its), .value(value), .control, .restIsSeenAtReads)
  }

  /// GITS_TYPER as the host reads it: what EL2's tables hold less than the hardware's could.
  func hostType(_ its: Int) -> GITSTyper {
    let identity = self[its].identity
    var type = offersVirtual(its) ? identity.type : identity.type.withoutVirtualLPIs
    if let table = identity.tables.first(.devices) {
      let largest = GITSTableBase(rawValue: table.rawValue | 0xff).capacity
      if table.capacity < min(largest, 1 << type.deviceIDBits) {
        type = type.with(deviceIDBits: table.capacity.floorOfLog2)
      }
    }
    let places = self[its].collectionPlaces
    return places < 1 << type.collectionIDBits ? type.with(collectionIDBits: places.floorOfLog2) : type
  }

  /// Whether the ITS offers virtual interrupts: with the policy `checked` an ITS of GICv4.0 does.
  func offersVirtual(_ its: Int) -> Bool {
    let type = self[its].identity.type
    return board.checksVirtual && type.hasVirtualLPIs && !type.hasGICv41
  }
}

extension UInt64 {
  /// The greatest n with 1 << n not above the value, which is not zero.
  fileprivate var floorOfLog2: UInt64 { UInt64(63 - leadingZeroBitCount) }
}

extension [GITSTableBase] {
  /// The table of a kind that is Valid.
  func first(_ kind: GITSTableBase.Kind) -> GITSTableBase? { first { $0.isValid && $0.kind == kind } }
}

extension ITSState {
  /// GITS_CREADR as the host reads it: the first place that the hardware has not passed, with the stall of
  /// whoever is there.
  var hostsRead: GITSQueuePointer {
    let place = staging.taken.first { $0.end > commit.passed }?.place ?? staging.next
    let isStalled = commit.slots.isEmpty ? host.isStalled : hardware.isStalled
    return GITSQueuePointer(offset: place, flag: isStalled)
  }
}

// MARK: Power

extension ITSState {
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

  /// Whether EL2 believes that the hardware rests: it rests at offset zero only while the queue is unused.
  var isResting: Bool {
    !hardware.isEnabled && hardware.isQuiescent
      && (hardware.read != 0 || commit.offset(of: commit.published) == 0)
  }
}

extension World {
  /// EL2 reads GITS_CTLR: the ITS is at rest now, or its power was lost.
  func noticing(_ its: Int) -> World {
    let state = self[its]
    switch state.phase {
    case .enabled where !state.isEnabledAsWritten, .disabled where !state.isEnabledAsWritten:
      return changed { $0[its].phase = .off }
    case .disabled where state.isResting:
      return changed { $0[its].phase = state.isQueueEL2s ? .atRest : .off }
    default: return self
    }
  }

  /// EL2 reads GITS_CREADR and GITS_CBASER in a trap, or finds that they cannot be right: the ITS is off then.
  func observing(its: Int) -> [Outcome] {
    let state = self[its]
    let seen = noticing(its)
    let isLost = state.phase == .enabled && !(state.isQueueEL2s && state.isReadPlausible)
    return (isLost ? seen.changed { $0[its].phase = .off } : seen).ending(
      .its(its), .done, .offUntilReset, .lostWhileEnabledStaysOff)
  }

  /// On each CPU that firmware starts or wakes EL2 checks each ITS before the host runs.
  func waking(its: Int) -> [Outcome] { observing(its: its).adding(.wakingChecksTheITS) }
}

// MARK: Stores

extension World {
  /// A store of the host to the control frame; of GITS_CWRITER and of Enabled only how it begins.
  func store(
    its: Int, at offset: UInt64, _ width: AccessWidth, _ value: UInt64, by cpu: CPU,
    _ choice: RegisterChoice = RegisterChoice()
  ) -> [Outcome] {
    decoding(.its(its), offset, width, orElse: .ignored) { access in
      let host = self[its].host
      switch access.register {
      case ITSRegister.control.offset: return storeControl(its, isEnabled: value & 1 != 0, choice)
      case ITSRegister.commandBase.offset:
        let whole = access.joining(value, to: host.commandBase.rawValue) & GITSCommandBase.writable
        return storeCommandBase(its, GITSCommandBase(rawValue: whole))
      case ITSRegister.commandWrite.offset:
        return ring(its, GITSQueuePointer(rawValue: access.joining(value, to: host.write)), by: cpu)
      case ITSRegister.tableBases.offset..<ITSRegister.tableBases.offset + 64:
        let number = Self.number(access)
        let whole = access.joining(value, to: host.tables[number].rawValue)
        return storeTable(its, number, GITSTableBase(rawValue: whole), choice)
      default: return ending(.its(its), .ignored, .otherRegisters)
      }
    }
  }

  /// A store that waits for Quiescent is repeated, and ignored after too many repetitions.
  private func waiting(_ its: Int) -> [Outcome] {
    guard self[its].waited < Board.repetitions else {
      return ending(.its(its), .ignored, .waitingStoreIsIgnoredAtLast)
    }
    return changed { $0[its].waited += 1 }.ending(.its(its), .repeats, .waitingStoreIsRepeated)
  }

  /// GITS_CTLR: Enabled alone is the host's. EL2 sets it from *at rest* only, and takes commands behind it.
  private func storeControl(_ its: Int, isEnabled: Bool, _ choice: RegisterChoice) -> [Outcome] {
    guard isEnabled != self[its].host.isEnabled else { return ending(.its(its), .done, .control) }
    return isEnabled ? enabling(its, choice) : disabling(its)
  }

  private func disabling(_ its: Int) -> [Outcome] {
    let cleared = noticing(its).changed {
      if $0[its].phase == .enabled { $0[its].phase = .disabled }
      $0[its].host.isEnabled = false
      $0[its].hardware.isEnabled = false
      $0[its].waited = 0
    }
    // The hardware may become quiescent while EL2 waits, or not.
    return [cleared, cleared.changed { $0[its].hardware.isQuiescent = true }].flatMap {
      $0.noticing(its).ending(.its(its), .done, .clearingEnabledWaits)
    }
  }

  private func enabling(_ its: Int, _ choice: RegisterChoice) -> [Outcome] {
    var ready = noticing(its)
    if ready[its].phase == .off { return ready.ending(.its(its), .ignored, .offUntilReset) }
    guard ready[its].hardware.isQuiescent else { return ready.waiting(its) }
    let isAsLeft = ready[its].isAsLeft
    guard ready[its].phase == .atRest, isAsLeft || ready[its].commit.slots.isEmpty else {
      return ready.changed { $0[its].phase = .off }.ending(
        .its(its), .ignored, .enabledOnlyFromRest, .lostCommandsKeepItOff)
    }
    if !isAsLeft { ready[its].restart() }
    ready[its].judgeTables(by: choice.evidence)
    ready[its].host.isEnabled = true
    ready[its].hardware.isEnabled = true
    ready[its].hardware.isQuiescent = false
    ready[its].phase = .enabled
    ready[its].waited = 0
    let enabled = ready.ending(.its(its), .done, .enabledOnlyFromRest, .hostsTableTells)
    return isAsLeft ? enabled : enabled.adding(.registersAreWrittenAgain)
  }

  /// GITS_CBASER: the host has another queue, which is empty; nothing of the old one is read any more.
  private func storeCommandBase(_ its: Int, _ value: GITSCommandBase) -> [Outcome] {
    guard !self[its].host.isEnabled else { return ending(.its(its), .ignored, .commandBase) }
    var world = noticing(its)
    guard world[its].hardware.isQuiescent else { return world.waiting(its) }
    world.pages.holds[.stagingQueue(its: its)] = nil
    if let table = world[its].staging.unfinished?.table { world[its].tables[.translation(table.first)] = nil }
    world[its].host.commandBase = value
    world[its].host.write = 0
    world[its].host.isStalled = false
    world[its].staging = Staging()
    world[its].doorbells = []
    world[its].waited = 0
    return world.ending(.its(its), .done, .commandBase, .newQueueIsEmpty, .replacedQueueFreesZeroing)
  }

  /// `GITS_BASER<n>`: another table takes away what the old one had.
  private func storeTable(_ its: Int, _ number: Int, _ value: GITSTableBase, _ choice: RegisterChoice)
    -> [Outcome]
  {
    let old = self[its].host.tables[number]
    let kind = self[its].identity.tables[number].kind
    guard kind != .none, kind != .vpes || offersVirtual(its) else {
      return ending(.its(its), .ignored, .otherRegisters)
    }
    guard !self[its].host.isEnabled else { return ending(.its(its), .ignored, .tableBase) }
    let seen = noticing(its)
    guard seen[its].hardware.isQuiescent else { return seen.waiting(its) }
    let made = choice.readBack
    guard made.canBeMade(of: value, from: old) else { return [] }
    let written = seen.changed {
      $0[its].written.insert(number)
      if made != old {
        $0[its].marked.remove(number)
        $0[its].doomed.formUnion($0[its].mappings(of: kind))
      }
      $0[its].host.tables[number] = made
      $0[its].waited = 0
    }
    return written.ending(.its(its), .done, .tableBase, .otherTablesUnmap)
  }
}

extension GITSTableBase {
  /// Whether hardware may make this of a store of `value`: Page_Size, Indirect and attributes may be read only,
  /// Type and Entry_Size are; the address, Size and Valid are as written.
  func canBeMade(of value: GITSTableBase, from old: GITSTableBase) -> Bool {
    let open = MemoryAttributes.all | Self.indirect | 0b11 << 8 | Self.fixed
    return (value.rawValue ^ rawValue) & ~open == 0 && (old.rawValue ^ rawValue) & Self.fixed == 0
  }
}

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

  /// `Commands.md`, Registers: what the host's tables say of a register that it has written with the same value.
  ///
  /// A table is evidence for all mappings of its kind. A one-level table is one only if EL2 has marked it before.
  mutating func judgeTables(by evidence: [Int: UInt64]) {
    for (number, table) in host.tables.enumerated() where table.isValid {
      guard let word = evidence[number] else { continue }
      if written.contains(number), word == 0, table.isIndirect || marked.contains(number) {
        doomed.formUnion(mappings(of: table.kind))
      }
      if !table.isIndirect { marked.insert(number) }
    }
    written = []
  }

  /// EL2 writes all registers again, and its queue begins at offset zero.
  mutating func restart() {
    commit.start = commit.passed
    hardware = ITSHardware(commandBase: identity.commandBase, tables: identity.tables)
  }
}

// MARK: Doorbells

extension World {
  /// A store to GITS_CWRITER begins: it is new, or repeated. EL2 takes commands behind it.
  private func ring(_ its: Int, _ pointer: GITSQueuePointer, by cpu: CPU) -> [Outcome] {
    let state = self[its]
    guard pointer.offset < state.host.commandBase.size else {
      return ending(.its(its), .ignored, .offsetBeyondIsIgnored)
    }
    let doorbell = Doorbell(cpu: cpu, offset: pointer.offset)
    // Counted from its own offset to the newest doorbell.
    let isOvertaken = state.distance(from: pointer.offset) >= state.host.commandBase.size / 2
    let isRepeated = state.doorbells.contains(doorbell) && !isOvertaken
    let rung = changed {
      if pointer.isRetry { $0[its].host.isStalled = false }
      if isRepeated { return }
      $0[its].host.write = pointer.offset
      $0[its].doorbells.insert(doorbell)
      $0[its].waited = 0
    }
    let outcomes = rung.ending(
      .its(its), .done, isRepeated ? .repeatedStoreIsRecognised : .commandWrite,
      isOvertaken ? .overtakenDoorbellIsNew : .commandWrite)
    guard pointer.isRetry else { return outcomes }
    // Retry reaches hardware that EL2 has seen stalled.
    let retried = state.hardware.isStalled ? outcomes.adding { $0[its].hardware.isStalled = false } : []
    return (outcomes + retried).adding(.retryRepeats)
  }

  /// A trap in which EL2 takes commands ends: a store to GITS_CWRITER, one of Enabled, a load of GITS_CREADR.
  ///
  /// Where work is left a store is repeated, but not for ever without progress. `doorbell` is that of a store to
  /// GITS_CWRITER; `madeProgress`, whether EL2 took a command, zeroed memory or appended a slot.
  func endingTrap(its: Int, _ trap: CommandTrap, doorbell: Doorbell? = nil, madeProgress: Bool) -> [Outcome] {
    let state = self[its]
    guard state.isComplete else { return [] }
    let isLeft = state.hasWork && state.phase == .enabled
    let waited = isLeft ? (madeProgress ? 0 : state.waited + 1) : state.waited
    let others = state.doorbells.count { $0.cpu == doorbell?.cpu && $0 != doorbell }
    let isRepeated = isLeft && waited <= Board.repetitions && others < Board.doorbells
    let ended = changed {
      $0[its].waited = waited
      if let doorbell, !isRepeated { $0[its].doorbells.remove(doorbell) }
    }
    let answer = trap == .store && isRepeated ? Answer.repeats : .done
    return ended.ending(.its(its), answer, .workLeftRepeatsTheStore)
  }
}

/// What kind of access the trap is in which EL2 takes commands.
enum CommandTrap: Equatable, Sendable {
  case store
  case load
}

extension ITSState {
  /// Whether EL2 can go on with the host's queue.
  var hasWork: Bool {
    let hasCommands = host.commandBase.isValid && !host.isStalled && staging.next != host.write
    return hasCommands || !doomed.isEmpty
  }

  /// The bytes of the host's queue from an offset to the newest doorbell.
  func distance(from offset: UInt64) -> UInt64 {
    let size = host.commandBase.size
    return (host.write + size - offset % size) % size
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
  /// It loses power, and registers read as firmware has restored them; or it is broken, and they read as anything.
  case becomes(ITSHardware)
}

extension World {
  /// The worlds behind a step of the hardware; none where the architecture does not permit it.
  func stepping(its: Int, _ step: ITSStep) -> [World] {
    let state = self[its]
    let canWork =
      !state.hardware.isQuiescent && !state.hardware.isStalled && state.commit.passed < state.commit.published
      && state.hardware.read == state.commit.offset(of: state.commit.passed)
    switch step {
    case .passes:
      guard canWork else { return [] }
      return [
        changed {
          $0[its].commit.slots.removeFirst()
          $0[its].commit.passed += 1
          $0[its].hardware.read = $0[its].commit.offset(of: $0[its].commit.passed)
          let passed = $0[its].commit.passed
          $0[its].staging.taken.removeAll { $0.end <= passed }
        }
      ]
    case .stalls: return canWork ? [changed { $0[its].hardware.isStalled = true }] : []
    case .quiesces: return state.hardware.isEnabled ? [] : [changed { $0[its].hardware.isQuiescent = true }]
    case .becomes(let hardware): return [changed { $0[its].hardware = hardware }]
    }
  }
}
