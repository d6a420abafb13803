// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Observing
import Ownership
@testable import Redistributor
@testable import Specification

/// The registers of one Redistributor, as a look past EL2 finds them.
package struct ObservedRedistributor {
  let hardware: RedistributorHardware

  /// Reads them; `read` is told the width and the offset from the RD frame.
  package init(hasVirtualFrame: Bool, _ read: (AccessWidth, UInt64) -> UInt64) {
    typealias Register = RedistributorRegister
    var hardware = RedistributorHardware()
    hardware.control = GICRControl(rawValue: read(.word, Register.control.offset))
    hardware.configuration = GICRConfigurationBase(
      rawValue: read(.double, Register.configurationBase.offset))
    // PTZ is write-only; where a machine shows it all the same, that says nothing.
    hardware.pending = GICRPendingBase(
      rawValue: read(.double, Register.pendingBase.offset) & ~GICRPendingBase.zeroed)
    hardware.waker = read(.word, Register.waker.offset)
    if hasVirtualFrame {
      hardware.virtualConfiguration = GICRConfigurationBase(
        rawValue: read(.double, Register.virtualConfigurationBase.offset))
      hardware.virtualPending = GICRVirtualPendingBase(
        rawValue: read(.double, Register.virtualPendingBase.offset))
    }
    self.hardware = hardware
  }
}

/// A trap of the host to one Redistributor.
package struct RedistributorTrap {
  package let entrance: Entrance
  package let effect: Effect
  package let isOwnCPU: Bool
  /// What EL2 did, by offsets from the RD frame; nil where nobody has looked.
  package let observations: [Observation]?

  /// Names all of it.
  package init(
    _ entrance: Entrance, _ effect: Effect, byOwnCPU isOwnCPU: Bool, _ observations: [Observation]?
  ) {
    self.entrance = entrance
    self.effect = effect
    self.isOwnCPU = isOwnCPU
    self.observations = observations
  }
}

/// What is known of the Redistributors beside their state in the specification.
struct RedistributorsComparison {
  /// The counters of the implementation when the last trap ended.
  var counters = RedistributorCounters()
  /// The registers behind the last trap, or before this one.
  var hardware: [RedistributorHardware] = []
}

extension BoardComparison {
  /// The Redistributors were just set up.
  ///
  /// `before` is what EL2 found, if that is known, `after` what it has left, and `read` a look at the hardware: of a Redistributor, by a
  /// width, at an offset. `shares` is nil where live LPIs have kept EL2 from finding out.
  package mutating func begin(
    _ mediation: borrowing MediatedRedistributors, sharesConfigurationBase shares: Bool?,
    before: [ObservedRedistributor]?, after: [ObservedRedistributor],
    memory: some TableMemory, read: (Int, AccessWidth, UInt64) -> UInt64
  ) throws(Divergence) {
    world.board.sharesConfigurationBase = shares
    for rd in world.redistributors.indices {
      var it = world.redistributors[rd]
      it.hardware = after[rd].hardware
      for offset in [0x4, 0x18, 0xc0] + Array(stride(from: 0xffd0, to: 0x1_0000, by: 4)) as [UInt64]
      {
        it.identification[offset] = read(rd, .word, offset)
      }
      let found = before?[rd].hardware ?? it.hardware
      if !found.control.isIdle {
        let bits = min(found.configuration.interruptIDBits, world.board.interruptIDBits)
        let tables = LPITables(
          configurationBase: GICRConfigurationBase(
            rawValue: found.configuration.rawValue & GICRConfigurationBase.writable),
          pendingBase: found.pending.base, interruptIDBits: bits)
        guard let configuration = tables.configuration, let pending = tables.pending else {
          throw Divergence("set-up", expected: "tables in memory", found: "beyond it")
        }
        if it.hardware.control.isEnabled {
          it.state = .inUse
          it.tables = tables
          it.configuration = tables.configurationBase
          it.pending = GICRPendingBase(rawValue: found.pending.rawValue & GICRPendingBase.writable)
          world.pages.holds[.configuration(rd)] = configuration
          world.pages.holds[.pending(rd)] = pending
        } else if !found.control.canBeDisabled {
          world.pages.holds[.fromBoot(rd, configuration)] = configuration
          world.pages.holds[.fromBoot(rd, pending)] = pending
        }
      }
      world.redistributors[rd] = it
    }
    if before == nil {
      // What else is held was held at boot.
      for range in mediation.pins.all(memory) where !world.pages.holds.values.contains(range) {
        world.pages.holds[.fromBoot(0, range)] = range
      }
    }
    guards.counters = mediation.counters
    guards.hardware = after.map { $0.hardware }
    if let difference = difference(world, mediation, memory) {
      throw Divergence(
        "set-up: " + difference.what, expected: difference.expected, found: difference.found)
    }
  }

