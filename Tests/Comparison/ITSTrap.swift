// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
@testable import Specification

/// One trap of an ITS, taken apart into steps of the specification.
///
/// What EL2 did is in the order in which it did it. Each load of a command is a step, so is each write of
/// GITS_CWRITER. The hardware has come as far as a register says when EL2 reads it.
struct ITSTrap<Memory: ComparedMemory> {
  var comparison: BoardComparison
  let its: Int
  let entrance: ITSEntrance
  let cpu: Int
  let effect: Effect
  /// What EL2 did that has not been explained yet.
  var rest: ArraySlice<Observation>
  /// The slots that it has appended, and how many of them are explained.
  let appended: [ITSCommand]
  var explained = 0
  /// The command that it keeps at the end, and the table of that with the bytes that are zero.
  let keeps: ITSCommand?
  let unfinished: (pages: PageRange, zeroed: UInt64)?
  let memory: Memory
  let tableBases: [GITSTableBase]
  /// The words of the command that EL2 is reading.
  private var words: [UInt64] = []
  /// Whether the command that was kept has been gone on with.
  private var hasResumed = false
  private var hasProgress = false
  /// How many commands EL2 took or unmapped, and how many bytes of translation tables it zeroed.
  private var spent = (commands: 0, bytes: 0 as UInt64)
  /// Whether the hardware was Quiescent when EL2 read it last.
  private var isQuiet = false
  /// Whether it says so though it is enabled, which nobody believes, and the host reads.
  private var saysQuiescent = false

  init(
    comparison: BoardComparison, _ its: Int, _ entrance: ITSEntrance, _ cpu: Int, _ effect: Effect,
    _ observations: ArraySlice<Observation>, appended: [ITSCommand], keeps: ITSCommand?,
    unfinished: (PageRange, UInt64)?, memory: Memory, tableBases: [GITSTableBase]
  ) {
    self.comparison = comparison
    self.its = its
    self.entrance = entrance
    self.cpu = cpu
    self.effect = effect
    rest = observations
    self.appended = appended
    self.keeps = keeps
    self.unfinished = unfinished
    self.memory = memory
    self.tableBases = tableBases
  }

  private var state: ITSState { comparison.world[its] }

  private func name(_ step: String) -> String { "ITS \(its), CPU \(cpu), \(entrance): \(step)" }

  @discardableResult
  private mutating func take(
    _ outcomes: [Outcome], _ step: StaticString, found: Found,
    where matches: (Outcome) -> Bool = { _ in true }
  ) throws(Divergence) -> Answer {
    guard let answer = comparison.take(outcomes, where: matches) else {
      throw Divergence(
        name("\(step)"),
        expected: outcomes.names,
        found: "\(found)")
    }
    return answer
  }

  // MARK: The trap

  mutating func run() throws(Divergence) {
    switch entrance {
    case .access(.load(let offset, let width)): try load(offset, width)
    case .access(.store(let offset, let width, let value)):
      switch offset & ~7 {
      case ITSRegister.commandWrite.offset: try ring(offset, width, value)
      case ITSRegister.control.offset where offset == 0:
        let its = its
        try control(enables: value & 1 != 0) { (world, choice) in
          world.store(its: its, at: 0, width, value, by: 0, choice)
        }
      default: try store(offset, width, value)
      }
    case .pause:
      let its = its
      try control(enables: false) { (world, _) in world.pausing(its: its) }
    case .wake: try wake()
    }
    if !rest.isEmpty {
      throw Divergence(
        name("the end"), expected: "nothing more",
        found: rest.map { $0.description }.joined(separator: ", "))
    }
    if explained != appended.count {
      throw Divergence(
        name("slots"), expected: "none",
        found: Found.command(nil, appended[explained...]).description)
    }
  }

