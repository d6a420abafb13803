// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SMMU

@testable import Specification

/// A hostile host behind two SMMUs, an embedder, and an EL2 that does what it is permitted, all at random.
///
/// The host sees the first SMMU. With a defect, what a transition did is changed.
struct DeviceWalk {
  var world: World
  var dice: Dice
  /// What is put into what transitions do, and how often it was.
  var defect: Defect?
  var put = 0
  /// How often each rule was named, and each kind of step was taken.
  var reached: [Rule: Int] = [:]
  var taken: [Step: Int] = [:]
  /// What went wrong: a clause of the invariant, or an access that permitted nothing.
  var problems: [String] = []

  /// What is done next.
  enum Step: String, CaseIterable {
    case preparing, proceeding, invalidating, confirming, failing, moving, loading, storing,
      enabling
    case taking, reading, ending, delivering, handingOver, finalising
  }

  /// What EL2 might do wrong; each must make a clause fail.
  enum Defect: String, CaseIterable {
    case claimWithoutRevoke, changeBeforeConfirmation, failureThatRestoresNothing
    case entryWithoutInvalidation, switchWithoutInvalidation, hostsVMID, acknowledgedBeforeTheSwitch
    case silentRefusal, errorWithoutGERROR, queueThatIsDonated, queueThatStaysHeld
    case streamTableOfTheHost, messageOfTheHost, stoppedSMMU, handedPageThatReturns, unknownStream
    case changeOfTwoOwners
  }

  static func pages(_ first: UInt64, _ count: UInt64) -> PageRange {
    guard let range = PageRange(first: PageFrameNumber(first), count: count) else {
      preconditionFailure("no range of pages")
    }
    return range
  }

  init(seed: UInt64, defect: Defect? = nil) {
    dice = Dice(state: seed)
    self.defect = defect
    // Both stages, AArch64, coherent, two-level contexts and streams; 5 bits of SubstreamID; 32-bit addresses.
    let idr0: UInt32 = 0b11 | 2 << 2 | 1 << 4 | 1 << 12 | 1 << 18 | 1 << 19 | 2 << 21 | 1 << 27
    let identity = SMMUIdentity(
      idr0: SMMUIDR0(rawValue: idr0),
      idr1: SMMUIDR1(rawValue: 8 | 5 << 6 | 7 << 16 | (dice.once(in: 2) ? 2 : 8) << 21),
      idr3: SMMUIDR3(rawValue: dice.once(in: 2) ? 1 << 10 : 0), idr5: SMMUIDR5(rawValue: 1 << 4),
      streamIDBits: 4, devices: [1...6, 8...9], vmid: VMID(7), table: 0x2f_000, control: 32)
    let hardware: [SMMURegister: UInt64] = [
      .control0: 1, .streamTableBase: 33 << 12, .commandQueueBase: 34 << 12 | 8,
      .eventQueueBase: 35 << 12 | 7,
    ]
    let queue = GITSCommandBase(base: 39 << 12, pages: 1, attributes: 0)
    let none = Array(repeating: GITSTableBase(rawValue: 0), count: 8)
    let its = ITSState(
      identity: ITSIdentity(
        type: GITSTyper(rawValue: 0), devicePlaces: 4, collectionPlaces: 4,
        arena: [Self.pages(40, 4)], commandBase: queue, tables: none),
      hardware: ITSHardware(isEnabled: false, commandBase: queue, tables: none),
      host: HostRegisters(tables: none), commit: CommitQueue(pages: Self.pages(39, 1)))
    world = World(
      board: Board(interruptIDBits: 16, commandsPerTrap: 64, bytesPerTrap: 4096),
      pages: Pages(
        initial: [
          Self.pages(0, 24): .host, Self.pages(32, 16): .el2, Self.pages(48, 8): .other,
          Self.pages(1 << 20, 4): .host,
        ], fenced: [Self.pages(23, 1)]), itses: [its], redistributors: [])
    world.dma.smmus = [
      SMMU(identity: identity, hardware: hardware), SMMU(identity: identity, hardware: hardware),
    ]
    world.dma.smmus[0].identity.isNested = true
    // A frame of an ITS, one in memory, and one that no SMMU can address.
    world.dma.doorbells = [PageFrameNumber(60), PageFrameNumber(22), PageFrameNumber(1 << 20)]
    world.handover = Handover(isTrusted: true, phases: [0: .forwarded])
  }