  /// A trap begins: what the hardware has done by itself since the last one.
  ///
  /// A CPU that wakes is told of what firmware has restored elsewhere, so its own Redistributor is left out.
  package mutating func step(
    _ now: [ObservedRedistributor], butFor waking: Int? = nil
  ) throws(Divergence) {
    guards.hardware = now.map { $0.hardware }
    for rd in world.redistributors.indices
    where rd != waking && world.redistributors[rd].hardware != now[rd].hardware {
      guard let next = world.stepping(redistributor: rd, now[rd].hardware).first else {
        throw Divergence(
          "Redistributor \(rd), by itself", expected: "tables that are held",
          found: now[rd].hardware.summary
        ).after([], world.redistributors[rd])
      }
      world = next
    }
  }

  /// A trap has ended.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func finish(
    redistributor rd: Int, _ trap: RedistributorTrap, _ after: [ObservedRedistributor],
    _ mediation: borrowing MediatedRedistributors, _ memory: some TableMemory
  ) throws(Divergence) {
    let earlier = world
    do throws(Divergence) {
      let outcomes =
        switch trap.entrance {
        case .load(let offset, let width):
          world.load(redistributor: rd, at: offset, width, byOwnCPU: trap.isOwnCPU)
        case .store(let offset, let width, let value):
          world.store(
            redistributor: rd, at: offset, width, value, byOwnCPU: trap.isOwnCPU,
            readBack: readBack(mediation, rd, offset))
        }
      let answer = try settle(
        "Redistributor \(rd), \(trap.isOwnCPU ? "own" : "other") CPU, \(trap.entrance)", outcomes,
        answer(trap, mediation.counters), after, mediation, memory)
      try checkWrites(rd, trap, answer, earlier)
    } catch {
      throw error.after(trap.observations ?? [], earlier.redistributors[rd])
    }
  }

  /// A CPU has woken; `mayRun` is whether the host runs on it.
  package mutating func woke(
    redistributor rd: Int, mayRun: Bool, _ after: [ObservedRedistributor],
    _ mediation: borrowing MediatedRedistributors, _ memory: some TableMemory
  ) throws(Divergence) {
    let before = world.redistributors[rd]
    let restored = guards.hardware[rd]
    guard mayRun else {
      // Where it can't be disabled for sure, the host does not run there.
      let isSafe = restored.control.canBeDisabled && !after[rd].hardware.control.isEnabled
      if isSafe || world.isHeld(rd, restored) {
        throw Divergence(
          "CPU of Redistributor \(rd) wakes", expected: "it runs", found: "it does not"
        ).after([], before)
      }
      return
    }
    do throws(Divergence) {
      _ = try settle(
        "CPU of Redistributor \(rd) wakes", world.waking(redistributor: rd, restored: restored),
        .done, after, mediation, memory)
    } catch {
      throw error.after([], before)
    }
  }

  // MARK: What was seen

  /// What a register of tables reads as, by EL2's copy.
  private func readBack(
    _ mediation: borrowing MediatedRedistributors, _ rd: Int, _ offset: UInt64
  ) -> UInt64 {
    let it = mediation.slots[rd]
    return switch offset & ~7 {
    case RedistributorRegister.pendingBase.offset: it.lpis.pending
    case RedistributorRegister.virtualConfigurationBase.offset: it.vpe.configuration.rawValue
    default: it.lpis.configuration.rawValue
    }
  }

  /// What the specification would have answered; the counters tell a store that had no effect from one that had.
  private func answer(_ trap: RedistributorTrap, _ counters: RedistributorCounters) -> SeenAnswer {
    switch trap.effect {
    case .value(let value): return .value(value)
    case .aborted: return .aborted
    case .again: return .again
    case .done: break
    }
    for reason in counters.refused.indices
    where counters.refused[reason] != guards.counters.refused[reason] {
      return .refused(TableRefusal(rawValue: UInt8(reason)) ?? .hardware)
    }
    return counters.ignored != guards.counters.ignored ? .ignored : .done
  }

  /// Goes on with the outcome that agrees with all that was seen.
  private mutating func settle(
    _ entrance: @autoclosure () -> String, _ outcomes: [Outcome], _ seen: SeenAnswer,
    _ after: [ObservedRedistributor], _ mediation: borrowing MediatedRedistributors,
    _ memory: some TableMemory
  ) throws(Divergence) -> Answer {
    let candidates = outcomes.filter { seen.agrees(with: $0.answer) }
    guard !candidates.isEmpty else {
      throw Divergence(entrance(), expected: outcomes.names, found: seen.description)
    }
    var first: Difference?
    for outcome in candidates {
      var outcome = outcome
      var found: Difference?
      for rd in after.indices where found == nil {
        found = difference(rd, outcome.world.redistributors[rd].hardware, after[rd].hardware)
        outcome.world.redistributors[rd].hardware = after[rd].hardware
      }
      if found == nil { found = difference(outcome.world, mediation, memory) }
      guard let found else {
        _ = take([outcome])
        guards.counters = mediation.counters
        return outcome.answer
      }
      // What comes furthest tells most.
      if first.map({ $0.isHardware && !found.isHardware }) ?? true { first = found }
    }
    let what = first ?? Difference("all", "", "")
    throw Divergence(
      "\(entrance()), behind it: \(what.what)", expected: what.expected, found: what.found)
  }

  /// The registers of the hardware.
  ///
  /// Those that name tables say nothing while the hardware does not use them.
  private func difference(
    _ rd: Int, _ expected: RedistributorHardware, _ found: RedistributorHardware
  ) -> Difference? {
    // What attributes the hardware takes EL2 does not know where LPIs were live.
    let isKnown = world.board.sharesConfigurationBase != nil
    let mask = isKnown ? UInt64.max : ~GICRTableAttributes.all
    let isUsed = !found.control.isIdle
    let isResident = !found.virtualPending.isIdle
    let sleep: UInt64 = 1 << 1
    let pairs: [(String, UInt64, UInt64)] = [
      ("GICR_CTLR", expected.control.rawValue, found.control.rawValue),
      ("GICR_WAKER", expected.waker & sleep, found.waker & sleep),
      (
        "GICR_PROPBASER", isUsed ? expected.configuration.rawValue & mask : 0,
        isUsed ? found.configuration.rawValue & mask : 0
      ),
      (
        "GICR_PENDBASER", isUsed ? expected.pending.rawValue & mask : 0,
        isUsed ? found.pending.rawValue & mask : 0
      ),
      (
        "GICR_VPROPBASER", isResident ? expected.virtualConfiguration.rawValue : 0,
        isResident ? found.virtualConfiguration.rawValue : 0
      ),
      (
        "GICR_VPENDBASER", isResident ? expected.virtualPending.rawValue : 0,
        isResident ? found.virtualPending.rawValue : 0
      ),
    ]
    guard let pair = pairs.first(where: { $0.1 != $0.2 }) else { return nil }
    return Difference(
      "the hardware's \(pair.0) of Redistributor \(rd)", hex(pair.1), hex(pair.2), isHardware: true)
  }

  /// What EL2 has and holds.
  private func difference(
    _ world: Specification.World, _ mediation: borrowing MediatedRedistributors,
    _ memory: some TableMemory
  ) -> Difference? {
    for rd in world.redistributors.indices {
      let state = world.redistributors[rd]
      let it = mediation.slots[rd]
      func differ(_ what: String, _ expected: String, _ found: String) -> Difference {
        Difference("\(what) of Redistributor \(rd)", expected, found)
      }
      if state.state.name != it.lpis.use.name {
        return differ("the state", state.state.name, it.lpis.use.name)
      }
      let registers: [(String, UInt64, UInt64)] = [
        ("GICR_PROPBASER", state.configuration.rawValue, it.lpis.configuration.rawValue),
        ("GICR_PENDBASER", state.pending.rawValue, it.lpis.pending),
        (
          "GICR_VPROPBASER", state.virtualConfiguration.rawValue, it.vpe.configuration.rawValue
        ),
        ("PTZ", state.isPromisedZero ? 1 : 0, it.isPendingTableZeroed ? 1 : 0),
      ]
      if let pair = registers.first(where: { $0.1 != $0.2 }) {
        return differ(pair.0, hex(pair.1), hex(pair.2))
      }
      for (what, tables, holding) in [
        ("tables", state.tables, it.lpis.holding), ("vPE's tables", state.resident, it.vpe.holding),
      ] {
        let expected = tables.map {
          "\(hex($0.configurationBase.rawValue)), \(hex($0.pendingBase.rawValue))"
        }
        let found = holding.map { "\(hex($0.configuration.rawValue)), \(hex($0.pending.rawValue))" }
        if expected != found { return differ(what, expected ?? "none", found ?? "none") }
      }
    }
    if world.lingering.count != mediation.parked.count {
      return Difference("lingering tables", "\(world.lingering.count)", "\(mediation.parked.count)")
    }
    let expected = world.pages.holds.filter { $0.key.isOfRedistributors }.map { Held($0.value) }
      .sorted { $0.isBefore($1) }
    let found = mediation.pins.all(memory).map { Held($0) }.sorted { $0.isBefore($1) }
    if expected != found { return Difference("what is held", expected.names, found.names) }
    if world.ignoredOfRedistributors != Int(mediation.counters.ignored) {
      return Difference(
        "ignored accesses", "\(world.ignoredOfRedistributors)", "\(mediation.counters.ignored)")
    }
    if world.refusedOfRedistributors != Int(mediation.counters.allRefused) {
      return Difference(
        "refusals", "\(world.refusedOfRedistributors)", "\(mediation.counters.allRefused)")
    }
    return nil
  }

  /// EL2 writes what the access is about, and a table's address where EnableLPIs or Valid is set alone.
  private func checkWrites(
    _ rd: Int, _ trap: RedistributorTrap, _ answer: Answer, _ earlier: Specification.World
  ) throws(Divergence) {
    typealias Register = RedistributorRegister
    guard let observations = trap.observations else { return }
    var asked: UInt64?
    var value: UInt64 = 0
    if case .store(let offset, _, let stored) = trap.entrance { (asked, value) = (offset, stored) }
    let before = earlier.redistributors[rd]
    var hardware = before.hardware
    for case .wrote(let offset, let written, _) in observations {
      let isPermitted =
        switch offset {
        case Register.control.offset, Register.waker.offset: asked == offset
        case Register.configurationBase.offset:
          asked == Register.control.offset && value & GICRControl.enable != 0
        // The promise that the table is zero goes with the address.
        case Register.pendingBase.offset:
          asked == Register.control.offset && value & GICRControl.enable != 0
            && (written & GICRPendingBase.zeroed != 0) == before.isPromisedZero
        case Register.setLPI.offset, Register.clearLPI.offset, Register.invalidateLPI.offset,
          Register.invalidateAll.offset:
          asked == offset && answer == .done && written == value
        case Register.virtualConfigurationBase.offset, Register.virtualPendingBase.offset:
          asked.map { $0 & ~7 } == Register.virtualPendingBase.offset
        default: false
        }
      if !isPermitted {
        throw Divergence(
          "Redistributor \(rd), \(trap.entrance)", expected: "no such write",
          found: Observation.wrote(offset: offset, value: written, isDone: true).description)
      }
      hardware.write(written, to: offset)
      // Between two writes, too, the hardware uses what is held alone.
      let isHeld = [earlier, world].contains {
        $0.isHeld(rd, hardware) && $0.hasHeldVPE(rd, hardware)
      }
      if !isHeld {
        throw Divergence(
          "Redistributor \(rd), \(trap.entrance)", expected: "tables that are held",
          found: hardware.summary)
      }
    }
    guard let asked, answer == .done,
      Register.setLPI.offset..<Register.configurationBase.offset ~= asked
        || Register.invalidateLPI.offset..<Register.synchronization.offset ~= asked
    else { return }
    let isPassed = observations.contains { $0.isStore(to: asked) }
    if !isPassed {
      throw Divergence(
        "Redistributor \(rd), \(trap.entrance)", expected: "a write to the hardware", found: "none")
    }
  }
}