  private mutating func load(_ offset: UInt64, _ width: AccessWidth) throws(Divergence) {
    if offset & ~7 == ITSRegister.commandRead.offset {
      // What the host gets EL2 reads last, when it has done with commands.
      let last = rest.last
      if case .read? = last { rest.removeLast() }
      try runCommands()
      try take(
        comparison.world.endingTrap(its: its, .load, madeProgress: hasProgress, spent: spent),
        "the trap ends",
        found: .effect(effect))
      if case .read(let offset, let value)? = last { try watch(offset, value, believes: true) }
    } else {
      // Where the hardware answers with an abort, so does EL2.
      if case .read(offset, nil)? = rest.last, effect == .aborted { return rest = [] }
      try watchRegisters()
    }
    let effect = effect
    let isQuiescent = state.hardware.isQuiescent
    if saysQuiescent { comparison.world[its].hardware.isQuiescent = true }
    try take(
      comparison.world.load(its: its, at: offset, width), "the load", found: .effect(effect)
    ) { $0.answer.matches(effect) }
    comparison.world[its].hardware.isQuiescent = isQuiescent
  }

  private mutating func store(
    _ offset: UInt64, _ width: AccessWidth, _ value: UInt64
  ) throws(Divergence) {
    // Of what the host stores here the hardware gets nothing.
    let isWritten: (Observation) -> Bool = { if case .wrote = $0 { true } else { false } }
    if let written = rest.first(where: isWritten) {
      throw Divergence(name("the store"), expected: "no write to the ITS", found: "\(written)")
    }
    try watchRegisters()
    var choice = RegisterChoice()
    let number = Int(truncatingIfNeeded: (offset &- ITSRegister.tableBases.offset) / 8)
    if tableBases.indices.contains(number) { choice.readBack = tableBases[number] }
    let effect = effect
    let outcomes = comparison.world.store(its: its, at: offset, width, value, by: cpu, choice)
    try take(outcomes, "the store", found: .effect(effect)) { $0.answer.matches(effect) }
    // A queue that is replaced is let go of.
    while case .unpinned? = rest.first { rest.removeFirst() }
  }

  /// The host sets Enabled or clears it, or EL2 does so for it.
  private mutating func control(
    enables: Bool, _ outcomes: (Specification.World, RegisterChoice) -> [Outcome]
  ) throws(Divergence) {
    let changes = enables != state.host.isEnabled
    var choice = RegisterChoice()
    if rest.contains(where: { $0.isFailedStore(to: ITSRegister.control.offset) }) {
      try watchRegisters()
      try observe()
      guard case .access = entrance else { return }
      comparison.world[its].isPaused = false
      if effect != .aborted {
        throw Divergence(name("the store"), expected: "an abort", found: "\(effect)")
      }
      return
    }
    if changes {
      // The hardware is as EL2 has read it when it writes, and behind that where it waits for Quiescent.
      let cannotWrite = rest.contains { if case .wrote(_, _, false) = $0 { true } else { false } }
      try watchRegisters(until: { $0.isStore(to: ITSRegister.control.offset) })
      choice.takesRegisters = !cannotWrite
      choice.evidence = evidence()
      if !enables { try watchRest() }
    }
    let effect = effect
    // Hardware that was Quiescent, for it had lost its power, stays so.
    let isQuiet = isQuiet || state.hardware.isQuiescent
    let its = its
    let answer = try take(outcomes(comparison.world, choice), "the store", found: .effect(effect)) {
      enables || !changes || $0.world[its].hardware.isQuiescent == isQuiet
    }
    guard answer == .done, state.host.isEnabled, state.phase == .enabled else {
      try watchRegisters()
      if !answer.matches(effect) {
        throw Divergence(name("the store"), expected: answer.name, found: "\(effect)")
      }
      return
    }
    try runCommands()
    // What is left then the host's next store goes on with.
    let isWaking = if case .wake = entrance { true } else { false }
    try take(
      comparison.world.endingTrap(its: its, .store, madeProgress: hasProgress, spent: spent),
      "the trap ends",
      found: .effect(effect)
    ) { isWaking || $0.answer.matches(effect) }
  }

