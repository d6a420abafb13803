// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import SimulatedHardware
import Traps
import VirtualSMMU

/// A small board: memory with its owners, an SMMU with devices behind it, EL2's driver, a virtual SMMU, and a
/// host whose every step is a call.
///
///     0x0905_0000  the SMMU
///     0x4000_0000  memory, 64 MiB; of it EL2's from 0x4300_0000:
///     0x4300_0000  tables of translations
///     0x4380_0000  the SMMU's arena
///     0x43c0_0000  what the virtual SMMU keeps
///     0x43ff_0000  the canary: EL2's own, which nothing may touch
///
/// Not mediated, the host programs the hardware itself: what an attack must then succeed at.
package final class NestedWorld {
  package typealias Owners = Ownership<
    ProcessorMemory, Stage2Table<UncachedTranslation>, EL2Stage1Table<UncachedTranslation>,
    DMAMirror<SMMUGroup<SeamedSMMUMachine<ProcessorMemory>>>
  >

  /// All memory.
  package static let ram: Range<UInt64> = 0x4000_0000..<0x4400_0000
  /// What is EL2's from the start.
  package static let hypervisor: Range<UInt64> = 0x4300_0000..<0x4400_0000
  private static let pool: Range<UInt64> = 0x4300_0000..<0x4380_0000
  private static let ledger: UInt64 = 0x43c0_0000
  /// EL2's own memory that no device has a reason to touch.
  package static let canary: Range<UInt64> = 0x43ff_0000..<0x4400_0000
  /// What the canary holds, in each doubleword.
  package static let song: UInt64 = 0xca4a_11e5_ca4a_11e5

  /// The hardware.
  package let smmu: SimulatedSMMU
  /// The arena of the SMMU.
  package let arena: Range<UInt64>
  /// Who owns which page; nil where nothing is mediated.
  package var ownership: Owners
  /// What the host's accesses go to; nil where they go to the hardware.
  package var mediated: MediatedSMMU
  /// Whether EL2 stands between host and hardware.
  package let isMediated: Bool
  /// What was touched that must not be, in words.
  package private(set) var violations: [String] = []
  /// The pages that the host has given up.
  package private(set) var taken: Set<UInt64> = []
  /// Where EL2's accesses to the SMMU may be told to go wrong.
  package let seams = SMMUSeams()
  /// How the host has mapped memory; as a device that looks into no caches, where it is not cacheable.
  package var hostMapping = PhysicalMemory.Observer.processor
  /// How often streams came to go by which rule.
  package internal(set) var rules = StreamRuleCounts()
  /// The streams that have a device.
  package let streams: [ClosedRange<StreamID>]
  /// The host's pages that are held, as often as they are.
  package internal(set) var heldPages: [PageRange] = []
  /// How many there are.
  package var held: Int { heldPages.count }
  /// Called for each holding of a page; true refuses it.
  package var refusesHold: ((PageRange) -> Bool)?
  /// Called behind each load of EL2 in a trap.
  package var onHypervisorLoad: ((UInt64) -> Void)?
  /// Has somebody who looks on carry out the host's stores to registers.
  package var onWrite: ((Access, UInt64) -> WriteEffect)?
  /// The same for loads.
  package var onRead: ((Access) -> ReadEffect)?
  /// Called before each attempt of ``donate(_:)``.
  package var onDonating: ((PageRange) -> Void)?
  /// Called behind each attempt of ``donate(_:)``, with whether it was granted.
  package var onDonation: ((PageRange, Bool) -> Void)?
  /// The same behind each of ``giveBack()``.
  package var onReturn: ((PageRange, Bool) -> Void)?
  private var claims: [HeldClaim] = []

  private static func pages(_ addresses: Range<UInt64>) -> PageRange {
    Simulation.pages(at: addresses.lowerBound, size: addresses.upperBound - addresses.lowerBound)
  }

  /// What the hardware of a world is by default: as QEMU has it, with the features that attacks want.
  package static var configuration: SMMUConfiguration {
    var configuration = SMMUConfiguration()
    configuration.hasATS = true
    configuration.hasPRI = true
    configuration.hasHypervisorContexts = true
    configuration.hardwareUpdates = 2
    configuration.breakBeforeMake = .level2
    configuration.streamIDBits = 10
    configuration.substreamIDBits = 4
    return configuration
  }

  /// Makes a board; mediated, the SMMU is EL2's already and the host sees one out of reset.
  package init(
    _ configuration: SMMUConfiguration = NestedWorld.configuration, isMediated: Bool = true,
    policy: VirtualSMMUPolicy = VirtualSMMUPolicy(), arenaSize: UInt64 = 1 << 18,
    streams: [ClosedRange<StreamID>] = [StreamID(0)...StreamID(.max)], keepsLoads: Bool = false
  ) throws {
    self.isMediated = isMediated
    self.streams = streams
    let memory = PhysicalMemory(keepsLoads: keepsLoads)
    if isMediated { memory.tableLog = TableLog() }
    smmu = SimulatedSMMU(configuration, memory: memory)
    arena = 0x4380_0000..<0x4380_0000 + arenaSize
    for address in stride(
      from: Self.canary.lowerBound, to: Self.canary.upperBound, by: 8)
    { memory.store(.double, Self.song, at: address) }
    memory.cleanAll()

    var permitted = PermittedStreams()
    for range in streams where !permitted.permit(range) { fatalError("too many ranges") }
    let setups = [
      SMMUSetup(
        frame: VirtualAddress(smmu.base), arena: Self.pages(arena), streams: permitted)
    ]
    let bus = ProcessorMemory(memory)
    let group = try SMMUGroup(
      setups.span, bits: 40, policy: .nested, machine: SeamedSMMUMachine(bus, [smmu], seams))
    var owners = try MemoryDivision(
      memory: [Self.pages(Self.ram)], hypervisor: Self.pages(Self.hypervisor),
      pool: Self.pages(Self.pool)
    ).owners(
      in: bus, cache: UncachedTranslation(log: memory.tableLog), observer: DMAMirror(group),
      log: memory.tableLog)
    var identification: SMMUIdentification?
    if isMediated {
      try owners.updateObserver { (mirror, host, map, pool) throws(IOMMUError) in
        try mirror.start(host, map, &pool)
        identification = mirror.driver.identification(of: 0)
      }
    }
    ownership = owners
    let offered = OfferedIdentification(
      identification
        ?? SMMUIdentification(
          idr0: configuration.idr0, idr1: configuration.idr1, idr3: configuration.idr3,
          idr5: configuration.idr5, implementer: SMMUIIDR(rawValue: 0),
          architecture: SMMUAIDR(rawValue: 0), addressBits: 40, streamLog2: 10))
    mediated = MediatedSMMU(offered, policy: policy, ledger: PhysicalAddress(Self.ledger))
    if isMediated { smmu.onAccess = { [unowned self] in check($0) } }
  }

  deinit { smmu.onAccess = nil }

  // MARK: What must hold

  private func check(_ access: SMMUAccess) {
    switch access.use {
    case .commandQueue, .eventQueue, .streamDescriptor, .streamEntry:
      if !arena.contains(access.address) { violations.append("\(access) is not of the arena") }
    case .stage2Table:
      if !Self.pool.contains(access.address) { violations.append("\(access) is not of the pool") }
    case .message: violations.append("\(access) is an MSI of the SMMU itself")
    case .context, .stage1Table, .device:
      if Self.hypervisor.contains(access.address) {
        violations.append("\(access) reaches EL2's memory")
      } else if taken.contains(access.address >> 12) {
        violations.append("\(access) reaches what the host has given up")
      }
    }
  }

  /// The virtual SMMU's own accesses: to what it keeps, and to pages that are held.
  func checkHypervisor(_ address: UInt64, isGuarded: Bool) {
    if !isGuarded, !smmu.memory.answers(address) {
      violations.append("EL2 ends: no answer from \(hex(address))")
    }
    let page = PageFrameNumber(address >> 12)
    if address >> 12 == Self.ledger >> 12 { return }
    if !heldPages.contains(page) {
      violations.append("EL2 accesses \(hex(address)), which it does not hold")
    }
  }

  /// What is wrong; empty for nothing.
  package var complaints: [String] {
    var complaints = violations
    complaints += smmu.faults.map { "the SMMU was misused: \($0)" }
    complaints += (smmu.memory.tableLog?.faults ?? []).map(\.description)
    if isCanaryTouched { complaints.append("the canary is dead") }
    return complaints
  }

  /// Whether something has changed the canary.
  package var isCanaryTouched: Bool {
    stride(from: Self.canary.lowerBound, to: Self.canary.upperBound, by: 8).contains {
      smmu.memory.load(.double, at: $0) != Self.song
    }
  }

  // MARK: The host

  /// A store of the host to a register.
  @discardableResult
  package func write(_ width: AccessWidth, _ offset: UInt64, _ value: UInt64) -> WriteEffect {
    guard isMediated else {
      return smmu.write(width, value & width.mask, at: offset) ? .done : .refused(.externalAbort)
    }
    let access = Access(
      offset: offset, address: VirtualAddress(smmu.base + offset), width: width)
    if let onWrite { return onWrite(access, value & width.mask) }
    return mediated.write(
      access, value & width.mask, machine: NestedWorldMachine(world: self))
  }

  /// A load of the host from a register.
  package func read(_ width: AccessWidth, _ offset: UInt64) -> ReadEffect {
    guard isMediated else {
      return smmu.read(width, at: offset).map(ReadEffect.value) ?? .refused(.externalAbort)
    }
    let access = Access(
      offset: offset, address: VirtualAddress(smmu.base + offset), width: width)
    return onRead?(access) ?? mediated.read(access, machine: NestedWorldMachine(world: self))
  }

  /// The host stores to memory, unless the page is not its own.
  package func store(_ address: UInt64, _ value: UInt64) {
    guard Self.ram.contains(address), !Self.hypervisor.contains(address),
      !taken.contains(address >> 12)
    else { return }
    smmu.memory.store(.double, value, at: address, by: hostMapping)
  }

  /// What memory holds, as the host sees it.
  package func load(_ address: UInt64) -> UInt64 {
    smmu.memory.load(.double, at: address, by: hostMapping)
  }

  /// The host gives a page up, as for a claim; false where that is refused.
  package func donate(_ address: UInt64) -> Bool {
    let page = Simulation.pages(address >> 12)
    onDonating?(page)
    do throws(OwnershipError) {
      claims.append(try ownership.donate([page]))
    } catch {
      onDonation?(page, false)
      return false
    }
    onDonation?(page, true)
    taken.insert(address >> 12)
    if smmu.isKept(address & ~0xfff) {
      violations.append("the SMMU still comes to \(hex(address)), which is given up")
    }
    return true
  }

  /// The host gets the page back that it has given up first; false where there is none, or that is refused.
  package func giveBack() -> Bool {
    guard let held = claims.first, let page = held.ranges.first else { return false }
    do throws(OwnershipError) {
      try ownership.giveBack(&held.claim)
    } catch {
      onReturn?(page, false)
      return false
    }
    claims.removeFirst()
    taken.remove(page.first.rawValue)
    onReturn?(page, true)
    return true
  }

  /// Whether the devices of a stream may reach anything.
  package func mayReach(_ stream: StreamID) -> Bool { streams.contains { $0.contains(stream) } }

  /// What the driver has counted of events.
  package var hypervisorEvents: SMMUEventCounts { ownership.observer.driver.events }

  /// The faults that the driver reads from the SMMU; the host is not asked.
  package func drainFaults() -> [SMMUFault] {
    var faults: [SMMUFault] = []
    ownership.updateObserver { mirror, _, _, _ in
      while mirror.driver.drainEvents(of: 0, atMost: 64) > 0 {}
      while let fault = mirror.driver.takeFault() { faults.append(fault) }
    }
    return faults
  }
}