extension RedistributorHardware {
  /// A write of EL2 to a register that decides which tables are used.
  fileprivate mutating func write(_ value: UInt64, to offset: UInt64) {
    switch offset {
    case RedistributorRegister.control.offset: control = GICRControl(rawValue: value)
    case RedistributorRegister.configurationBase.offset:
      configuration = GICRConfigurationBase(rawValue: value)
    case RedistributorRegister.pendingBase.offset: pending = GICRPendingBase(rawValue: value)
    case RedistributorRegister.virtualConfigurationBase.offset:
      virtualConfiguration = GICRConfigurationBase(rawValue: value)
    case RedistributorRegister.virtualPendingBase.offset:
      virtualPending = GICRVirtualPendingBase(rawValue: value)
    default: break
    }
  }
}

/// Where what EL2 has is not what the specification says.
private struct Difference {
  let what: String
  let expected: String
  let found: String
  let isHardware: Bool

  init(_ what: String, _ expected: String, _ found: String, isHardware: Bool = false) {
    self.what = what
    self.expected = expected
    self.found = found
    self.isHardware = isHardware
  }
}

/// What the host was told, or what EL2 has counted instead.
private enum SeenAnswer: CustomStringConvertible {
  case value(UInt64)
  case done
  case ignored
  case again
  case aborted
  case refused(TableRefusal)