  /// One step of somebody.
  mutating func step() {
    let host = world.dma.smmus[0].host
    var step = dice.one(of: Step.allCases)
    if world.dma.change != nil, !dice.once(in: 3) {
      step = dice.one(of: [.proceeding, .confirming, .invalidating])
    }
    if host.unread != nil, dice.once(in: 2) { step = .reading }
    if host.hasCommands, dice.once(in: 3) { step = .taking }
    // A host that has switched its part on, and what ends a walk, are rare else.
    if step == .finalising, !dice.once(in: 40) { step = .enabling }
    if step == .failing, !dice.once(in: world.dma.change == nil ? 60 : 15) { step = .confirming }
    if !host.isEnabled(.translates), dice.once(in: 4) { step = .enabling }
    let outcomes = outcomes(step)
    for outcome in outcomes { for rule in outcome.rules { reached[rule, default: 0] += 1 } }
    guard var outcome = outcomes.randomElement(using: &dice) else {
      if step == .loading || step == .storing || step == .enabling {
        problems.append("nothing is permitted: \(step)")
      }
      return
    }
    taken[step, default: 0] += 1
    if let defect, let bad = broken(defect, step, outcome) { (outcome, put) = (bad, put + 1) }
    for violation in outcome.violations(from: world) + outcome.world.violations() {
      reached[violation.rule, default: 0] += 1
      problems.append("\(violation.rule), \(violation.what), behind \(step)")
    }
    world = outcome.world
  }

  // MARK: Steps

  private mutating func number(_ limit: UInt64) -> UInt64 {
    UInt64.random(in: 0..<limit, using: &dice)
  }

  private mutating func outcomes(_ step: Step) -> [Outcome] {
    let index = dice.roll(2)
    let smmu = world.dma.smmus[index]
    switch step {
    case .preparing: return preparing()
    case .proceeding: return world.proceeding()
    case .invalidating: return world.invalidating(smmu: index, invalidations(smmu))
    case .confirming: return world.confirming(smmu: index, asked: !dice.once(in: 4))
    case .failing:
      let mayLose = world.dma.change == nil && !smmu.batch.isEmpty && dice.once(in: 2)
      guard index == 0 || world.dma.change != nil else { return [] }
      return world.failing(smmu: index, replaced: mayLose ? dice.roll(smmu.batch.count) : nil)
    case .moving:
      guard world.dma.change == nil, let page = world.pages.leaving.min() else { return [] }
      return world.moving(Self.pages(page.rawValue, 1), to: dice.once(in: 2) ? .other : .lent)
    case .loading:
      let offset = dice.once(in: 2) ? number(0x100) : 0x1_00a8
      return world.load(smmu: 0, at: offset, dice.one(of: [.byte, .word, .word, .double]))
    case .storing: return storing()
    case .enabling: return enabling()
    case .taking: return world.taking(smmu: 0, dice.once(in: 30) ? nil : command())
    case .reading: return reading()
    case .ending: return world.endingTrap(smmu: 0, spent: (dice.roll(66), dice.roll(66)))
    case .delivering: return world.delivering(smmu: 0, storeAborts: dice.once(in: 9))
    case .handingOver:
      let succeeds = dice.once(in: 2) && !world.handover.pages[0, default: []].isEmpty
      guard world.dma.change == nil else { return [] }
      return world.handingOver(its: 0, succeeds: succeeds)
    case .finalising: return world.finalising()
    }
  }

  private mutating func preparing() -> [Outcome] {
    let kind = dice.one(of: [.claim, .claim, .leave, .giveBack, .take] as [OwnerChange.Kind])
    var change = OwnerChange(kind: kind, range: Self.pages(number(58), 1 + number(3)))
    if kind == .take, let page = world.pages.leaving.sorted().randomElement(using: &dice) {
      change.range = Self.pages(page.rawValue, 1)
    }
    let claimed = world.handover.pages[0, default: []]
    let mine = world.pages.moved.filter { $0.value == .el2 }.keys.sorted()
    if kind == .giveBack, !mine.isEmpty, dice.once(in: 2) {
      change.range = Self.pages(dice.one(of: mine).rawValue, 1)
    }
    if world.handover.phases[0] == .forwarded, dice.once(in: 3) {
      if kind == .claim { change.handover = 0 }
      if kind == .giveBack, let last = claimed.last { (change.range, change.handover) = (last, 0) }
    }
    // What EL2 has for an ITS, or for itself, it does not give back.
    let isGivable = !claimed.contains { $0.overlaps(change.range) } || change.handover != nil
    if kind == .giveBack, !isGivable || change.range.overlaps(Self.pages(32, 16)) { return [] }
    return world.preparing(change, hasTables: !dice.once(in: 10))
  }

