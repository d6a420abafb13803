// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

@testable import Specification

/// Random numbers that a seed repeats (SplitMix64).
struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// One of `count`.
  mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
  /// Whether one of `count` came up.
  mutating func once(in count: Int) -> Bool { roll(count) == 0 }
  mutating func one<Element>(of choices: [Element]) -> Element { choices[roll(choices.count)] }
}

/// A hostile host, an EL2 that does what it is permitted, and hardware, all at random, in a small world.
struct Walk {
  var world: World
  var dice: Dice
  /// How often each rule was named.
  var reached: [Rule: Int] = [:]
  /// What went wrong: a clause of the invariant, or an entrance that permitted nothing.
  var problems: [String] = []

  static let hostPages: UInt64 = 0x100
  static let el2Pages: UInt64 = 0x400

  init(seed: UInt64) {
    dice = Dice(state: seed)
    func pages(_ first: UInt64, _ count: UInt64) -> PageRange {
      guard let range = PageRange(first: PageFrameNumber(first), count: count) else {
        preconditionFailure("no range of pages")
      }
      return range
    }
    func table(_ kind: UInt64, _ page: UInt64, isIndirect: Bool) -> GITSTableBase {
      let base = GITSTableBase(
        base: page << 12, pages: 1, pageSize: .kib4, isIndirect: isIndirect, attributes: 0)
      return GITSTableBase(rawValue: base.rawValue | kind << 56 | 7 << 48)
    }
    let isIndirect = dice.once(in: 2)
    let areAddresses = dice.once(in: 2)
    let none = GITSTableBase(rawValue: 0)
    let el2 = Self.el2Pages
    let tables =
      [
        table(1, el2 + 1, isIndirect: isIndirect), table(2, el2 + 2, isIndirect: false),
        table(4, el2 + 3, isIndirect: false),
      ] + Array(repeating: none, count: 5)
    let queue = GITSCommandBase(base: el2 << 12, pages: 1, attributes: 0)
    // Virtual, 8 bytes an entry, 10 bits of EventID, 12 of DeviceID.
    let type = GITSTyper(
      rawValue: 0b11 | 7 << 4 | 9 << 8 | 11 << 13 | 1 << 24 | (areAddresses ? 1 << 19 : 0))
    let hosts = tables.map { GITSTableBase(rawValue: $0.rawValue & GITSTableBase.fixed) }
    let its = ITSState(
      identity: ITSIdentity(
        type: type, identification: [0x4: 0x43b], devicePlaces: 3, collectionPlaces: 4,
        vpePlaces: 2,
        arena: [pages(el2 + 0x10, 8)], commandBase: queue, tables: tables),
      hardware: ITSHardware(commandBase: queue, tables: tables), host: HostRegisters(tables: hosts),
      commit: CommitQueue(pages: pages(el2, 1)))
    let redistributors = (0..<3).map { number in
      RedistributorState(
        base: PhysicalAddress(0x0900_0000 + UInt64(number) << 18),
        type: GICRTyper(rawValue: 0b1011 | UInt64(number) << 8), identification: [0x4: 0x43b],
        hardware: RedistributorHardware(control: GICRControl(rawValue: number == 2 ? 0b100 : 0b110))
      )
    }
    world = World(
      board: Board(
        interruptIDBits: dice.one(of: [16, 16, 25]), stallsAtRefused: dice.once(in: 2),
        listedDevices: dice.once(in: 2) ? [0...3, 600...600] : nil,
        checksVirtual: !dice.once(in: 3),
        sharesConfigurationBase: dice.one(of: [false, true, nil]), commandsPerTrap: 64,
        bytesPerTrap: 4096),
      pages: Pages(
        initial: [
          pages(Self.hostPages, 0x100): .host, pages(el2, 0x20): .el2, pages(0x600, 0x10): .other,
        ], fenced: [pages(Self.hostPages + 0x80, 2)]), itses: [its], redistributors: redistributors)
  }

