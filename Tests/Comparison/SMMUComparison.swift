// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
@testable import Specification
@testable import VirtualSMMU

extension BoardComparison {
  /// Begins with memory, and SMMUs to come.
  package init(memory: [PageRange: Bool]) {
    self.init(
      ComparedBoard(
        interruptIDBits: 16, stallsAtRefused: false, listedDevices: nil, commandsPerTrap: 64,
        bytesPerTrap: 0),
      memory: memory, redistributors: [])
  }

  /// An SMMU that EL2 has just taken over; `register` reads its hardware.
  ///
  /// With `nested` the host sees it too.
  package mutating func add<Memory: ComparedMemory>(
    devices: [ClosedRange<StreamID>], isNested: Bool = true, _ tables: HardwareTables<Memory>,
    register: (SMMURegister) -> UInt64
  ) {
    func word(_ name: SMMURegister) -> UInt32 { UInt32(truncatingIfNeeded: register(name)) }
    // Each entry has the same stage 2.
    let entry = tables.entry(of: devices.first?.lowerBound ?? StreamID(0)).entry
    let identity = SMMUIdentity(
      idr0: SMMUIDR0(rawValue: word(.identification0)),
      idr1: SMMUIDR1(rawValue: word(.identification1)),
      idr3: SMMUIDR3(rawValue: word(.identification3)),
      idr5: SMMUIDR5(rawValue: word(.identification5)), isNested: isNested,
      streamIDBits: tables.streamIDBits,
      devices: devices.map { $0.lowerBound.rawValue...$0.upperBound.rawValue },
      vmid: entry.vmid, table: entry.stage2Table, control: entry.stage2Control)
    var hardware: [SMMURegister: UInt64] = [:]
    for name in SMMURegister.ofEL2 { hardware[name] = register(name) }
    var smmu = SMMU(identity: identity, hardware: hardware)
    smmu.host.registers = identity.offered
    smmu.host[.implementer] = register(.implementer)
    smmu.host[.architecture] = register(.architecture)
    world.dma.smmus.append(smmu)
  }

  /// EL2 writes a register of the hardware, which it has taken over: how it translates does not change any more.
  ///
  /// - Throws: what the specification does not permit.
  package func hasWritten(_ value: UInt64, to register: SMMURegister) throws(Divergence) {
    switch register {
    case .commandQueueProduced, .eventQueueConsumed, .globalErrorAcknowledged, .interruptControl:
      return
    default:
      throw Divergence(
        "the hardware of an SMMU", expected: "no write",
        found: "\(hex(value)) to \(hex(register.offset))")
    }
  }