  /// Whether the specification answers the same.
  func agrees(with answer: Answer) -> Bool {
    switch (self, answer) {
    case (.value(let found), .value(let expected)): found == expected
    case (.done, .done), (.ignored, .ignored), (.aborted, .aborted): true
    // One rule has all of a vPE's.
    case (.refused(let reason), .refused(let rule)):
      rule == .residentTablesAreHeld || rule == reason.rule
    default: false
    }
  }

  var description: String {
    switch self {
    case .value(let value): hex(value)
    case .done: "done"
    case .ignored: "ignored"
    case .again: "repeated"
    case .aborted: "aborted"
    case .refused(let reason): "refused by \(reason.rule.rawValue)"
    }
  }
}

extension TableRefusal {
  /// The rule that it refuses by.
  fileprivate var rule: Rule {
    switch self {
    case .tooLarge: .atMost24Bits
    case .configurationDiffers: .groupHasAsManyINTIDs
    case .configurationTable, .pendingTable, .unreachable: .tablesAreChecked
    case .stillHeld: .sameTablesOnly
    case .hardware: .hardwareReadsBack
    }
  }
}

/// A range that is held, in an order.
private struct Held: Equatable {
  let first: UInt64
  let count: UInt64

  init(_ range: PageRange) {
    first = range.first.rawValue
    count = range.count
  }