  /// Goes to one of the outcomes; `isPromised`: there must be one.
  @discardableResult
  mutating func take(
    _ outcomes: [Outcome], isPromised: Bool = true, _ what: @autoclosure () -> String
  ) -> Answer? {
    guard let outcome = outcomes.randomElement(using: &dice) else {
      if isPromised { problems.append("nothing is permitted: \(what())") }
      return nil
    }
    for outcome in outcomes { for rule in outcome.rules { reached[rule, default: 0] += 1 } }
    world = outcome.world
    check(what())
    return outcome.answer
  }

  mutating func check(_ what: @autoclosure () -> String) {
    for violation in world.violations() {
      reached[violation.rule, default: 0] += 1
      problems.append("\(violation.rule), \(violation.what), behind \(what())")
    }
  }

  /// What an honest host does first.
  mutating func boot() {
    for number in 0..<3 {
      let fixed = world[0].host.tables[number].rawValue & GITSTableBase.fixed
      let base = GITSTableBase(
        base: Self.hostPages << 12, pages: 1, pageSize: .kib4, isIndirect: dice.once(in: 2),
        attributes: 0)
      let value = GITSTableBase(rawValue: base.rawValue | fixed)
      store(0x100 + 8 * UInt64(number), value.rawValue, RegisterChoice(readBack: value))
    }
    store(0x80, GITSCommandBase(base: (Self.hostPages + 1) << 12, pages: 1, attributes: 0).rawValue)
    enable(1)
    for rd in 0..<3 {
      let configuration = (Self.hostPages + 0x40) << 12 | 13
      let pending = (Self.hostPages + 0x50 + UInt64(rd) << 4) << 12
      for (offset, value) in [(0x70, configuration), (0x78, pending), (0, 1)] as [(UInt64, UInt64)]
      {
        let width = offset == 0 ? AccessWidth.word : .double
        take(
          world.store(
            redistributor: rd, at: offset, width, value, byOwnCPU: true, readBack: value),
          "the start of Redistributor \(rd)")
      }
    }
  }

  /// One step of somebody.
  mutating func step() {
    switch dice.roll(40) {
    case 0...12: hardwareStep()
    case 13...29: ring()
    case 30, 31: itsAccess()
    case 32...37: redistributorAccess()
    default: pagesStep()
    }
  }

  // MARK: The host and an ITS

  private mutating func memory() -> UInt64 {
    let page = dice.once(in: 12) ? Self.el2Pages + 0x12 : Self.hostPages + UInt64(dice.roll(0x90))
    return page << 12
  }

  private mutating func itsAccess() {
    if dice.once(in: 3) {
      let offsets: [UInt64] = [
        0, 4, 8, 0xc, 0x10, 0x40, 0x80, 0x84, 0x88, 0x100, 0x108, 0x118, 0xffe8,
      ]
      let offset = dice.one(of: offsets)
      let width = dice.one(of: [AccessWidth.half, .word, .word, .double, .double])
      take(world.load(its: 0, at: offset, width), "load \(offset)")
      return
    }
    switch dice.roll(5) {
    case 0, 1: enable(dice.once(in: 5) ? 0 : 1)
    case 2:
      let base = GITSCommandBase(base: memory(), pages: 1, attributes: 0)
      store(0x80, dice.once(in: 9) ? 0 : base.rawValue)
    case 3:
      let number = dice.roll(4)
      var base = GITSTableBase(
        base: memory(), pages: 1, pageSize: .kib4, isIndirect: dice.once(in: 2), attributes: 0)
      if dice.once(in: 3) { base = world[0].host.tables[number] }
      let fixed = world[0].host.tables[number].rawValue & GITSTableBase.fixed
      let value = GITSTableBase(rawValue: base.rawValue & ~GITSTableBase.fixed | fixed)
      store(0x100 + 8 * UInt64(number), value.rawValue, RegisterChoice(readBack: value))
    default: store(dice.one(of: [4, 8, 0x18, 0x40, 0x90, 0x200]), dice.next())
    }
  }