  private mutating func invalidations(_ smmu: SMMU) -> [SMMUCommand] {
    let vmid = smmu.identity.vmid
    if dice.once(in: 12) { return [.invalidateBothStages(vmid)] }
    if dice.once(in: 3) { return [.invalidateStage1(vmid)] }
    guard let first = smmu.residue.keys.min() else { return [.invalidateStage1(vmid)] }
    let address = first.address.rawValue
    if dice.once(in: 3) {
      return [.invalidateStage2(vmid, address: address, count: 2, scale: 0, leaf: true)]
    }
    return smmu.residue.keys.sorted().prefix(2).map {
      .invalidateStage2(vmid, address: $0.address.rawValue, leaf: true)
    }
  }

  private mutating func enabling() -> [Outcome] {
    let host = world.dma.smmus[0].host
    let isIdle = !host.isEnabled(.commandQueue)
    let wanted: (SMMURegister, UInt64) =
      host.errors.contains(.command)
      ? (.globalErrorAcknowledged, world.dma.smmus[0].value(.globalError))
      : isIdle && dice.once(in: 3)
        ? (.streamTableBaseConfiguration, number(6))
        : isIdle && dice.once(in: 2)
          ? (.commandQueueBase, number(23) << 12 | 3)
          : isIdle ? (.control0, 13) : (.commandQueueProduced, number(16))
    let width: AccessWidth = wanted.0.size == 8 ? .double : .word
    return world.store(smmu: 0, at: wanted.0.offset, width, wanted.1, canShare: !dice.once(in: 30))
  }

  private mutating func storing() -> [Outcome] {
    let smmu = world.dma.smmus[0]
    let names: [SMMURegister] = [
      .control0, .control0, .control0Acknowledged, .control1, .control2, .globalBypass,
      .globalBypass,
      .interruptControl, .globalErrorAcknowledged, .streamTableBase, .streamTableBaseConfiguration,
      .commandQueueBase, .commandQueueProduced, .commandQueueConsumed, .eventQueueBase,
      .eventQueueProduced, .eventQueueConsumed, .identification0, .requestQueueBase, .status,
    ]
    let name = dice.one(of: names)
    var value = number(16)
    switch name {
    case .control0: value = dice.once(in: 3) ? value : 13
    case .commandQueueBase, .eventQueueBase: value = number(30) << 12 | 3
    case .globalBypass: value = number(2) << 20 | number(2) << 31
    case .globalErrorAcknowledged: value = smmu.value(.globalError)
    case .commandQueueConsumed: value |= number(3) << 24
    default: break
    }
    let width = dice.one(of: [.half, .word, .word, .word, .double] as [AccessWidth])
    let offset = dice.once(in: 9) ? name.offset + 4 : name.offset
    return world.store(smmu: 0, at: offset, width, value)
  }

  private mutating func command() -> SMMUCommand {
    let numbers: [UInt64] = [
      1, 3, 3, 3, 4, 4, 5, 6, 0x10, 0x11, 0x11, 0x12, 0x13, 0x28, 0x30, 0x40, 0x46, 0x46, 0x99,
    ]
    let range = dice.one(of: [0, 1, 3, 4, 31] as [UInt64])
    return SMMUCommand(
      dice.one(of: numbers) | number(1 << 9) << 12 | number(18) << 32
        | (dice.once(in: 9) ? 1 << 10 : 0),
      number(32) << 12 | range | number(4) << 10 | number(2) << 8)
  }

  private mutating func reading() -> [Outcome] {
    guard let unread = world.dma.smmus[0].host.unread else { return [] }
    let first = unread.lowerBound
    let reads: [EntryRead] = [
      .entry(number(16) | number(64) << 6 | number(4) << 4 | number(8) << 59, number(1 << 30)),
      .entry(1 | 0b101 << 1 | number(1000) << 6 | number(2) << 51, number(256)),
      .entry(1 | 0b101 << 1 | number(1000) << 6, number(256)),
      .entry(1 | 0b101 << 1 | number(4) << 4 | number(8) << 59, number(256)),
      .entry(
        1 | dice.one(of: [0, 4, 5, 6, 7]) << 1, number(1 << 30), hasMemory: !dice.once(in: 3)),
      .noSpan, .badSpan, .unreadable,
    ]
    let read = dice.one(of: reads)
    let isOne = if case .entry = read { true } else { false }
    let last = isOne ? first : min(unread.upperBound, first + UInt32(number(6)))
    return world.reading(smmu: 0, first...last, read)
  }