  /// A CPU is about to run the host: an ITS that was paused is enabled, and each is looked at.
  private mutating func wake() throws(Divergence) {
    // Last of all one that is off is disabled, if firmware has enabled it.
    var end: Bool?
    if case .wrote(ITSRegister.control.offset, let value, let isDone)? = rest.last, value & 1 == 0 {
      end = isDone
      rest.removeLast()
    }
    if state.isPaused { try resume() }
    try watchRegisters()
    let its = its
    let isOn = end == nil && state.hardware.isEnabled
    try take(comparison.world.waking(its: its), "a look at the registers", found: .observed(nil)) {
      end == false || $0.world[its].hardware.isEnabled == isOn
    }
  }

  /// EL2 enables an ITS that it has paused.
  private mutating func resume() throws(Divergence) {
    // Between the first look and the last, which is behind it.
    let its = its
    let looks = UInt64(max(rest.count { $0.isLoad(of: ITSRegister.control.offset) }, 2)) - 2
    guard rest.contains(where: { $0.isFailedStore(to: ITSRegister.control.offset) }) else {
      return try control(enables: true) { (world, choice) in
        world.resuming(its: its, looks: looks, choice)
      }
    }
    try watchRegisters()
    var choice = RegisterChoice()
    choice.takesRegisters = false
    try take(
      comparison.world.resuming(its: its, looks: looks, choice), "a store that aborts",
      found: .observed(nil)
    ) { $0.answer == .aborted }
  }

  private mutating func ring(
    _ offset: UInt64, _ width: AccessWidth, _ value: UInt64
  ) throws(Divergence) {
    // EL2 asks whether its queue is still there before it tells the hardware of Retry.
    if case .read(ITSRegister.commandBase.offset, let value)? = rest.first {
      comparison.world[its].hardware.commandBase = GITSCommandBase(rawValue: value ?? 0)
      rest.removeFirst()
    }
    var isRetried = false
    if case .wrote(ITSRegister.commandWrite.offset, let value, _)? = rest.first,
      GITSQueuePointer(rawValue: value).isRetry
    {
      isRetried = true
      rest.removeFirst()
    }
    let old = comparison.world.counts
    let isStalled = state.hardware.isStalled && !isRetried
    let its = its
    try take(
      comparison.world.store(its: its, at: offset, width, value, by: cpu), "the doorbell",
      found: .effect(effect)
    ) { $0.world[its].hardware.isStalled == isStalled }
    let effect = effect
    if comparison.world.counts != old {
      guard effect == .done else {
        throw Divergence(name("the store"), expected: "ignored", found: "\(effect)")
      }
      return
    }
    try runCommands()
    let rung = Doorbell(cpu: cpu, offset: doorbellOffset(offset, width, value))
    try take(
      comparison.world.endingTrap(
        its: its, .store, doorbell: rung, madeProgress: hasProgress, spent: spent),
      "the trap ends", found: .effect(effect)
    ) { $0.answer.matches(effect) }
  }

  /// The offset that a store to GITS_CWRITER, or to half of it, asks for.
  private func doorbellOffset(_ offset: UInt64, _ width: AccessWidth, _ value: UInt64) -> UInt64 {
    if width == .double || offset & 4 == 0 {
      return GITSQueuePointer(rawValue: value & 0xffff_ffff).offset
    }
    return state.host.write
  }

  // MARK: The hardware

  /// Registers that EL2 reads and writes are the hardware's, up to one that `ends`.
  private mutating func watchRegisters(
    until ends: (Observation) -> Bool = { _ in false }
  ) throws(Divergence) {
    var isRestarted = false
    while let next = rest.first {
      switch next {
      // Behind its own writes EL2 reads those, and not how it found the hardware.
      case .read where isRestarted: break
      case .read(let offset, let value): try watch(offset, value, believes: false)
      case .wrote(let offset, let value, _):
        guard isOwn(value, at: offset) else {
          throw Divergence(name("a register"), expected: "no such write", found: "\(next)")
        }
        isRestarted = offset != ITSRegister.control.offset
      default: return
      }
      rest.removeFirst()
      if ends(next) { return }
    }
  }