  private mutating func store(
    _ offset: UInt64, _ value: UInt64, _ choice: RegisterChoice = RegisterChoice()
  ) {
    let width = offset >= 0x80 ? AccessWidth.double : .word
    take(world.store(its: 0, at: offset, width, value, by: dice.roll(2), choice), "store \(offset)")
  }

  private mutating func enable(_ value: UInt64) {
    var evidence: [Int: UInt64] = [:]
    for number in 0..<3 where !dice.once(in: 3) { evidence[number] = dice.once(in: 2) ? 0 : 1 }
    let choice = RegisterChoice(evidence: evidence)
    let answer = take(world.store(its: 0, at: 0, .word, value, by: 0, choice), "store of Enabled")
    if value == 1, answer == .done { serve(.store, nil) }
  }

  private mutating func ring() {
    let cpu = dice.roll(2)
    let offset =
      dice.once(in: 20) ? 0x1000 : (world[0].host.write + UInt64(dice.roll(6)) * 32) % 0x1000
    let retry: UInt64 = dice.once(in: 3) ? 1 : 0
    if dice.once(in: 6) { return loadRead() }
    let answer = take(world.store(its: 0, at: 0x88, .double, offset | retry, by: cpu), "doorbell")
    if answer == .done { serve(.store, Doorbell(cpu: cpu, offset: offset)) }
  }

  private mutating func loadRead() {
    serve(.load, nil)
    take(world.load(its: 0, at: 0x90, .word), "load of GITS_CREADR")
  }

  /// What EL2 does in a trap that takes commands.
  private mutating func serve(_ trap: CommandTrap, _ doorbell: Doorbell?) {
    var madeProgress = false
    if dice.once(in: 4) { take(world.observing(its: 0), "observing") }
    for _ in 0..<dice.roll(12) {
      for key in world[0].tables.keys.sorted(by: { "\($0)" < "\($1)" }) where dice.once(in: 2) {
        take(world.freeing(its: 0, key), isPromised: false, "freeing")
      }
      if let mapping = world[0].doomed.min(by: { "\($0)" < "\($1)" }) {
        madeProgress =
          take(world.unmappingDoomed(its: 0, mapping), isPromised: false, "unmapping") != nil
          || madeProgress
      }
      take(world.holdingQueue(its: 0), isPromised: false, "holding the queue")
      var choice = CommandChoice(zeroed: dice.once(in: 2) ? 4096 : 1024)
      var read = Read.command(command())
      if dice.once(in: 40) { read = .aborted }
      if let kept = world[0].staging.unfinished {
        read = .kept
        if kept.table != nil { choice.zeroed = min(kept.bytes, 4096) }
        choose(&choice, kept.command)
      } else if case .command(let words) = read {
        choose(&choice, words)
      }
      let answer = take(
        world.taking(its: 0, read, choice), isPromised: false, "taking \(read) \(choice)")
      madeProgress = madeProgress || answer != nil && answer != .unfinished
    }
    finish()
    take(
      world.endingTrap(its: 0, trap, doorbell: doorbell, madeProgress: madeProgress),
      "the end of a trap")
  }

  /// Memory for a MAPD, where there is some.
  private mutating func choose(_ choice: inout CommandChoice, _ command: ITSCommand) {
    guard command.opcode == .mapd, command.isValid else { return }
    let state = world[0]
    let count = state.pages(eventIDBits: command.eventIDBits)
    func run(_ count: UInt64, without: PageRange?) -> PageRange? {
      let first = state.identity.arena[0].first.rawValue
      return (first..<first + 8).compactMap { PageRange(first: PageFrameNumber($0), count: count) }
        .first { range in state.isFree(range) && without.map { !$0.overlaps(range) } ?? true }
    }
    choice.table = run(count, without: nil)
    guard let missing = state.missingSecondLevel(of: command.deviceID) else { return }
    choice.secondLevel = run(missing.bytes >> 12, without: choice.table)
    if choice.secondLevel == nil { choice.table = nil }
  }

