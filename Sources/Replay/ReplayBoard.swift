// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import ITS
internal import Ownership
internal import SimulatedHardware
internal import Trace
internal import Traps

/// The simulated board on which a trace is run again, and the mediations that are given it.
final class ReplayBoard {
  typealias HostOwnership = Ownership<
    ProcessorMemory, Stage2Table<NoCache>, EL2Stage1Table<NoCache>, NoObserver
  >

  /// How closely a trace is followed.
  enum Manner {
    /// The hardware answers what it answered.
    case asRecorded
    /// The simulated ITS answers what is true of it, and goes as far as the trace says if it can: what
    /// is recorded may be anything.
    case freely
  }

  /// Where what the hardware answers comes from.
  private enum Source {
    /// Set-up: GITS_TYPER and GITS_BASER<n> as they were recorded, the rest from the simulated ITS.
    case setup
    /// A trap: as it was recorded.
    case trace
    /// The end: the simulated ITS.
    case simulation
  }

  /// The mediation of one ITS.
  final class Mediation {
    var its: MediatedITS
    init(_ its: consuming MediatedITS) { self.its = its }
  }

  /// One trap, for whoever carries it out.
  struct Trap {
    let number: UInt8
    let mediation: Mediation
    let machine: ReplayMachine
    let access: Access
    /// What is stored; nil for a load.
    let value: UInt64?