  /// Whether EL2 may write this beside commands: Enabled, and its own registers once more.
  private func isOwn(_ value: UInt64, at offset: UInt64) -> Bool {
    if case .access(.load) = entrance { return false }
    let table = (offset &- ITSRegister.tableBases.offset) / 8
    switch offset {
    case ITSRegister.control.offset: return true
    case ITSRegister.commandWrite.offset: return value == 0
    case ITSRegister.commandBase.offset: return value == state.identity.commandBase.rawValue
    default: return table < 8 && value == state.identity.tables[Int(table)].rawValue
    }
  }

  /// EL2 waits for Quiescent behind a store that has cleared Enabled.
  private mutating func watchRest() throws(Divergence) {
    isQuiet = false
    while case .read(let offset, let value)? = rest.first {
      if offset == ITSRegister.control.offset, let value {
        isQuiet = GITSControl(rawValue: UInt32(truncatingIfNeeded: value)).isQuiescent
      } else if offset == ITSRegister.commandRead.offset {
        // Enabled is clear for the hardware only behind the step of the specification.
        try catchUp(value)
      } else if offset == ITSRegister.commandBase.offset {
        comparison.world[its].hardware.commandBase = GITSCommandBase(rawValue: value ?? 0)
      }
      rest.removeFirst()
    }
  }

  /// The hardware is as EL2 reads it.
  ///
  /// EL2 `believes` it where it takes commands; where it only looks whether the ITS rests, that is for the step to say.
  private mutating func watch(
    _ offset: UInt64, _ value: UInt64?, believes: Bool
  ) throws(Divergence) {
    switch offset {
    case ITSRegister.control.offset:
      let control = GITSControl(rawValue: UInt32(truncatingIfNeeded: value ?? 0))
      // It has come to where it rests before it says so.
      if control.isQuiescent, state.phase != .atRest,
        case .read(ITSRegister.commandRead.offset, let place?)? = nextRead(),
        believes || !isDoubtful(place)
      {
        try catchUp(place)
      }
      comparison.world[its].hardware.isEnabled = control.isEnabled
      if control.isEnabled {
        saysQuiescent = control.isQuiescent
      } else {
        comparison.world[its].hardware.isQuiescent = control.isQuiescent
      }
      if believes { try observe() }
    case ITSRegister.commandRead.offset:
      if state.phase == .atRest {
        // It goes no further from there: what it says is compared, not believed.
        comparison.world[its].hardware.read =
          value.map { GITSQueuePointer(rawValue: $0).offset } ?? .max
        return
      }
      if !believes, isDoubtful(value) {
        comparison.world[its].hardware.read = 0
        return
      }
      try catchUp(value)
      if believes { try observe() }
    case ITSRegister.commandBase.offset:
      comparison.world[its].hardware.commandBase = GITSCommandBase(rawValue: value ?? 0)
      if believes { try observe() }
    case ITSRegister.tableBases.offset..<ITSRegister.tableBases.offset + 64:
      let number = Int(offset - ITSRegister.tableBases.offset) / 8
      // Where no table is, zero would be what EL2 left.
      comparison.world[its].hardware.tables[number] = GITSTableBase(rawValue: value ?? .max)
    default: break
    }
  }

  /// Whether a place may be what is left of a loss of power: zero of a disabled ITS whose queue was used.
  private func isDoubtful(_ place: UInt64?) -> Bool {
    let isUsed = state.commit.offset(of: state.commit.published) != 0
    let isZero = place.map { GITSQueuePointer(rawValue: $0).offset } == 0
    return state.phase == .disabled && isUsed && isZero
  }