  /// SYNCs behind a batch with unmappings, and what ends a batch.
  private mutating func finish() {
    guard world[0].phase == .enabled else { return }
    let targets = world[0].targets.sorted()
    if !world[0].isComplete, !targets.isEmpty {
      take(world.synchronising(its: 0, targets), "SYNCs")
    }
    let commit = world[0].commit
    if commit.appended != commit.published {
      if commit.offset(of: commit.appended) == 0, let target = targets.first {
        take(world.synchronising(its: 0, [target]), "one more SYNC")
      }
      take(world.publishing(its: 0), "publishing")
    }
  }

  private mutating func command() -> ITSCommand {
    let opcodes: [ITSOpcode] = [
      .mapd, .mapd, .mapd, .mapd, .mapc, .mapc, .mapti, .mapi, .movi, .int, .clear, .inv, .discard,
      .invall,
      .sync, .movall, .vmapp, .vmapp, .vmapp, .vmapti, .vmapi, .vmovi, .vmovp, .vinvall, .vsync,
      .vsgi, .invdb,
    ]
    let opcode = dice.one(of: opcodes)
    let areAddresses = world[0].identity.type.targetsAreAddresses
    func target(_ number: Int) -> UInt64 {
      let it = world.redistributors[min(number, 2)]
      return number > 2 ? 77 : it.target(areAddresses: areAddresses)
    }
    let device = dice.one(of: [0, 1, 2, 3, 600, 4095] as [UInt64])
    let number = dice.once(in: 30) ? 0 : UInt64(opcode.rawValue)
    let low = dice.one(of: [0, 1, 9, 0x2000, 0x1_0000] as [UInt64])
    let high = dice.one(of: [0, 1, 5, 1023, 0x2000, 0x1_0000] as [UInt64])
    let valid = dice.once(in: 3) ? 0 : UInt64(1) << 63
    switch opcode {
    case .mapd:
      let name = dice.one(of: [0x1000, 0x2000] as [UInt64])
      return ITSCommand(
        number | device << 32, dice.one(of: [0, 8, 9, 10]), name | valid, dice.next())
    case .vmapp:
      let bits = dice.one(of: [12, 13, 14, 15, 16] as [UInt64])
      return ITSCommand(
        number, UInt64(dice.roll(3)) << 32, target(dice.roll(4)) << 16 | valid,
        memory() & ~0xffff | bits)
    case .vmapti, .vmovi:
      return ITSCommand(
        number | device << 32, low | UInt64(dice.roll(2)) << 32,
        high << 32 | dice.one(of: [1, 0x2000, 0x3fff, 0x1_0000]))
    case .vmapi:
      return ITSCommand(number | device << 32, low | UInt64(dice.roll(2)) << 32, high << 32)
    case .mapc, .sync, .movall, .vmovp:
      return ITSCommand(
        number, UInt64(dice.roll(3)) << 32,
        target(dice.roll(4)) << 16 | valid | UInt64(dice.roll(6)),
        target(dice.roll(4)) << 16)
    default:
      return ITSCommand(number | device << 32, low | high << 32, UInt64(dice.roll(6)), dice.next())
    }
  }

  // MARK: The host and a Redistributor

