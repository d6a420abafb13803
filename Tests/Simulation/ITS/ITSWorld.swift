// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITS
import Ownership
import SimulatedHardware
import Traps

/// A whole small board: memory with its owners, Redistributors, ITSes, the mediation of each, and a
/// host whose every step is a call.
///
///     0x0808_0000  ITS 0, and ITS n at 0x2000_0000 + n << 20
///     0x0810_0000  Redistributors
///     0x4000_0000  memory, 512 MiB; of it EL2's from 0x5e00_0000:
///     0x5e00_0000  tables of translations
///     0x5f00_0000  arenas
///     0x5fff_0000  the canary: EL2's own, which nothing may touch
///
/// Steps: what the host does (`store`, `write`, `read`, `donate`, `giveBack`), and what hardware does
/// (`service(_:).step()` and the like). `checkInvariant()` after each says what is wrong.
package final class ITSWorld {
  package typealias HostOwnership = Ownership<
    ProcessorMemory, Stage2Table<UncachedTranslation>, EL2Stage1Table<UncachedTranslation>,
    NoObserver
  >

  /// The mediation of one ITS.
  package final class Mediation {
    /// What the host's accesses go to.
    package var its: MediatedITS
    /// The memory of EL2 that it has.
    package let arena: PageRange

    init(_ its: consuming MediatedITS, arena: PageRange) {
      self.its = its
      self.arena = arena
    }
  }

  /// All memory.
  package static let ram = pages(at: 0x4000_0000, size: 0x2000_0000)
  /// What is EL2's from the start.
  package static let hypervisor = pages(at: 0x5e00_0000, size: 0x200_0000)
  private static let pool = pages(at: 0x5e00_0000, size: 0x100_0000)
  /// EL2's own memory that no ITS has a reason to touch; a multiple of 64 KiB.
  package static let canary = pages(at: 0x5fff_0000, size: 0x1_0000)

  /// What the board is made of.
  package let options: ITSWorldOptions
  /// The hardware.
  package let gic: SimulatedGIC
  /// Who owns which page.
  package var ownership: HostOwnership
  /// The mediation of each ITS; empty where the host programs the hardware itself.
  package internal(set) var mediations: [Mediation] = []
  /// The host's pages that the hardware of each ITS may write to, held by the mediation.
  package internal(set) var held: [Int: [PageRange]] = [:]
  private var claims: [HeldClaim] = []
  /// The host's pages that EL2 has pinned, for each ITS.
  package internal(set) var pinned: [Int: [PageRange]] = [:]
  /// What the host has handed over, for each ITS.
  package internal(set) var handedOver: [Int: [PageRange]] = [:]

  /// Called for each access of EL2 to a register, with the ITS, the offset, and whether it writes;
  /// true answers with an abort.
  package var aborts: ((Int, UInt64, Bool) -> Bool)?
  /// Called for each read of EL2 from a register, with the ITS, the offset and the value; what it
  /// returns is read.
  package var registerReads: ((Int, UInt64, UInt64) -> UInt64)?
  /// Called for each write of EL2 to a register, with the ITS, the offset, the width and the value.
  package var onRegisterWrite: ((Int, UInt64, AccessWidth, UInt64) -> Void)?
  /// Called for each sharing and pinning; true refuses it.
  package var refusesShare: (() -> Bool)?
  /// Called for each claim of a handover; true refuses it.
  package var refusesClaim: (() -> Bool)?
  /// Called for each load of EL2 from memory.
  package var onHypervisorLoad: ((UInt64) -> Void)?
  /// Called for each store of EL2 to memory.
  package var onHypervisorStore: ((UInt64) -> Void)?

  /// What EL2 or hardware has touched that it must not, in words.
  package internal(set) var violations: [String] = []
  private var watches = false

  /// Makes a board and sets the mediation of its ITSes up.
  ///
  /// `prepare` runs before that, and may fill arenas or have registers abort.
  package init(
    _ options: ITSWorldOptions = ITSWorldOptions(), prepare: (ITSWorld) -> Void = { _ in }
  ) throws {
    self.options = options
    let hasVirtualLPIs = options.services.contains { $0.version >= .gicv40 }
    gic = SimulatedGIC(
      memory: PhysicalMemory(
        hasCache: options.hasCache, hasStoreBuffer: options.hasStoreBuffer,
        keepsLoads: options.keepsLoads),
      processors: options.processors, redistributorBase: 0x810_0000,
      hasVirtualLPIs: hasVirtualLPIs,
      interruptIDBits: options.services.map(\.interruptIDBits).max() ?? 16,
      isCoherent: options.services.allSatisfy(\.isCoherent))
    let log = TableLog()
    gic.memory.tableLog = log
    if options.isNonCoherent || !options.services.allSatisfy(\.isCoherent) {
      log.append(.uncached)
    }
    for (index, configuration) in options.services.enumerated() {
      gic.addService(
        at: index == 0 ? 0x808_0000 : 0x2000_0000 + UInt64(index) << 20, configuration)
    }
    ownership = try Self.makeOwnership(gic.memory, beside: options.furtherMemory)
    prepare(self)
    gic.onAccess = { [unowned self] access in check(access) }
    if options.isMediated, !options.isHandover { try mediate() }
    watches = true
  }

  /// Who owns which page of the board: EL2 its own, the host all other memory, `further` among it.
  package static func makeOwnership(
    _ memory: PhysicalMemory, beside further: PageRange? = nil
  ) throws -> HostOwnership {
    try MemoryDivision(
      memory: [ram] + [further].compactMap(\.self), hypervisor: hypervisor, pool: pool,
      addressBits: 42
    ).owners(
      in: ProcessorMemory(memory), cache: UncachedTranslation(log: memory.tableLog),
      observer: NoObserver(), log: memory.tableLog)
  }

  /// The pages set aside for an ITS.
  package func arena(_ service: Int) -> PageRange {
    pages(
      at: 0x5f00_0000 + UInt64(service) * options.arenaPages << 12, size: options.arenaPages << 12)
  }

  /// Whether EL2 stands between the host and an ITS by now.
  package func isMediated(_ service: Int) -> Bool { service < mediations.count }

  /// What the mediation of an ITS starts from.
  package func setup(_ service: Int) -> ITSSetup {
    var policy = ITSPolicy(interruptLimit: options.policy.interruptLimit)
    policy.devices = options.policy.devices
    policy.addressLimit = options.policy.addressLimit
    if options.policy.stalls { policy.refused = .stalls }
    if options.policy.checksVirtualInterrupts { policy.virtualInterrupts = .checked }
    if let count = options.policy.commandsPerTrap { policy.commandsPerTrap = count }
    if let count = options.policy.bytesPerTrap { policy.bytesPerTrap = count }
    return ITSSetup(
      frame: VirtualAddress(gic.services[service].base), arena: arena(service),
      addressLimit: options.addressLimit, isNonCoherent: options.isNonCoherent, policy: policy,
      cpus: UInt64(options.processors))
  }

  private func mediate() throws {
    for service in gic.services {
      let setup = setup(service.index)
      let machine = ITSWorldMachine(self, service.index)
      let its = try MediatedITS.setUp(setup, machine: machine) { targets, typer in
        gic.redistributors.allSatisfy {
          targets.add(
            PhysicalAddress($0.base), $0.typer, byAddress: typer.targetsAreAddresses,
            memory: machine.memory)
        }
      }
      mediations.append(Mediation(its, arena: setup.arena))
    }
  }

  deinit {
    // A pin must not be dropped: hardware becomes well, so that the host can give its queue up.
    watches = false
    aborts = nil
    onRegisterWrite = nil
    registerReads = nil
    refusesShare = nil
    onHypervisorLoad = nil
    onHypervisorStore = nil
    gic.onAccess = nil
    gic.memory.onStore = nil
    for index in mediations.indices where pinned[index]?.isEmpty == false {
      let service = gic.services[index]
      service.hang(after: nil)
      _ = write(index, 0, .word, 0)
      while !service.isQuiescent, service.step() {}
      _ = write(index, 0x80, .double, 0)
    }
  }

  /// An ITS of the hardware.
  package func service(_ index: Int = 0) -> SimulatedITS { gic.services[index] }

  // MARK: The host's registers

  /// A store of the host to the control frame of an ITS, once: `again` asks for the same once more.
  package func write(
    _ service: Int, _ offset: UInt64, _ width: AccessWidth, _ value: UInt64, cpu: UInt64 = 0
  ) -> WriteEffect {
    guard width.bytes >= 4 else { return .refused(.width) }
    guard offset & (width.bytes - 1) == 0 else { return .refused(.misaligned) }
    let base = gic.services[service].base
    guard isMediated(service) else {
      return gic.write(width, value & width.mask, at: base + offset)
        ? .done : .refused(.externalAbort)
    }
    return mediations[service].its.write(
      Access(offset: offset, address: VirtualAddress(base + offset), width: width),
      value & width.mask, machine: ITSWorldMachine(self, service, cpu: cpu))
  }

  /// A load of the host from the control frame of an ITS.
  package func read(
    _ service: Int, _ offset: UInt64, _ width: AccessWidth, cpu: UInt64 = 0
  ) -> ReadEffect {
    guard width.bytes >= 4 else { return .refused(.width) }
    guard offset & (width.bytes - 1) == 0 else { return .refused(.misaligned) }
    let base = gic.services[service].base
    guard isMediated(service) else {
      return gic.read(width, at: base + offset).map(ReadEffect.value) ?? .refused(.externalAbort)
    }
    return mediations[service].its.read(
      Access(offset: offset, address: VirtualAddress(base + offset), width: width),
      machine: ITSWorldMachine(self, service, cpu: cpu))
  }

  /// A store of the host that runs until it retires; between two runs every ITS makes `steps` steps.
  ///
  /// Returns how often it ran, or nil where it was refused or did not retire within `limit` runs.
  @discardableResult
  package func finish(
    _ service: Int, _ offset: UInt64, _ width: AccessWidth, _ value: UInt64, cpu: UInt64 = 0,
    steps: Int = 64, limit: Int = 100_000
  ) -> Int? {
    for run in 1...limit {
      switch write(service, offset, width, value, cpu: cpu) {
      case .done: return run
      case .refused: return nil
      case .again: for service in gic.services { service.run(limit: steps) }
      }
    }
    return nil
  }

  // MARK: The host's memory

  /// Whether the host may access the page of an address.
  package func hostReaches(_ address: UInt64) -> Bool {
    let found = ownership.host.walk.lookup(
      IntermediatePhysicalAddress(address), in: ProcessorMemory(gic.memory))
    if case .mapped(_, .memory, _) = found { return true }
    return false
  }

  /// A store of the host; false for an abort of stage 2.
  @discardableResult
  package func store(
    _ width: AccessWidth, _ value: UInt64, at address: UInt64,
    by observer: PhysicalMemory.Observer = .processor
  ) -> Bool {
    guard hostReaches(address) else { return false }
    gic.memory.store(width, value, at: address, by: observer)
    return true
  }

  /// A load of the host; nil for an abort of stage 2.
  package func load(_ width: AccessWidth = .double, at address: UInt64) -> UInt64? {
    hostReaches(address) ? gic.memory.load(width, at: address) : nil
  }

  /// EL2 takes pages of memory from the host, for a guest as it were; the claim, or nil where that is
  /// refused.
  @discardableResult
  package func donate(_ base: UInt64, pages: UInt64 = 1) -> Int? {
    do throws(OwnershipError) {
      claims.append(try ownership.donate([Simulation.pages(base >> 12, pages)]))
      return claims.count - 1
    } catch {
      return nil
    }
  }

  /// EL2 gives pages back to the host; false where it can't or has.
  @discardableResult
  package func giveBack(_ claim: Int) -> Bool {
    guard claims.indices.contains(claim) else { return false }
    do throws(OwnershipError) {
      try ownership.giveBack(&claims[claim].claim)
      return true
    } catch {
      return false
    }
  }

  // MARK: The invariant

  private func report(_ text: @autoclosure () -> String) {
    if watches, violations.count < 16 { violations.append(text()) }
  }

  /// Whether a page of the arena is in use: the arena's bitmap is in its first pages.
  private func isTaken(_ page: UInt64, _ arena: PageRange) -> Bool {
    let index = page - arena.first.rawValue
    let word = gic.memory.load(.double, at: arena.first.address.rawValue + index / 64 * 8)
    return word >> (index % 64) & 1 != 0
  }

  /// Whether a range is memory that the host owns: what an ITS that it programs itself may touch.
  private func isHosts(_ base: UInt64, _ size: UInt64) -> Bool {
    let (end, overflow) = base.addingReportingOverflow(size)
    guard !overflow, size > 0 else { return false }
    func overlaps(_ pages: PageRange) -> Bool {
      let first = pages.first.address.rawValue
      return base < first + pages.count << 12 && first < end
    }
    return base >= ITSWorld.ram.first.address.rawValue
      && end <= ITSWorld.ram.first.address.rawValue + ITSWorld.ram.count << 12
      && !overlaps(ITSWorld.hypervisor)
      && !claims.contains { $0.claim != nil && $0.ranges.contains(where: overlaps) }
      && !handedOver.values.contains { $0.contains(where: overlaps) }
  }

  /// Whether an ITS may touch a range.
  private func permits(_ service: Int, _ range: MemoryReach) -> Bool {
    if range.use == .strayTarget { return false }
    guard isMediated(service) else { return isHosts(range.base, range.size) }
    guard range.size > 0 else { return false }
    if range.use == .virtualPendingTable {
      return (range.base >> 12...(range.base + (range.size - 1)) >> 12).allSatisfy { page in
        held[service, default: []].contains(PageFrameNumber(page))
      }
    }
    let arena = mediations[service].arena
    let first = range.base >> 12
    let (end, overflow) = range.base.addingReportingOverflow(range.size)
    guard !overflow else { return false }
    if first < arena.first.rawValue || (end - 1) >> 12 > arena.last.rawValue {
      return (first...(end - 1) >> 12).allSatisfy { isHandedOver(PageFrameNumber($0), service) }
    }
    for page in first...(end - 1) >> 12 where !isTaken(page, arena) { return false }
    return true
  }

  private func check(_ access: MemoryAccess) {
    guard watches, let service = access.service else { return }
    switch access.range.use {
    case .configurationTable, .pendingTable:
      // The Redistributors' own, where their registers say they are.
      let isKnown = gic.redistributors.contains { redistributor in
        redistributor.reachable.contains {
          $0.use == access.range.use && access.range.base >= $0.base
            && access.range.base + access.range.size <= $0.base + $0.size
        }
      }
      if !isKnown { report("ITS \(service) goes past the end: \(access.range.text)") }
    default:
      if !permits(service, access.range) { report("ITS \(service) touches \(access.range.text)") }
    }
  }

  func checkHypervisor(load address: UInt64, _ service: Int, isGuarded: Bool) {
    onHypervisorLoad?(address)
    guard watches else { return }
    if !isGuarded { checkAnswer(address) }
    let page = PageFrameNumber(address >> 12)
    if address & 7 != 0 { report("EL2 loads misaligned at \(hex(address))") }
    guard !arena(service).contains(page), !isHandedOver(page, service),
      pinned[service]?.contains(page) != true
    else { return }
    report("EL2 loads from \(hex(address)), which is not pinned")
  }

  /// An abort of an access that nothing guards is the end of EL2.
  private func checkAnswer(_ address: UInt64) {
    if !gic.memory.answers(address) { report("EL2 ends: no answer from \(hex(address))") }
  }

  func checkHypervisor(store address: UInt64, _ service: Int, isGuarded: Bool) {
    onHypervisorStore?(address)
    guard watches else { return }
    if !isGuarded { checkAnswer(address) }
    if address & 7 != 0 { report("EL2 stores misaligned at \(hex(address))") }
    let page = PageFrameNumber(address >> 12)
    // A mark in an empty table of the host's, while that is pinned.
    if pinned[service]?.last?.first.address.rawValue == address,
      gic.memory.load(.double, at: address) == 0
    {
      return
    }
    // While a handover may still fail, EL2 writes nothing but its own.
    if !arena(service).contains(page), !isMediated(service) || !isHandedOver(page, service) {
      report("EL2 stores to \(hex(address)), outside the arena")
    }
  }

  func mayAccess(_ address: UInt64, _ service: Int, isWrite: Bool) -> Bool {
    let offset = address &- gic.services[service].base
    return !(aborts?(service, offset, isWrite) ?? false)
  }

  /// What is violated, in words; nil where all is well.
  ///
  /// Everything that each ITS can reach from here lies in pages of its arena that are in use, and no
  /// two tables overlap; nothing else was touched since the last look; software has done nothing that
  /// the architecture tells it never to do.
  package func checkInvariant() -> String? {
    if let first = violations.first { return first }
    for service in gic.services {
      // The same table may be reached in memory and in what the hardware keeps.
      var found = Set<MemoryReach>()
      for range in service.reachable {
        guard permits(service.index, range) else {
          return "ITS \(service.index) can reach \(range.text)"
        }
        if !mediations.isEmpty, range.isWritten || range.use != .queue { found.insert(range) }
      }
      let ordered = found.sorted { $0.base < $1.base }
      for (first, second) in zip(ordered, ordered.dropFirst())
      where first.base + first.size > second.base {
        return "ITS \(service.index): \(first.text) overlaps \(second.text)"
      }
    }
    // Where the host programs the hardware, the rules for software are its own affair.
    if !mediations.isEmpty, let fault = gic.faults.first(where: isEL2s) {
      return "software fault: \(fault)"
    }
    if !mediations.isEmpty, let fault = gic.memory.tableLog?.faults.first {
      return fault.description
    }
    return nil
  }

  /// Whether it is EL2 that must not have done this: a host that programs an ITS leaves bits set that are RES0.
  private func isEL2s(_ fault: SoftwareFault) -> Bool {
    if case .reservedBits = fault { return !options.isHandover }
    return true
  }
}