  /// The next read of GITS_CREADR before EL2 writes anything.
  private func nextRead() -> Observation? {
    for observation in rest {
      switch observation {
      case .read(ITSRegister.commandRead.offset, _): return observation
      case .read: continue
      default: return nil
      }
    }
    return nil
  }

  private mutating func observe() throws(Divergence) {
    try take(comparison.world.observing(its: its), "EL2 looks", found: .observed(nil))
  }

  /// The hardware has come to a place in its queue, or cannot be where it says.
  private mutating func catchUp(_ value: UInt64?) throws(Divergence) {
    let pointer = GITSQueuePointer(rawValue: value ?? .max)
    if pointer.offset != comparison.services[its].place { hasProgress = true }
    comparison.services[its].place = pointer.offset
    if state.hardware.isStalled, !pointer.isStalled {
      comparison.world[its].hardware.isStalled = false
    }
    let size = state.commit.capacity * ITSCommand.size
    let start = state.commit.offset(of: state.commit.passed)
    let steps = (pointer.offset &+ size &- start) % size / ITSCommand.size
    let isPlausible = pointer.offset < size && steps <= state.commit.published - state.commit.passed
    // Hardware that is Quiescent and goes on is not EL2's fault: it believes a place that can be.
    let isQuiescent = state.hardware.isQuiescent
    comparison.world[its].hardware.isQuiescent = false
    defer { comparison.world[its].hardware.isQuiescent = isQuiescent }
    if isPlausible { comparison.world[its].hardware.read = start }
    while state.hardware.read != pointer.offset {
      guard isPlausible, let world = comparison.world.stepping(its: its, .passes).first else {
        comparison.world[its].hardware.read = value == nil ? .max : pointer.offset
        break
      }
      comparison.world = world
    }
    comparison.world[its].hardware.isStalled = value != nil && pointer.isStalled
  }

  // MARK: Commands

  /// EL2 takes commands, publishes them, and looks how far the hardware is.
  private mutating func runCommands() throws(Divergence) {
    while let next = rest.first {
      switch next {
      case .read(let offset, let value):
        // Nothing tells when EL2 goes on with the command that it keeps: before this, if it may.
        try goOn(isLast: true, mayWait: true)
        try watch(offset, value, believes: true)
      case .wrote(ITSRegister.commandWrite.offset, let value, let isDone):
        try publish(GITSQueuePointer(rawValue: value).offset)
        if !isDone {
          comparison.world[its].hardware.read = .max
          try observe()
        }
      case .wrote: throw Divergence(name("a register"), expected: "GITS_CWRITER", found: "\(next)")
      case .pinned(_, let isGranted):
        try explainUnmappings()
        try take(
          comparison.world.holdingQueue(its: its), "the queue is held", found: .observed(next)
        ) {
          ($0.answer == .done) == isGranted
        }
      case .loaded(_, nil):
        words = []
        try goOn()
        try take(
          comparison.world.taking(its: its, .aborted), "a load aborts", found: .observed(next))
      case .loaded(_, let value?):
        words.append(value)
        if words.count == 4 {
          let command = ITSCommand(words[0], words[1], words[2], words[3])
          words = []
          try goOn()
          try take(.command(command))
        }
      case .unpinned: throw Divergence(name("a pin"), expected: "held", found: "\(next)")
      }
      rest.removeFirst()
    }
    try goOn(isLast: true)
  }

  /// What comes before a command is read: the host's old tables are unmapped, a command that is kept goes on.
  private mutating func goOn(isLast: Bool = false, mayWait: Bool = false) throws(Divergence) {
    try explainUnmappings(mayWait: mayWait)
    guard !hasResumed, let kept = comparison.kept(its) else { return }
    let zeroed = unfinished?.zeroed ?? 0
    let isUnchanged =
      keeps == kept.command && zeroed == comparison.services[its].zeroed
      && (unfinished?.pages == kept.table)
    if isLast, isUnchanged { return }
    if mayWait, comparison.world.taking(its: its, .kept, choice(for: kept.command)).isEmpty {
      return
    }
    try take(.kept)
  }

