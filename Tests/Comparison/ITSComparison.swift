// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
@testable import ITS
import Observing
@testable import Specification

/// What is known of one ITS beside its state in the specification.
struct ITSComparison {
  /// What the implementation had when the last trap ended.
  var written: UInt64
  var zeroed: UInt64 = 0
  /// How many commands it had refused.
  var refusals: UInt64 = 0
  /// The place of the hardware that EL2 has read last.
  var place: UInt64
  /// How many pages of the arena were free when no table was there.
  let freePages: UInt64
}

extension BoardComparison {
  /// An ITS that was just set up; `register` reads its hardware, by width and offset.
  ///
  /// What its GITS_BASER<n> held before only a simulation knows; without it the host's are taken as they are.
  package mutating func add(
    _ its: borrowing MediatedITS, _ memory: some ComparedMemory,
    tablesAtReset: [GITSTableBase]? = nil, register: (AccessWidth, UInt64) -> UInt64
  ) {
    var identification: [UInt64: UInt64] = [:]
    for offset in [0x4, 0x10, 0x18] + Array(stride(from: 0xffd0, to: 0x1_0000, by: 4)) as [UInt64] {
      identification[offset] = register(.word, offset)
    }
    let commandBase = GITSCommandBase(rawValue: register(.double, ITSRegister.commandBase.offset))
    let tables = (0..<8).map {
      GITSTableBase(rawValue: register(.double, ITSRegister.tableBases.offset + UInt64($0) * 8))
    }
    // What the hardware held before, without Valid and Indirect; tables of vPEs are not offered.
    let offersVPEs = its.vpes.capacity > 0
    let hosts = (0..<8).map { number -> GITSTableBase in
      guard let held = tablesAtReset?[number] else {
        return GITSTableBase(rawValue: its.tableBases[number])
      }
      if held.kind == .vpes, !offersVPEs { return GITSTableBase(rawValue: 0) }
      return GITSTableBase(
        rawValue: held.rawValue & ~(GITSTableBase.valid | GITSTableBase.indirect))
    }
    guard
      let queue = PageRange(
        first: PageFrameNumber(commandBase.base >> 12), count: commandBase.size >> 12)
    else { fatalError("no queue") }
    var state = ITSState(
      identity: ITSIdentity(
        type: its.typer, identification: identification, devicePlaces: Int(its.devices.capacity),
        collectionPlaces: ITSLedgers.collectionCapacity, vpePlaces: Int(its.vpes.capacity),
        arena: its.arena.freeRuns(memory), commandBase: commandBase, tables: tables),
      hardware: ITSHardware(commandBase: commandBase, tables: tables),
      host: HostRegisters(tables: hosts),
      commit: CommitQueue(pages: queue))
    let control = register(.word, ITSRegister.control.offset)
    state.hardware.isQuiescent =
      GITSControl(rawValue: UInt32(truncatingIfNeeded: control)).isQuiescent
    world.itses.append(state)
    services.append(
      ITSComparison(
        written: its.commit.written, place: 0, freePages: its.arena.freeCount))
  }

