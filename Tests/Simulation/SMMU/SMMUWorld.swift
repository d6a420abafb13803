// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import SimulatedHardware

/// A whole small board: memory with its owners, SMMUs, the driver and the mirror in front of them, and
/// devices whose every access is a call.
///
/// The registers of the SMMUs are claimed from the start. The mirror is off until ``start()``: until then
/// devices reach what the SMMUs' reset lets them.
package final class SMMUWorld {
  package typealias Machine = SeamedSMMUMachine<SMMUWorldMemory>
  package typealias HostOwnership = Ownership<
    SMMUWorldMemory, Stage2Table<UncachedTranslation>, EL2Stage1Table<UncachedTranslation>,
    SMMUWorldMirror
  >

  /// What the board is made of.
  package let options: SMMUWorldOptions
  /// The memory.
  package let memory: PhysicalMemory
  /// The SMMUs.
  package let units: [SimulatedSMMU]
  /// Where EL2's accesses may be told to go wrong.
  package let seams = SMMUSeams()
  /// Who owns which page.
  package var ownership: HostOwnership
  /// What EL2 holds of the host's pages.
  package var claims: [HeldClaim] = []
  /// What EL2 uses of the host's memory, which stays the host's: by slot.
  package private(set) var holds: [UInt64: PageRange] = [:]
  private var pins = PinTable(list: SMMULayout.pins.first.address, capacity: 64)

  /// Makes a board of which the mirror is off.
  ///
  /// `prepare` runs before the driver looks at the SMMUs, and may have them be as firmware left them.
  package init(
    _ options: SMMUWorldOptions = SMMUWorldOptions(), prepare: ([SimulatedSMMU]) -> Void = { _ in }
  ) throws {
    self.options = options
    let memory = PhysicalMemory(
      hasCache: options.hasCache, hasStoreBuffer: options.hasStoreBuffer)
    self.memory = memory
    if options.hasTableLog { memory.tableLog = TableLog() }
    units = options.units.indices.map {
      SimulatedSMMU(options.units[$0], base: SMMULayout.frame($0), memory: memory)
    }
    prepare(units)
    seams.patience = options.patience
    ownership = try Self.own(
      options, Machine(SMMUWorldMemory(memory: memory, seams: seams), units, seams))
    seams.losesInvalidations = options.losesInvalidations
    for unit in units.indices {
      try donate([pages(SMMULayout.frame(unit) >> 12, 0x20)], .mmio).isForEver = true
    }
  }

  private static func own(
    _ options: SMMUWorldOptions, _ machine: Machine
  ) throws -> HostOwnership {
    let setups = options.units.indices.map {
      SMMUSetup(
        frame: VirtualAddress(SMMULayout.frame($0)),
        arena: pages(
          SMMULayout.arenas.first.rawValue + UInt64($0) * options.arenaPages, options.arenaPages),
        streams: options.streams)
    }
    let group = try SMMUGroup(
      setups.span, bits: options.bits, vmid: VMID(options.vmid), machine: machine)
    var doorbells = Doorbells()
    if options.hasDoorbell, !doorbells.add(SMMULayout.doorbell) { fatalError("no room") }
    return try MemoryDivision(
      memory: [SMMULayout.ram], hypervisor: SMMULayout.hypervisor, pool: SMMULayout.pool,
      windowPages: 1 << 24
    ).owners(
      in: machine.memory, cache: UncachedTranslation(log: machine.memory.memory.tableLog),
      observer: SMMUWorldMirror(
        mirror: DMAMirror(group, doorbells: doorbells), forgotten: options.forgotten),
      log: machine.memory.memory.tableLog)
  }

  /// Takes the SMMUs over, and follows the host from here on.
  package func start() throws(IOMMUError) {
    try ownership.updateObserver { (observer, host, map, pool) throws(IOMMUError) in
      try observer.mirror.start(host, map, &pool)
    }
  }

  /// What was asked of the SMMUs.
  package var usage: SMMUUsage { ownership.observer.mirror.driver.usage }
  /// How far the mirror has come.
  package var phase: DMAMirror<SMMUGroup<Machine>>.Phase {
    ownership.observer.mirror.phase
  }
  /// What devices go by.
  package var driverPhase: SMMUGroup<Machine>.Phase {
    ownership.observer.mirror.driver.phase
  }

  /// The faults that the driver reads from the SMMUs.
  package func drainFaults() -> [SMMUFault] {
    var faults: [SMMUFault] = []
    ownership.updateObserver { (observer, _, _, _) in
      while observer.mirror.driver.drainEvents(atMost: 64) > 0 {}
      while let fault = observer.mirror.driver.takeFault() { faults.append(fault) }
    }
    return faults
  }

  // MARK: What EL2 does

  /// Takes pages from the host.
  @discardableResult
  package func donate(
    _ ranges: [PageRange], _ kind: PageKind = .memory
  ) throws(OwnershipError) -> HeldClaim {
    let claim = try ownership.donate(ranges, kind)
    claims.append(claim)
    return claim
  }

  /// Gives pages back.
  package func giveBack(_ held: HeldClaim) throws(OwnershipError) {
    try ownership.giveBack(&held.claim)
    claims.removeAll { $0 === held }
  }

  /// Lets the host have claimed pages as well, or ends that.
  package func setLent(_ held: HeldClaim, _ isLent: Bool) throws(OwnershipError) {
    guard let claim = held.claim.take() else { throw .nothingHeld }
    var failure: OwnershipError?
    do throws(OwnershipError) {
      if isLent { try ownership.lend(claim) } else { try ownership.recall(claim) }
      held.isLent = isLent
    } catch {
      failure = error
    }
    held.claim = consume claim
    if let failure { throw failure }
  }

  /// Shares pages and pins them.
  package func hold(_ pages: PageRange) throws(OwnershipError) {
    holds[try ownership.hold(pages, in: &pins)] = pages
  }

  /// Ends that.
  package func release(_ slot: UInt64) {
    ownership.release(slot, of: &pins)
    holds[slot] = nil
  }

  /// Whether the host may access a page.
  package func hostReaches(_ page: UInt64) -> Bool {
    ownership.pageRecord(of: PageFrameNumber(page)).state.isHostAccessible
  }

  // MARK: What devices do

  /// A device behind an SMMU reads the first word of a page; nil for an abort.
  package func read(_ page: UInt64, stream: UInt32 = 8, unit: Int = 0) -> UInt64? {
    if case .completed(let value) = units[unit].read(stream, page << 12) { return value }
    return nil
  }

  /// A device behind an SMMU writes the first word of a page; false for an abort.
  package func write(
    _ page: UInt64, _ value: UInt64, stream: UInt32 = 8, unit: Int = 0
  ) -> Bool {
    units[unit].write(stream, page << 12, value) == .completed(0)
  }

  /// The first word of a page.
  package func word(_ page: UInt64) -> UInt64 { memory.load(.double, at: page << 12) }
  /// Has a page begin with a word, as a CPU stores it.
  package func setWord(_ page: UInt64, _ value: UInt64) {
    memory.store(.double, value, at: page << 12)
    memory.clean(page << 12, size: 8)
  }
}