  /// A trap of an SMMU has ended: what EL2 did in it, and what the host was told.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func finish<Memory: ComparedMemory>(
    smmu index: Int, _ entrance: Entrance, _ effect: Effect, _ observations: [SMMUObservation],
    _ smmu: borrowing MediatedSMMU, held: [PageRange], _ tables: HardwareTables<Memory>
  ) throws(Divergence) {
    let mayFail = tables.isFull || observations.hasFailed
    let before = world.dma.smmus[index]
    do throws(Divergence) {
      var trap = SMMUTrap(
        comparison: self, index, entrance, effect, observations[...],
        hasStopped: smmu.activeErrors.contains(.command), mayFail: mayFail,
        broken: smmu.isBroken ? smmu.commands.consumed : nil,
        most: (
          Int(smmu.policy.commandsPerTrap), Int(smmu.policy.entriesPerTrap),
          Int(smmu.policy.eventsPerTrap)
        ))
      try trap.run()
      self = trap.comparison
      try compare(index, smmu, held, "SMMU \(index), \(entrance.words(by: SMMURegister.words))")
      if trap.areAllTouched {
        try compareEntries(index, tables)
      } else {
        for stream in trap.touched { try compare(index, tables.entry(of: stream)) }
      }
    } catch {
      var told = error
      told.context = ["before: " + before.summary] + observations.map { "\($0)" }
      throw told
    }
  }

  /// All entries of the hardware's stream table, between two traps.
  package func compareEntries<Memory: ComparedMemory>(
    _ index: Int, _ tables: HardwareTables<Memory>
  ) throws(Divergence) { for held in tables.entries() { try compare(index, held) } }

  private func compare(_ index: Int, _ held: HeldEntry) throws(Divergence) {
    let smmu = world.dma.smmus[index], stream = held.stream
    var entry = smmu.word(smmu.rule(of: stream))
    // All abort by no table.
    if smmu.common == .aborts, !held.entry.isValid { return }
    // One that is given up follows no further; what its streams go by is still EL2's.
    if smmu.host.isBroken, smmu.identity.hasDevice(stream) {
      entry = smmu.word(held.entry.ruled)
    }
    guard entry.effective != held.entry.effective else { return }
    throw Divergence(
      "SMMU \(index), behind the trap: stream \(stream.rawValue)", expected: entry.words4,
      found: held.entry.words4)
  }

  /// What EL2 holds against what the specification says.
  private func compare(
    _ index: Int, _ smmu: borrowing MediatedSMMU, _ held: [PageRange],
    _ entrance: @autoclosure () -> String
  ) throws(Divergence) {
    let state = world.dma.smmus[index]
    func check<Value: Equatable & CustomStringConvertible>(
      _ what: String, _ expected: Value, _ found: Value
    ) throws(Divergence) {
      guard expected != found else { return }
      throw Divergence(
        "\(entrance()), behind it: \(what)", expected: "\(expected)", found: "\(found)")
    }
    let registers: [(SMMURegister, UInt64)] = [
      (.control0, UInt64(smmu.control.rawValue)),
      (.control0Acknowledged, UInt64(smmu.acknowledged.rawValue)),
      (.control1, UInt64(smmu.control1)), (.control2, UInt64(smmu.control2.rawValue)),
      (.globalBypass, (smmu.bypassAborts ? 1 << 20 : 0) | 1 << 12),
      (.interruptControl, UInt64(smmu.interrupts)), (.globalError, UInt64(smmu.errors.rawValue)),
      (.globalErrorAcknowledged, UInt64(smmu.errorsAcknowledged.rawValue)),
      (.streamTableBase, smmu.streamBase.rawValue),
      (.streamTableBaseConfiguration, UInt64(smmu.streamShape.rawValue)),
      (.commandQueueBase, smmu.commands.register.rawValue),
      (.commandQueueProduced, UInt64(smmu.commands.produced.rawValue)),
      (.commandQueueConsumed, UInt64(smmu.commands.consumed.rawValue)),
      (.eventQueueBase, smmu.events.register.rawValue),
      (.eventQueueProduced, UInt64(smmu.events.produced.rawValue)),
      (.eventQueueConsumed, UInt64(smmu.events.consumed.rawValue)),
    ]
    for (register, found) in registers where state.value(register) != found {
      try check("the register at \(hex(register.offset))", hex(state.value(register)), hex(found))
    }
    try check("broken", state.host.isBroken, smmu.isBroken)
    let unread = state.host.unread.map { UInt64($0.lowerBound) }
    try check("a stream to read", unread ?? .max, smmu.scan?.next ?? .max)
    let isEnabling = smmu.scan?.purpose == .enabling
    try check("reading for SMMUEN", state.host.rules != nil, isEnabling)
    let holds = world.pages.holds
    try check("the command queue", holds[.smmuCommands(index)] != nil, smmu.commands.slot != nil)
    try check("the event queue", holds[.smmuEvents(index)] != nil, smmu.events.slot != nil)
    let pages = Self.names(holds.values.map { $0.first.address.rawValue })
    try check("what is held", pages, Self.names(held.map { $0.first.address.rawValue }))
    let frame = Frame.smmu(index)
    let ignored = world.counts[.ignored(frame)] ?? 0
    try check("what is ignored", UInt64(ignored), smmu.counters.ignored)
    for (rule, reason) in Self.refusals {
      let expected = world.counts[.refused(frame, rule)] ?? 0
      try check("refused by \(rule.rawValue)", UInt64(expected), smmu.counters.count(reason))
    }
  }

  private static func names(_ addresses: [UInt64]) -> String {
    addresses.sorted().map(hex).joined(separator: ", ")
  }

  /// The rules by which things are refused, and what EL2 counts for each.
  private static var refusals: [(Rule, SMMURefusalReason)] {
    [
      (.reservedCommand, .reservedCommand), (.hiddenCommand, .hiddenCommand),
      (.secureStream, .secureStream), (.badRange, .range),
      (.commandQueueIsHeld, .unreadableCommand), (.unreadableEntry, .unreadableEntry),
      (.badSpan, .span), (.stage2IsRefused, .stage2), (.contextTable, .contextTable),
      (.contextAddress, .contextAddress), (.notPermittedEntry, .notPermitted),
      (.noMemoryForEntry, .outOfMemory),
    ]
  }

  // MARK: Pages

  /// EL2 has asked for pages of the host, which change their owner step by step.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func claimed<Memory: ComparedMemory>(
    _ pages: PageRange, isGranted: Bool, _ observations: [SMMUObservation],
    _ tables: HardwareTables<Memory>
  ) throws(Divergence) {
    do throws(Divergence) {
      let mayFail = tables.isFull || observations.hasFailed
      try claim(pages, isGranted: isGranted, mayFail: mayFail, observations)
    } catch {
      var told = error
      told.context = observations.map { "\($0)" }
      throw told
    }
  }

  /// What devices reach of pages by the table that EL2 has made.
  ///
  /// With `leaving` EL2 has the hardware forget them at this moment: nothing leads to them any more.
  ///
  /// - Throws: what the specification does not permit.
  package func compareDevices<Memory: ComparedMemory>(
    _ pages: PageRange, leaving: Bool = false, _ tables: HardwareTables<Memory>
  ) throws(Divergence) {
    let identity = world.dma.smmus[0].identity
    // What is no memory is not in the state.
    for page in pages.pages where world.pages.owner(of: page) != nil {
      let expected = leaving ? .nothing : world.devicesTable(page)
      let found = tables.reach(page, table: identity.table, control: identity.control)
      guard expected != found else { continue }
      throw Divergence(
        "the devices' table at page \(hex(page.rawValue))", expected: "\(expected)",
        found: found.map { "\($0)" } ?? "another page, or reads alone")
    }
  }

  private mutating func claim(
    _ pages: PageRange, isGranted: Bool, mayFail: Bool, _ observations: [SMMUObservation]
  ) throws(Divergence) {
    let name = "a claim of \(hex(pages.first.address.rawValue))"
    let outcomes = world.preparing(OwnerChange(kind: .claim, range: pages))
    let isRefused = !isGranted && !mayFail || outcomes.allSatisfy { $0.answer != .done }
    try step(name, outcomes, isGranted ? "granted" : "refused") {
      ($0.answer == .done) != isRefused && !(isRefused && isGranted)
    }
    guard !isRefused else {
      guard observations.isEmpty else {
        throw Divergence(name, expected: "nothing", found: "\(observations.count) steps")
      }
      return
    }
    try carryOut(name, isGranted: isGranted, observations)
  }

  /// A change of owners that is prepared, with what EL2 had the hardware do, to its end.
  mutating func carryOut(
    _ name: String, isGranted: Bool, _ observations: [SMMUObservation]
  ) throws(Divergence) {
    try step(name, world.proceeding(), "the first step")
    for observation in observations {
      var outcomes: [Outcome] = []
      switch observation {
      case .published(let commands, _):
        let isWhole = commands.last == .synchronise
        if isWhole { outcomes = world.invalidating(smmu: 0, Array(commands.dropLast())) }
      case .confirmed: outcomes = world.confirming(smmu: 0)
      case .gaveUp:
        if !isGranted { continue }
      case .stopped(let place):
        // What has stopped once may stop again before the change is refused, which it must be.
        if !isGranted {
          guard let place else { continue }
          outcomes = world.losing(smmu: 0, place)
        }
      default: throw Divergence(name, expected: "invalidations", found: observation.description)
      }
      try step(name, outcomes, observation.description)
    }
    if isGranted {
      try step(name, world.proceeding(), "granted") { $0.answer == .done }
    } else if world.dma.change != nil {
      try step(name, world.failing(smmu: 0), "refused")
    }
  }

  /// Takes a step of a change of owners that was seen.
  mutating func step(
    _ name: String, _ outcomes: [Outcome], _ found: String,
    where matches: (Outcome) -> Bool = { _ in true }
  ) throws(Divergence) {
    if take(outcomes, where: matches) == nil {
      throw Divergence(name, expected: outcomes.names, found: found)
    }
  }

  /// EL2 has given pages back, or has tried to.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func returned(
    _ pages: PageRange, isGranted: Bool, _ observations: [SMMUObservation]
  ) throws(Divergence) {
    let name = "\(hex(pages.first.address.rawValue)) is given back"
    guard isGranted, observations.isEmpty else {
      throw Divergence(
        name, expected: "no step of the hardware",
        found: observations.first?.description ?? "a refusal")
    }
    let change = OwnerChange(kind: .giveBack, range: pages)
    try step(name, world.preparing(change), "prepared") { $0.answer == .done }
    try step(name, world.proceeding(), "changed")
    try step(name, world.proceeding(), "mapped for devices")
  }
}