  private mutating func take(_ read: Read) throws(Divergence) {
    let before = comparison.world[its].staging
    hasResumed = true
    let command: ITSCommand? =
      switch read {
      case .command(let words): words
      case .kept: state.staging.unfinished?.command
      case .aborted: nil
      }
    let choice = choice(for: command)
    spent.commands += 1
    spent.bytes += choice.zeroed
    // What EL2 uses again it has freed before.
    for (key, table) in state.tables
    where choice.table?.overlaps(table.pages) == true
      || choice.secondLevel?.overlaps(table.pages) == true
    {
      if case .sealed = table.state {
        try take(comparison.world.freeing(its: its, key), "a table is freed", found: .observed(nil))
      }
    }
    let outcomes = comparison.world.taking(its: its, read, choice)
    let (appended, explained) = (appended, explained)
    let answer = try take(
      outcomes, "a command",
      found: .command(command, appended[explained...])
    ) { outcome in
      guard case .committed(let commands) = outcome.answer else { return true }
      return appended[explained...].starts(with: commands)
    }
    if state.staging.count != before.count || choice.zeroed > 0 { hasProgress = true }
    if case .committed(let commands) = answer { self.explained += commands.count }
  }

  /// What EL2 was seen to choose for a command.
  private func choice(for command: ITSCommand?) -> CommandChoice {
    var choice = CommandChoice()
    guard let command, command.opcode == .mapd, command.isValid else { return choice }
    // One that maps what is mapped gets no memory, which a later one of the same words may get in this trap.
    if let known = state.devices[command.deviceID], known.name == command.translationTable,
      known.eventIDBits == command.eventIDBitsMinusOne + 1
    {
      return choice
    }
    let kept = state.staging.unfinished
    var next = appended[explained...]
    if let first = next.first, first == .unmapd(command.deviceID) { next.removeFirst() }
    if let mapping = next.first, mapping.opcode == .mapd, mapping.isValid,
      mapping.deviceID == command.deviceID,
      mapping.eventIDBitsMinusOne == command.eventIDBitsMinusOne
    {
      let first = PageFrameNumber(mapping.translationTable >> 12)
      choice.table = PageRange(
        first: first, count: state.pages(eventIDBits: command.eventIDBitsMinusOne + 1))
      choice.zeroed =
        kept?.table == nil ? choice.table.map { $0.count << 12 } ?? 0 : kept?.bytes ?? 0
    } else if let unfinished, keeps == command.rebuilt(as: .mapd) {
      choice.table = unfinished.pages
      let before = kept?.table.map { ($0.count << 12) - (kept?.bytes ?? 0) } ?? 0
      choice.zeroed = unfinished.zeroed - before
    }
    // Beyond its end EL2's table has no entry.
    guard UInt64(command.deviceID) < state.deviceLimit,
      let missing = state.missingSecondLevel(of: command.deviceID),
      let table = state.identity.tables.first(.devices)
    else { return choice }
    let entry = TableFirstLevelEntry(
      rawValue: memory.word(at: table.base + missing.index * 8))
    if entry.isValid {
      choice.secondLevel = PageRange(
        first: PageFrameNumber(entry.page >> 12), count: missing.bytes >> 12)
    }
    return choice
  }

  // MARK: EL2's own slots

  private mutating func explainUnmappings(mayWait: Bool = false) throws(Divergence) {
    while !state.doomed.isEmpty, explained < appended.count {
      let slot = appended[explained]
      guard let mapping = slot.unmapping, state.doomed.contains(mapping) else { return }
      let found = appended[explained...]
      let outcomes = comparison.world.unmappingDoomed(its: its, mapping)
      // Its slot is free behind what EL2 reads now.
      if mayWait, outcomes.isEmpty { return }
      let answer = try take(
        outcomes, "unmapping",
        found: .command(slot, appended[explained...])
      ) {
        if case .committed(let commands) = $0.answer { found.starts(with: commands) } else { false }
      }
      if case .committed(let commands) = answer { explained += commands.count }
      spent.commands += 1
      hasProgress = true
    }
  }