  func isBefore(_ other: Held) -> Bool {
    first != other.first ? first < other.first : count < other.count
  }
}

extension [Held] {
  fileprivate var names: String {
    isEmpty
      ? "nothing" : map { "\($0.count) pages at \(hex($0.first << 12))" }.joined(separator: ", ")
  }
}

extension PinTable {
  /// All ranges that are held.
  fileprivate borrowing func all(_ memory: some TableMemory) -> [PageRange] {
    var found: [PageRange] = []
    var slot: UInt64 = 0
    while UInt64(found.count) < count, slot < capacity {
      if let range = pages(in: slot, memory: memory) { found.append(range) }
      slot += 1
    }
    return found
  }
}

extension Specification.World {
  fileprivate var ignoredOfRedistributors: Int {
    var sum = 0
    for (count, times) in counts {
      if case .ignored(.redistributor) = count { sum += times }
    }
    return sum
  }
  fileprivate var refusedOfRedistributors: Int {
    var sum = 0
    for (count, times) in counts {
      if case .refused(.redistributor, _) = count { sum += times }
    }
    return sum
  }
}

extension Use {
  /// Whether Redistributors have it.
  fileprivate var isOfRedistributors: Bool {
    switch self {
    case .configuration, .pending, .virtualConfiguration, .virtualPending, .fromBoot, .lingering:
      true
    default: false
    }
  }
}

extension RedistributorState.State {
  fileprivate var name: String {
    switch self {
    case .idle: "idle"
    case .inUse: "in use"
    case .stopping: "stopping"
    }
  }
}

extension TablePair.Use {
  fileprivate var name: String {
    switch self {
    case .idle: "idle"
    case .inUse: "in use"
    case .stopping: "stopping"
    }
  }
}

extension RedistributorHardware {
  /// What decides most, in a line.
  var summary: String {
    """
    GICR_CTLR \(hex(control.rawValue)) PROPBASER \(hex(configuration.rawValue)) PENDBASER \(hex(pending.rawValue)) \
    VPENDBASER \(hex(virtualPending.rawValue))
    """
  }
}

extension RedistributorState {
  /// The same, with what is the host's.
  fileprivate var summary: String {
    """
    \(state.name), hardware \(hardware.summary); host's PROPBASER \(hex(configuration.rawValue)) \
    PENDBASER \(hex(pending.rawValue)); \(tables == nil ? "nothing held" : "tables held")
    """
  }
}

extension Divergence {
  /// The same with what came before it.
  fileprivate func after(
    _ observations: [Observation], _ before: RedistributorState
  ) -> Divergence {
    var result = self
    result.context =
      ["before: \(before.summary)"] + [observations.map { $0.description }.joined(separator: "; ")]
    return result
  }
}