extension [SMMUObservation] {
  /// Whether the hardware has stopped at a command, or was not done in time.
  var hasFailed: Bool {
    contains {
      switch $0 {
      case .stopped, .gaveUp: true
      default: false
      }
    }
  }
}

extension StreamTableEntry {
  /// What it has a stream go by, with the fields that are the host's.
  fileprivate var ruled: Entry {
    guard isValid else { return .invalid }
    guard let configuration, configuration != .abort else { return .aborts }
    // S1Fmt, S1ContextPtr and S1CDMax; S1DSS, S1CIR, S1COR and S1CSH.
    let (fields0, fields1): (UInt64, UInt64) = (0xf80f_ffff_ffff_fff0, 0xff)
    return configuration.hasStage1 ? .stage1(word0 & fields0, word1 & fields1) : .passes
  }
}

extension SMMURegister {
  /// Those by which the hardware comes to EL2's memory, and writes anywhere.
  fileprivate static var ofEL2: [SMMURegister] {
    [
      .control0, .streamTableBase, .commandQueueBase, .eventQueueBase, .globalErrorInterrupt0,
      .eventQueueInterrupt0, .requestQueueInterrupt0,
    ]
  }
}

extension SMMUIdentity {
  /// The ID registers that `Registers.md` has the host see.
  fileprivate var offered: [SMMURegister: UInt64] {
    // S1P, COHACC, ASID16, CD2L, TTENDIAN, TERM_MODEL; TTF, STALL_MODEL and ST_LEVEL are fixed.
    let kept0: UInt32 = 1 << 1 | 1 << 4 | 1 << 12 | 1 << 19 | 0b11 << 21 | 1 << 26
    let fixed0: UInt32 = 0b10 << 2 | 0b01 << 24 | 0b01 << 27
    // HAD, STT, RIL, BBML, E0PD.
    let kept3: UInt32 = 1 << 2 | 1 << 9 | 1 << 10 | 0b11 << 11 | 1 << 13
    // Granules and VAX.
    let kept5: UInt32 = 0b111 << 4 | 0b11 << 10
    let sizes: [UInt64] = [32, 36, 40, 42, 44, 48]
    let size = UInt64(sizes.lastIndex { $0 <= inputBits } ?? 0)
    return [
      .identification0: UInt64(idr0.rawValue & kept0 | fixed0),
      .identification1: streamIDBits | idr1.substreamIDBits << 6 | 7 << 16 | 8 << 21,
      .identification3: UInt64(idr3.rawValue & kept3),
      .identification5: UInt64(idr5.rawValue & kept5) | size,
    ]
  }
}

extension SMMU {
  /// What decides most, in a line.
  fileprivate var summary: String {
    """
    CR0 \(host.word(.control0)), translating \(host.isTranslating), CMDQ \(hex(host[.commandQueueBase])) \
    \(hex(host[.commandQueueProduced])) \(hex(host[.commandQueueConsumed])), errors \(host.errors.rawValue), \
    unread \(host.unread.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "none"), batch limit \(identity.batchLimit)
    """
  }
}