  private mutating func redistributorAccess() {
    let rd = dice.roll(3)
    let isOwn = dice.once(in: 2)
    if dice.once(in: 3) {
      let offset = dice.one(
        of: [0, 0, 0, 4, 8, 0x14, 0x70, 0x78, 0x7c, 0x300, 0x2_0070, 0x2_0078] as [UInt64])
      take(
        world.load(redistributor: rd, at: offset, .word, byOwnCPU: isOwn),
        "load of Redistributor \(offset)")
      return
    }
    let configuration = memory() | dice.one(of: [13, 13, 13, 13, 13, 13, 12, 15, 24])
    let pending = memory() & ~0xffff
    let choices: [(UInt64, UInt64, UInt64)] = [
      (0, 1, 0), (0, 1, 0), (0, 0, 0), (0, 0x700_0001, 0), (0x14, 2, 0),
      (0x70, configuration, configuration), (0x78, pending | 1 << 62, pending),
      (0x78, pending, pending),
      (0x40, 8192, 0), (0x48, 0, 0), (0xa0, 8193, 0), (0xb0, 0, 0), (0x300, 1, 0),
      (0x2_0070, configuration, configuration), (0x2_0078, pending | 1 << 63, 0),
      (0x2_0078, pending, 0),
    ]
    let (offset, value, readBack) = dice.one(of: choices)
    let width = offset == 0 || offset == 0x14 || offset == 0x300 ? AccessWidth.word : .double
    take(
      world.store(redistributor: rd, at: offset, width, value, byOwnCPU: isOwn, readBack: readBack),
      "store to Redistributor \(offset)")
  }

  // MARK: The hardware and the embedder

  private mutating func hardwareStep() {
    switch dice.roll(24) {
    case 0: hardware(.stalls)
    case 1...3: hardware(.quiesces)
    case 4 where dice.once(in: 10):
      let isSuspended = dice.once(in: 2)
      if isSuspended { take(world.pausing(its: 0), "pausing") }
      if isSuspended, dice.once(in: 2) { return wake() }
      var lost = world[0].hardware
      lost.isEnabled = false
      lost.isQuiescent = true
      if dice.once(in: 2) { lost.read = 0 }
      if dice.once(in: 2) { lost.commandBase = GITSCommandBase(rawValue: 0) }
      hardware(.becomes(lost))
      if isSuspended || dice.once(in: 2) { wake() }
    case 5...12: redistributorStep()
    default: for _ in 0..<dice.roll(16) { hardware(.passes) }
    }
  }

  /// EL2 enables an ITS that it has paused, and looks what firmware has left of any.
  private mutating func wake() {
    if world[0].isPaused {
      let looks = world[0].hardware.isQuiescent ? 0 : Board.repetitions
      take(world.resuming(its: 0, looks: looks), "resuming")
      if world[0].phase == .enabled { serve(.store, nil) }
    }
    take(world.waking(its: 0), "waking")
  }

  /// The ITS loses its power as it rests, with commands under way or without, and is enabled again.
  mutating func losePower() {
    enable(0)
    hardware(.quiesces)
    take(world.load(its: 0, at: 0, .word), "a look whether the ITS rests")
    var lost = world[0].hardware
    (lost.read, lost.commandBase) = (0, GITSCommandBase(rawValue: 0))
    hardware(.becomes(lost))
    enable(1)
  }

  private mutating func hardware(_ step: ITSStep) {
    if let next = world.stepping(its: 0, step).randomElement(using: &dice) { world = next }
    check("\(step)")
  }

  private mutating func redistributorStep() {
    let rd = dice.roll(3)
    var next = world.redistributors[rd].hardware
    switch dice.roll(4) {
    case 0: next.set(isEnabled: dice.once(in: 2), isWritePending: false)
    case 1:
      next.virtualPending = GICRVirtualPendingBase(
        rawValue: next.virtualPending.rawValue & ~(1 << 60))
    default: next.set(isEnabled: next.control.isEnabled, isWritePending: false)
    }
    if dice.once(in: 6) {
      take(world.waking(redistributor: rd, restored: next), "waking of a CPU")
    } else if let world = world.stepping(redistributor: rd, next).randomElement(using: &dice) {
      self.world = world
      check("a step of a Redistributor")
    }
  }

  private mutating func pagesStep() {
    let page = PageFrameNumber(memory() >> 12)
    guard let range = PageRange(first: page, count: 1) else { return }
    switch dice.roll(4) {
    case 0: take(world.claiming(range), "a claim")
    case 1: take(world.leaving(range), "may give away")
    case 2:
      take(world.moving(range, to: dice.one(of: [.other, .lent])), isPromised: false, "a move")
    default: if world.pages.leaving.contains(page) { take(world.taking(back: range), "took") }
    }
  }
}
