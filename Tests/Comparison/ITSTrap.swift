// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Observing
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
  var words: [UInt64] = []
  /// Whether the command that was kept has been gone on with.
  var hasResumed = false
  var hasProgress = false
  /// How many commands EL2 took or unmapped, and how many bytes of translation tables it zeroed.
  var spent = (commands: 0, bytes: 0 as UInt64)
  /// Whether the hardware was Quiescent when EL2 read it last.
  var isQuiet = false
  /// Whether it says so though it is enabled, which nobody believes, and the host reads.
  var saysQuiescent = false

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

  var state: ITSState { comparison.world[its] }

  func name(_ step: String) -> String { "ITS \(its), CPU \(cpu), \(entrance): \(step)" }

  @discardableResult
  mutating func take(
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
      found: .hardware(isStalled ? "stalled" : "not stalled")
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