  /// A trap of an ITS has ended: what EL2 did in it, and what the host was told.
  ///
  /// `told` is what was in EL2's queue when the hardware was told of it, where somebody has seen that.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func finish(
    its number: Int, _ entrance: Entrance, by cpu: Int, _ effect: Effect,
    _ observations: [Observation], _ its: borrowing MediatedITS, _ memory: some ComparedMemory,
    told: [ITSCommand]? = nil
  ) throws(Divergence) {
    try finish(
      its: number, .access(entrance), by: cpu, effect, observations, its, memory, told: told)
  }

  /// EL2 has had an ITS come to rest, before the system is suspended.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func paused(
    its number: Int, _ observations: [Observation], _ its: borrowing MediatedITS,
    _ memory: some ComparedMemory, told: [ITSCommand]? = nil
  ) throws(Divergence) {
    try finish(its: number, .pause, by: 0, .done, observations, its, memory, told: told)
  }

  /// EL2 has had an ITS go on, or has looked what firmware has left of it.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func woke(
    its number: Int, _ observations: [Observation], _ its: borrowing MediatedITS,
    _ memory: some ComparedMemory, told: [ITSCommand]? = nil
  ) throws(Divergence) {
    try finish(its: number, .wake, by: 0, .done, observations, its, memory, told: told)
  }

  private mutating func finish(
    its number: Int, _ entrance: ITSEntrance, by cpu: Int, _ effect: Effect,
    _ observations: [Observation], _ its: borrowing MediatedITS, _ memory: some ComparedMemory,
    told: [ITSCommand]? = nil
  ) throws(Divergence) {
    let before = world[number]
    do throws(Divergence) {
      try check(its: number, entrance, by: cpu, effect, observations, its, memory, told: told)
    } catch {
      throw error.after(observations, before)
    }
  }

  private mutating func check(
    its number: Int, _ entrance: ITSEntrance, by cpu: Int, _ effect: Effect,
    _ observations: [Observation], _ its: borrowing MediatedITS, _ memory: some ComparedMemory,
    told: [ITSCommand]? = nil
  ) throws(Divergence) {
    let appended = slots(of: its, number, observations, memory)
    if let told, told != appended {
      throw Divergence(
        "ITS \(number), \(entrance): EL2's queue, when the hardware is told",
        expected: Found.command(nil, appended[...]).description,
        found: Found.command(nil, told[...]).description)
    }
    var trap = ITSTrap(
      comparison: self, number, entrance, cpu, effect, observations[...],
      appended: appended, keeps: its.keptCommand,
      unfinished: its.unfinished.map { ($0.pages, $0.zeroed) }, memory: memory,
      tableBases: (0..<8).map { GITSTableBase(rawValue: its.tableBases[$0]) })
    try trap.run()
    self = trap.comparison
    try free(number, observations, its, memory)
    try compare(number, its, "ITS \(number), CPU \(cpu), \(entrance)")
    services[number].written = its.commit.written
    services[number].zeroed = its.unfinished?.zeroed ?? 0
    services[number].refusals = its.refusals
  }

  /// The slots that EL2 has appended in the trap.
  private func slots(
    of its: borrowing MediatedITS, _ number: Int, _ observations: [Observation],
    _ memory: some ComparedMemory
  ) -> [ITSCommand] {
    let size = its.commit.slots
    var first = services[number].written
    // The queue was restarted at its first slot.
    if observations.contains(where: { $0.isStore(to: ITSRegister.commandBase.offset) }) {
      first = (first + size - 1) & ~(size - 1)
    }
    guard first < its.commit.written else { return [] }
    let base = its.commit.base.rawValue
    return (first..<its.commit.written).map { serial in
      let place = base + serial % size * ITSCommand.size
      func word(_ index: UInt64) -> UInt64 { memory.word(at: place + index * 8) }
      return ITSCommand(word(0), word(1), word(2), word(3))
    }
  }

  /// Tables that EL2 has freed must be free by the specification.
  private mutating func free(
    _ number: Int, _ observations: [Observation], _ its: borrowing MediatedITS,
    _ memory: some ComparedMemory
  ) throws(Divergence) {
    guard its.retirement.count < UInt64(world[number].waitingTables) else { return }
    // They are freed in the order in which they were unmapped.
    for (key, table) in world[number].tables.sorted(by: { $0.value.end < $1.value.end }) {
      guard case .sealed = table.state, UInt64(world[number].waitingTables) > its.retirement.count
      else { continue }
      // Of the host's memory nothing but the number of those that wait tells.
      if case .translation = key, its.arena.isTaken(table.pages.first, memory) { continue }
      // What GITS_CREADR says counts only where the ITS runs with EL2's queue, and EL2 has looked.
      for register in [ITSRegister.control.offset, ITSRegister.commandBase.offset]
      where !observations.contains(where: { $0.isLoad(of: register) }) {
        throw Divergence("ITS \(number): \(key)", expected: "a look at \(register)", found: "free")
      }
      guard take(world.freeing(its: number, key)) != nil else {
        throw Divergence("ITS \(number): \(key)", expected: "\(table.state)", found: "free")
      }
    }
  }

  /// What EL2 holds against what the specification says.
  private func compare(
    _ number: Int, _ its: borrowing MediatedITS, _ entrance: @autoclosure () -> String
  ) throws(Divergence) {
    let state = world[number]
    func differ(_ what: String, _ expected: String, _ found: String) throws(Divergence) {
      throw Divergence("\(entrance()), behind it: \(what)", expected: expected, found: found)
    }
    func check<Value: Equatable>(_ what: String, _ expected: Value, _ found: Value)
      throws(Divergence)
    { if expected != found { try differ(what, "\(expected)", "\(found)") } }
    // The same for what tells its value on every machine.
    func check<Value: Equatable & CustomStringConvertible>(
      _ what: String, _ expected: Value, _ found: Value
    ) throws(Divergence) {
      if expected != found { try differ(what, "\(expected)", "\(found)") }
    }
    try check("off", state.phase == .off, its.isBroken)
    try check("Enabled", state.host.isEnabled, its.isEnabled)
    try check("paused", state.isPaused, its.isPaused)
    if state.phase != .off {
      try check("at rest", state.phase == .atRest, its.isAtRest)
      try check(
        "the hardware's GITS_CWRITER", state.commit.offset(of: state.commit.published),
        its.commit.publishedOffset)
      try check(
        "the hardware's place", state.commit.offset(of: state.commit.passed),
        its.commit.completedOffset)
    }
    try check("slots", UInt64(state.commit.slots.count), its.commit.written - its.commit.completed)
    try check("GITS_CBASER", state.host.commandBase.rawValue, its.staging.register.rawValue)
    try check("GITS_CWRITER", state.host.write, its.staging.askedOffset)
    try check("the next command", state.staging.next, its.staging.takenOffset)
    try check("Stalled", state.host.isStalled, its.staging.isStalled)
    for table in 0..<8 {
      try check("GITS_BASER\(table)", state.host.tables[table].rawValue, its.tableBases[table])
    }
    try check("a command that is kept", state.staging.unfinished?.command, its.keptCommand)
    try check("its table", state.staging.unfinished?.table, its.unfinished?.pages)
    try check("devices", UInt64(state.devices.count), its.devices.count)
    try check("collections", UInt64(state.collections.count), its.collections.count)
    try check("targets", state.targets.count, Int(its.targets.usedCount))
    try check("all is unmapped", its.purge.isDone && !state.doomed.isEmpty, false)
    try check("tables that wait", state.waitingTables, Int(its.retirement.count))
    try check("doorbells", state.doorbells.count, Int(its.tokens.count))
    try check("waiting traps", state.waited, its.fruitlessRuns)
    // The pending table of a vPE is the host's.
    let translations = state.tables.filter { if case .translation = $0.key { true } else { false } }
    let used =
      translations.values.reduce(0) { $0 + $1.pages.count } as UInt64
      + state.secondLevel.values.reduce(0) { $0 + $1.count }
    try check("free pages", services[number].freePages - used, its.arena.freeCount)
    try check(
      "ignored accesses", world.counts[.ignored(.its(number)), default: 0],
      Int(its.counters.ignored))
    try check("refused commands", world.refusals(number), Int(its.refusals))
    guard its.refusals != services[number].refusals else { return }
    for (index, count) in world.refused(number).enumerated()
    where count != its.counters.refused[index] {
      let reason = CommandRefusalReason(rawValue: UInt8(index))?.text ?? "for no reason"
      try differ("refused: \(reason)", "\(count)", "\(its.counters.refused[index])")
    }
  }
}