    /// Carries it out with `machine`.
    func run<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) -> TracedAccess {
      guard let value else {
        return TracedAccess(access, mediation.its.read(access, machine: machine))
      }
      return TracedAccess(access, value, mediation.its.write(access, value, machine: machine))
    }
  }

  let gic: SimulatedGIC
  private let manner: Manner
  let plans: [UInt8: ServicePlan]
  private var hardware: [UInt8: SimulatedITS] = [:]
  private(set) var mediations: [UInt8: Mediation] = [:]
  /// Has somebody who looks on carry out each trap.
  var onTrap: ((Trap) -> TracedAccess)?
  private var tables: [UInt64: UInt64] = [:]
  /// All memory is the host's but what is not: whether it was, the trace tells.
  private var ownership: HostOwnership
  private var source = Source.setup

  /// What was recorded of the trap that is run, in order, and how far it has come.
  private var reads: ArraySlice<TracedRegister> = []
  private var writes: ArraySlice<TracedRegister> = []
  private var pins: ArraySlice<TracedPin> = []
  /// What has happened in it.
  private var happened: [TraceEvent] = []
  /// What is wrong beside that.
  private var remark: String?
  /// GITS_CREADR as the hardware told it next, after the trap that is run; nil where it isn't known.
  var nextPlace: UInt64?
  /// The first thing that an ITS has done with memory that isn't EL2's.
  var violation: String?

  /// Sets up the ITSes of `plans`; the host has memory up to `addressBits`.
  init(
    _ plans: [UInt8: ServicePlan], addressBits: UInt64 = 40, _ manner: Manner = .asRecorded
  ) throws(ReplayError) {
    self.plans = plans
    self.manner = manner
    let ordered = plans.values.sorted { $0.number < $1.number }
    for plan in ordered where !plan.isPossible { throw .unusable(its: plan.number) }
    let first = ordered.first?.targets ?? []
    let byAddress = ordered.first.map { GITSTyper(rawValue: $0.service.typer).targetsAreAddresses }
    gic = SimulatedGIC(
      memory: PhysicalMemory(hasCache: false), processors: max(first.count, 1),
      redistributorBase: byAddress == true ? (first.first ?? 0) << 16 : 1 << 61)
    do throws(OwnershipError) {
      ownership = try Self.makeOwnership(addressBits)
    } catch {
      throw .nothing
    }
    gic.onAccess = { [unowned self] in check($0) }
    for plan in ordered { try add(plan) }
    source = .trace
  }

  private static func makeOwnership(
    _ bits: UInt64
  ) throws(OwnershipError) -> HostOwnership {
    // The translations lie in a memory of their own.
    let tables = ProcessorMemory(PhysicalMemory(hasCache: false))
    guard let geometry = TranslationGeometry(bits: bits),
      let space = EL2AddressSpace(
        linearBase: VirtualAddress(1 << 46), linearPages: 1 << 28,
        window: VirtualAddress(1 << 47), windowPages: 1 << 18),
      let all = PageRange(first: PageFrameNumber(0), count: 1 << (bits - 12)),
      let pages = PageRange(first: PageFrameNumber(1 << 20), count: 1 << 16)
    else { throw .empty }
    var map = MemoryMap()
    try map.add(all)
    var pool = PagePool(pages: pages, memory: tables)
    let excluded: [PageRange] = []
    let host = try Stage2Table(
      geometry, memoryMap: map, excluded: excluded.span, pool: &pool, cache: NoCache())
    let el2 = try EL2Stage1Table(space, pool: &pool, cache: NoCache())
    let ledger = try PageLedger(geometry, hypervisorPages: excluded.span, pool: &pool)
    return Ownership(
      ledger, memoryMap: map,
      pool: pool, host: host,
      hypervisor: el2, observer: NoObserver())
  }

  private func add(_ plan: ServicePlan) throws(ReplayError) {
    let setup = try plan.setup()
    for other in plans.values where other.number < plan.number && other.overlaps(plan) {
      throw .unusable(its: plan.number)
    }
    let service = gic.addService(at: plan.service.frame, try plan.configuration())
    service.pace = .manual
    hardware[plan.number] = service
    let machine = ReplayMachine(board: self, number: plan.number, cpu: 0)
    do throws(ITSSetupError) {
      let its = try MediatedITS.setUp(setup, machine: machine) { targets, _ in
        plan.targets.allSatisfy {
          // By address is by RDbase too, which the trace has.
          targets.add(
            PhysicalAddress($0 << 16), GICRTyper(rawValue: $0 << 8), byAddress: true,
            memory: machine.memory)
        }
      }
      mediations[plan.number] = Mediation(its)
    } catch {
      throw .unusable(its: plan.number)
    }
  }

  /// How many ITSes there are.
  var count: Int { mediations.count }
  /// Whether there is an ITS of this number.
  func has(_ number: UInt8) -> Bool { mediations[number] != nil }

  // MARK: A trap

  /// Runs one trap again; the first difference, or nil.
  func run(
    _ events: [(index: Int, event: TraceEvent)], _ recorded: TracedAccess, its number: UInt8,
    cpu: UInt16, at index: Int
  ) throws(ReplayError) -> Replay.Difference? {
    guard let mediation = mediations[number], let plan = plans[number],
      let width = AccessWidth(rawValue: recorded.width), width.bytes >= 4,
      recorded.offset & (width.bytes - 1) == 0, recorded.offset < ITSRegister.frameSize
    else { throw .impossible(record: index) }
    prepare(events.map(\.event))
    let access = Access(
      offset: recorded.offset,
      address: VirtualAddress(plan.service.frame + recorded.offset), width: width)
    let trap = Trap(
      number: number, mediation: mediation,
      machine: ReplayMachine(board: self, number: number, cpu: UInt64(cpu)), access: access,
      value: recorded.isWrite ? recorded.value : nil)
    let replayed = onTrap?(trap) ?? trap.run(trap.machine)
    _ = mediation.its.takeRefusal()

    for position in 0..<max(events.count, happened.count) {
      let before = position < events.count ? events[position] : nil
      let now = position < happened.count ? happened[position] : nil
      guard before?.event != now else { continue }
      return Replay.Difference(
        record: before?.index ?? index, recorded: before?.event, replayed: now)
    }
    var expected = recorded
    expected.duration = 0
    if replayed != expected {
      return Replay.Difference(
        record: index, recorded: .access(expected), replayed: .access(replayed))
    }
    if remark == nil { remark = wrong() }
    return remark.map { Replay.Difference(record: index, remark: $0) }
  }

  /// Whether commands were published in the last trap.
  var hasPublished: Bool {
    happened.contains {
      if case .hardware(let register) = $0 {
        return register.isWrite && register.offset == ITSRegister.commandWrite.offset
      }
      return false
    }
  }

  private func prepare(_ events: [TraceEvent]) {
    happened = []
    gic.memory.answerAgain()
    var registers: [TracedRegister] = []
    var pins: [TracedPin] = []
    var looked: Set<UInt64> = []
    for event in events {
      switch event {
      case .command(let command):
        // What isn't the host's it could not have written.
        guard !isArena(PageFrameNumber(command.address >> 12)) else { continue }
        for (word, value) in [command.word0, command.word1, command.word2, command.word3]
          .enumerated()
        {
          gic.memory.store(.double, value, at: command.address & ~31 &+ UInt64(word) * 8)
        }
      case .hardware(let register): registers.append(register)
      case .pin(let pin): pins.append(pin)
      case .look(let look):
        // What is looked at twice, EL2 itself has changed in between.
        guard !isArena(PageFrameNumber(look.address >> 12)), looked.insert(look.address).inserted
        else { continue }
        gic.memory.store(.double, look.value, at: look.address & ~7)
      case .unreadable(let address): gic.memory.silence(address & ~31, size: 32)
      default: break
      }
    }
    reads = registers.filter { !$0.isWrite }[...]
    writes = registers.filter(\.isWrite)[...]
    self.pins = pins[...]
  }

  /// What the mediation has recorded.
  func record(_ event: TraceEvent) {
    if source == .trace { happened.append(event) }
  }

  // MARK: The hardware

  func read(_ width: AccessWidth, at address: UInt64, its number: UInt8) -> UInt64? {
    guard let plan = plans[number], let service = hardware[number] else { return nil }
    let offset = address &- plan.service.frame
    switch source {
    case .simulation: break
    case .setup:
      if offset == ITSRegister.type.offset { return plan.service.typer }
      if offset &- ITSRegister.tableBases.offset < 64 {
        return tables[address]
          ?? plan.rules[Int((offset - ITSRegister.tableBases.offset) / 8)].initial
      }
    case .trace:
      guard let next = reads.first, next.offset == offset, next.width == width.rawValue else {
        break
      }
      reads.removeFirst()
      guard !next.isAborted else { return nil }
      if offset == ITSRegister.commandRead.offset { advance(service, to: next.value) }
      if manner == .freely { break }
      return next.value
    }
    return gic.read(width, at: address)
  }

  func write(_ width: AccessWidth, _ value: UInt64, at address: UInt64, its number: UInt8) -> Bool {
    guard let plan = plans[number], let service = hardware[number] else { return false }
    let offset = address &- plan.service.frame
    var value = value
    if source == .setup, offset &- ITSRegister.tableBases.offset < 64 {
      value = readBack(value, offset, plan)
      tables[address] = value
    }
    if source == .trace, offset == ITSRegister.control.offset, value & 1 == 0, let place = nextPlace
    {
      // What the hardware had read before it was disabled, it tells later.
      let wanted = GITSQueuePointer(rawValue: place).offset
      while service.readPointer.offset != wanted, service.step() {}
    }
    if source == .trace, let next = writes.first, next.offset == offset,
      next.width == width.rawValue
    {
      writes.removeFirst()
      if next.isAborted { return false }
    }
    return gic.write(width, value, at: address)
  }

  private func readBack(_ value: UInt64, _ offset: UInt64, _ plan: ServicePlan) -> UInt64 {
    plan.rules[Int((offset - ITSRegister.tableBases.offset) / 8)].readBack(value).rawValue
  }

  /// Has the simulated ITS go on until it is where the hardware was.
  private func advance(_ service: SimulatedITS, to value: UInt64) {
    let wanted = GITSQueuePointer(rawValue: value).offset
    while service.readPointer.offset != wanted, service.step() {}
    guard service.readPointer.offset != wanted, remark == nil, manner == .asRecorded else { return }
    remark =
      "the simulated ITS can't come to offset \(wanted) of its queue: it is at"
      + " \(service.readPointer.offset)"
  }

  // MARK: The host's memory

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    if source == .trace {
      let next = pins.popFirst()
      if let next, !next.isGranted { throw .refusedByObserver(pages.first) }
      if (pages.first.rawValue...pages.last.rawValue).contains(where: {
        isArena(PageFrameNumber($0))
      }) {
        throw .refusedByObserver(pages.first)
      }
    }
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    return try ownership.shareAndPin(list)
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) { ownership.unpinAndUnshare(pin) }

  /// Has every mediation give its host's queue up: a pin must not be dropped.
  func finish() {
    source = .simulation
    gic.memory.onStore = nil
    for (number, mediation) in mediations {
      guard let plan = plans[number], let service = hardware[number] else { continue }
      let machine = ReplayMachine(board: self, number: number, cpu: 0)
      func store(_ offset: UInt64, _ width: AccessWidth) {
        let access = Access(
          offset: offset, address: VirtualAddress(plan.service.frame + offset), width: width)
        _ = mediation.its.write(access, 0, machine: machine)
      }
      store(ITSRegister.control.offset, .word)
      while !service.isQuiescent, service.step() {}
      store(ITSRegister.commandBase.offset, .double)
    }
  }
}

/// Translation caches of a board that has none.
struct NoCache: TranslationCache {
  func invalidateStage2(_ pages: PageRange) {}
  func invalidateStage2All() {}
  func invalidateEL2(_ address: VirtualAddress, count: UInt64) {}
}