  // MARK: Defects

  /// What a defect makes of an outcome; nil where it does not apply.
  private func broken(_ defect: Defect, _ step: Step, _ outcome: Outcome) -> Outcome? {
    var result = outcome
    let old = world.dma.smmus[0]
    let new = outcome.world.dma.smmus[0]
    let change = outcome.world.dma.change
    let isStore = step == .storing || step == .enabling
    switch defect {
    case .claimWithoutRevoke:
      guard step == .preparing, outcome.answer == .done, let change, change.kind == .claim else {
        return nil
      }
      result.world.pages = world.pages.moving(change.range, to: .el2)
      result.world.dma.change = nil
    case .changeBeforeConfirmation:
      guard step == .proceeding, let change, change.kind == .claim, change.isHalfway else {
        return nil
      }
      guard !outcome.world.dma.smmus[1].residue.isEmpty else { return nil }
      var forgetful = outcome.world
      for index in 0..<2 { forgetful.dma.smmus[index].residue = [:] }
      guard var changed = forgetful.proceeding().first else { return nil }
      for index in 0..<2 {
        changed.world.dma.smmus[index].residue = outcome.world.dma.smmus[index].residue
      }
      return changed
    case .failureThatRestoresNothing:
      guard step == .failing, world.dma.change?.isLoss == true, !old.residue.isEmpty else {
        return nil
      }
      result.world.dma.smmus[0].residue = old.residue
    case .entryWithoutInvalidation:
      // An entry that stays the same may have other contexts, which are not in the state.
      let isAlone = old.batch.isEmpty && new.batch.count == 1 && new.older != old.older
      guard step == .reading, old.host.rules == nil, isAlone else {
        return nil
      }
      result.world.dma.smmus[0].batch.removeLast()
    case .switchWithoutInvalidation:
      guard isStore || step == .reading, new.batch.last == .invalidateConfiguration else {
        return nil
      }
      result.world.dma.smmus[0].batch.removeAll { $0 == .invalidateConfiguration }
    case .hostsVMID:
      guard step == .taking, let last = new.batch.last, last.opcode == .invalidateStage1ASID else {
        return nil
      }
      result.world.dma.smmus[0].batch[new.batch.count - 1] = .invalidateStage1(VMID(1), last.asid)
    case .acknowledgedBeforeTheSwitch:
      guard isStore, new.host.rules != nil else { return nil }
      result.world.dma.smmus[0].host.isTranslating = true
    case .silentRefusal:
      guard case .refused = outcome.answer else { return nil }
      result.world.counts = world.counts
    case .errorWithoutGERROR:
      guard step == .taking, case .refused = outcome.answer else { return nil }
      result.world.dma.smmus[0].host[.globalError] = old.host[.globalError]
    case .queueThatIsDonated:
      guard isStore, let page = outcome.world.pages.holds[.smmuCommands(0)] else { return nil }
      result.world.pages = result.world.pages.moving(page, to: .other)
    case .queueThatStaysHeld:
      guard isStore, let page = world.pages.holds[.smmuEvents(0)] else { return nil }
      guard outcome.world.pages.holds[.smmuEvents(0)] == nil else { return nil }
      result.world.pages.holds[.smmuEvents(0)] = page
    case .streamTableOfTheHost:
      guard isStore, new.host[.streamTableBase] != 0 || new.host.isEnabled(.translates) else {
        return nil
      }
      result.world.dma.smmus[0].hardware[.streamTableBase] = 3 << 12
    case .messageOfTheHost:
      guard isStore else { return nil }
      result.world.dma.smmus[0].hardware[.eventQueueInterrupt0] = 3 << 12
    case .stoppedSMMU:
      guard isStore, !new.host.isEnabled(.translates) else { return nil }
      result.world.dma.smmus[0].hardware[.control0] = 0
    case .handedPageThatReturns:
      guard step == .preparing, let range = outcome.world.handover.kept.first else { return nil }
      result.world.pages = result.world.pages.moving(range, to: .host)
    case .changeOfTwoOwners:
      guard step == .preparing, let change, change.kind == .claim, change.range.count > 1 else {
        return nil
      }
      let first = Self.pages(change.range.first.rawValue, 1)
      result.world.pages = result.world.pages.moving(first, to: .el2)
    case .unknownStream:
      guard step == .reading else { return nil }
      result.world.dma.smmus[0].streams[StreamID(12)] = .passes
    }
    return result
  }
}