extension Specification.World {
  /// How many commands of an ITS were refused.
  fileprivate func refusals(_ its: Int) -> Int {
    counts.reduce(0) { sum, count in
      if case .refused(.its(its), _) = count.key { sum + count.value } else { sum }
    }
  }

  /// The same, by EL2's reasons.
  fileprivate func refused(_ its: Int) -> [UInt64] {
    var refused = [UInt64](repeating: 0, count: CommandRefusalReason.count)
    for (count, times) in counts {
      guard case .refused(.its(its), let rule) = count, let reason = rule.reason else { continue }
      refused[Int(reason.rawValue)] += UInt64(times)
    }
    return refused
  }
}

extension Rule {
  /// What EL2 counts for a command that is refused by this rule.
  fileprivate var reason: CommandRefusalReason? {
    switch self {
    case .anythingElse: .reservedCommand
    case .virtualIsOff, .gicv41IsRefused: .virtualInterrupts
    case .deviceBelowBothTables: .deviceOutOfRange
    case .devicePermitted: .unknownDevice
    case .device: .deviceNotMapped
    case .event, .sizeUpToIDBits: .eventOutOfRange
    case .interruptBelowTheLimit, .eventIsAnInterrupt, .virtualIDBits, .virtualInterrupt, .doorbell,
      .doorbellIfItChanges:
      .interruptOutOfRange
    case .collection: .collectionOutOfRange
    case .collectionMapped: .collectionNotMapped
    case .target, .secondTarget: .unknownTarget
    case .placeInTheLedger: .tooManyDevices
    case .memoryForTables: .outOfMemory
    case .vpeBelowLedgerAndTables: .vpeOutOfRange
    case .vpe: .vpeNotMapped
    case .pendingTableIsTheHosts: .notHostMemory
    default: nil
    }
  }
}

extension MediatedITS {
  /// How many commands were refused.
  var refusals: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<CommandRefusalReason.count { sum += counters.refused[index] }
    return sum
  }

  /// The command that is not read again.
  var keptCommand: ITSCommand? {
    pending.map { command in
      command.opcode.map {
        command.rebuilt(as: $0, targetsAreAddresses: typer.targetsAreAddresses)
      } ?? command
    }
  }
}

extension PageArena {
  /// All pages in a row that are free.
  func freeRuns(_ memory: some ComparedMemory) -> [PageRange] {
    var runs: [PageRange] = []
    var first: UInt64?
    for index in 0...pages.count {
      let page = pages.first.rawValue + index
      if index < pages.count, !isTaken(PageFrameNumber(page), memory) {
        if first == nil { first = page }
      } else if let start = first.take(),
        let run = PageRange(first: PageFrameNumber(start), count: page - start)
      {
        runs.append(run)
      }
    }
    return runs
  }

  /// Whether a page is handed out.
  func isTaken(_ page: PageFrameNumber, _ memory: some ComparedMemory) -> Bool {
    let index = page.rawValue - pages.first.rawValue
    let word = memory.word(at: pages.first.address.rawValue + index / 64 * 8)
    return word >> (index % 64) & 1 != 0
  }
}

extension Table {
  /// Behind how many slots it is free, once that is known.
  fileprivate var end: UInt64 { if case .sealed(let end) = state { end } else { .max } }
}

extension Observation {
  /// Whether it is a load of a register.
  func isLoad(of register: UInt64) -> Bool {
    if case .read(register, _) = self { true } else { false }
  }

  /// Whether it is a store to a register.
  func isStore(to register: UInt64) -> Bool {
    if case .wrote(register, _, _) = self { true } else { false }
  }
}