  private mutating func publish(_ offset: UInt64) throws(Divergence) {
    try goOn(isLast: true)
    var syncs: [Target] = []
    while explained + syncs.count < appended.count,
      state.commit.offset(of: state.commit.appended + UInt64(syncs.count)) != offset
    {
      let slot = appended[explained + syncs.count]
      guard slot == .sync(target: slot.target) else { break }
      syncs.append(slot.target)
    }
    // One more goes behind a batch that would end at offset zero.
    let last = state.commit.appended &+ UInt64(syncs.count) &- 1
    let isPadded = !syncs.isEmpty && state.commit.offset(of: last) == 0
    for part in isPadded ? [syncs.dropLast(), syncs.suffix(1)] : [syncs[...]] where !part.isEmpty {
      try take(
        comparison.world.synchronising(its: its, Array(part)), "SYNCs",
        found: .command(nil, appended[explained...]))
      explained += part.count
    }
    let (its, commit) = (its, state.commit)
    try take(
      comparison.world.publishing(its: its), "GITS_CWRITER is written",
      found: .offset(offset, appended[explained...])
    ) { commit.offset(of: $0.world[its].commit.published) == offset }
  }

  /// What EL2 has found in the host's tables.
  private mutating func evidence() -> [Int: UInt64] {
    var evidence: [Int: UInt64] = [:]
    var looks: [(address: UInt64, word: UInt64)] = []
    while case .pinned(let page, let isGranted)? = rest.first {
      guard isGranted else {
        // The staging queue comes last, and is not let go of.
        guard
          rest.dropFirst().contains(where: { if case .pinned = $0 { true } else { false } })
            || page.count == 1 && isTable(page)
        else { break }
        rest.removeFirst()
        continue
      }
      guard let end = rest.firstIndex(of: .unpinned(page)) else { break }
      for case .loaded(let address, let word?) in rest[rest.startIndex..<end] {
        looks.append((address, word))
      }
      rest = rest[(end + 1)...]
    }
    for (number, table) in state.host.tables.enumerated() where table.isValid {
      guard
        !table.isIndirect
          || state.written.contains(number) && !state.mappings(of: table.kind).isEmpty,
        let look = looks.first,
        look.address &- table.base < (table.isIndirect ? table.size : 8)
      else { continue }
      evidence[number] = look.word
      looks.removeFirst()
    }
    return evidence
  }

  private func isTable(_ page: PageRange) -> Bool {
    state.host.tables.contains { table in
      table.isValid && page.first.address.rawValue &- (table.base & ~0xfff) < table.size
    }
  }
}

extension ITSCommand {
  /// What a command unmaps.
  fileprivate var unmapping: Mapping? {
    guard !isValid else { return nil }
    return switch opcode {
    case .mapd: .device(deviceID)
    case .mapc: .collection(collectionID)
    case .vmapp: .vpe(vpeID)
    default: nil
    }
  }
}

extension BoardComparison {
  /// The command that an ITS keeps.
  fileprivate func kept(_ its: Int) -> Staging.Unfinished? { world[its].staging.unfinished }
}

extension Observation {
  /// Whether it is a store to a register that has aborted.
  fileprivate func isFailedStore(to register: UInt64) -> Bool {
    if case .wrote(register, _, false) = self { true } else { false }
  }
}

extension Answer {
  /// Whether the host was told this.
  func matches(_ effect: Effect) -> Bool {
    switch (self, effect) {
    case (.value(let value), .value(let found)): value == found
    case (.done, .done), (.ignored, .done), (.repeats, .again), (.aborted, .aborted): true
    default: false
    }
  }
}
