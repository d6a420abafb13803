// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import GIC
import ITS
@testable import SimulatedHardware

/// A board with mediated ITSes, made for speed: nothing is walked that has not changed.
package final class World {
  /// The state at one time.
  package struct State {
    fileprivate let gic: SimulatedGIC.State
    fileprivate let services: [MediatedService.State]
    fileprivate let pages: HostPages.State
    fileprivate let comparison: BoardComparison?
  }

  /// What it is made of.
  package let setup: WorldSetup
  /// The hardware.
  package let gic: SimulatedGIC
  /// The ITSes.
  package private(set) var services: [MediatedService] = []
  let pages: HostPages
  /// What the commands came to, as far as it is known of each.
  package var tally = CommandTally()
  /// What memory and the tables of translations held before, as long as that is kept.
  var journal: Journal?
  /// What of memory a canonical state tells by its meaning, where states are told apart.
  var form: CanonicalForm?
  /// The words of a state while it is told apart.
  var words: [UInt64] = []
  /// What goes along with it by the specification, if anything does.
  package internal(set) var comparison: BoardComparison?
  /// What was violated first.
  package private(set) var violation: String?

  /// Makes the board and sets the mediation of its ITSes up.
  package init(_ setup: WorldSetup) throws {
    self.setup = setup
    let memory = PhysicalMemory(
      hasCache: setup.hasCache, hasStoreBuffer: setup.hasStoreBuffer, keepsLoads: setup.keepsLoads)
    gic = SimulatedGIC(
      memory: memory, processors: setup.processors,
      hasVirtualLPIs: setup.services.contains { $0.version >= .gicv40 },
      interruptIDBits: WorldSetup.interruptIDBits,
      isCoherent: setup.services.allSatisfy(\.isCoherent))
    pages = try HostPages(memory)
    defer { pages.world = self }
    for (index, configuration) in setup.services.enumerated() {
      gic.addService(at: 0x900_0000 + UInt64(index) << 20, configuration)
    }
    enableLPIs()
    // The host has left something everywhere, in EL2's pages too.
    var choices = RandomChoices(seed: 1)
    for index in setup.services.indices {
      for offset in stride(from: 0, to: setup.arenaPages << 12, by: 64) as StrideTo<UInt64> {
        memory.store(.double, choices.word() | 1 << 63, at: BoardLayout.arena(index) + offset)
      }
    }
    memory.cleanAll()
    for service in gic.services { services.append(try MediatedService(self, service)) }
    gic.onAccess = { [unowned(unsafe) self] in check($0) }
    if setup.isCompared { beginComparison() }
  }

  private func beginComparison() {
    func pages(_ base: UInt64, _ size: UInt64) -> PageRange {
      guard let range = PageRange(first: PageFrameNumber(base >> 12), count: size >> 12) else {
        fatalError("bad range")
      }
      return range
    }
    var board = ComparedBoard(
      interruptIDBits: WorldSetup.interruptIDBits,
      stallsAtRefused: setup.policy.refused == .stalls, listedDevices: setup.listedDevices,
      commandsPerTrap: Int(setup.policy.commandsPerTrap), bytesPerTrap: setup.policy.bytesPerTrap)
    board.checksVirtual = setup.offersVPEs
    var comparison = BoardComparison(
      board,
      memory: [
        pages(BoardLayout.ram, BoardLayout.hypervisor - BoardLayout.ram): true,
        pages(BoardLayout.hypervisor, BoardLayout.hypervisorSize): false,
      ], redistributors: gic.redistributors.map { (PhysicalAddress($0.base), $0.typer) })
    for service in services {
      let tables = (0..<8).map { service.simulated.tableBaseAtReset($0) }
      comparison.add(service.its.pointee, gic.memory, tablesAtReset: tables) {
        service.simulated.read($0, at: $1) ?? 0
      }
    }
    self.comparison = comparison
  }

  /// Pages have changed hands, which the specification must permit.
  func changed(_ change: PageRange, isHosts: Bool) {
    guard comparison != nil else { return }
    if isHosts {
      comparison?.gaveBack(change)
      return
    }
    do throws(Divergence) {
      try comparison?.claimed(change)
    } catch {
      reportDivergence("\(error)")
    }
  }

  /// A claim of pages was refused, which the host may have shared itself.
  func refusedClaim(_ pages: PageRange, isShared: Bool) {
    guard comparison != nil else { return }
    do throws(Divergence) {
      try comparison?.refusedClaim(pages, isShared: isShared)
    } catch {
      reportDivergence("\(error)")
    }
  }

  /// The host gives every Redistributor its LPI tables, with every other LPI enabled.
  private func enableLPIs() {
    let bits = WorldSetup.interruptIDBits
    for offset in stride(from: 0, to: 1 << bits - 8192, by: 8) as StrideTo<UInt64> {
      gic.memory.store(
        .double, 0x0100_0100_0100_0100, at: BoardLayout.configurationTable + offset)
    }
    gic.memory.cleanAll()
    for redistributor in gic.redistributors {
      let frame = redistributor.base
      _ = gic.write(
        .double, BoardLayout.configurationTable | 1 << 10 | 7 << 7 | (bits - 1), at: frame + 0x70)
      _ = gic.write(
        .double, BoardLayout.pendingTable(redistributor.index) | 1 << 10 | 7 << 7,
        at: frame + 0x78)
      _ = gic.write(.word, 1, at: frame)
    }
  }

  @inline(__always)
  private func check(_ access: MemoryAccess) {
    let range = access.range
    if range.isWritten, journal != nil { keep(range.base, range.size) }
    switch range.use {
    case .pendingTable:
      let offset = range.base &- BoardLayout.pendingTable(0)
      let size = 1 << WorldSetup.interruptIDBits / 8 as UInt64
      if offset >> 16 >= UInt64(setup.processors) || offset & 0xffff + range.size > size {
        report("a pending bit at \(hex(range.base))")
      }
    case .configurationTable:
      let offset = range.base &- BoardLayout.configurationTable
      if offset >= 1 << WorldSetup.interruptIDBits - 8192 {
        report("a configuration at \(hex(range.base))")
      }
    default:
      guard let service = access.service, service < services.count else { return }
      services[service].check(range)
    }
  }

  /// Keeps what is there before it changes.
  func keep(_ address: UInt64, _ size: UInt64) {
    for place in stride(from: address & ~7, to: address + size, by: 8) {
      journal?.words.append((place, gic.memory.load(.double, at: place)))
    }
  }

  /// Notes that something is wrong.
  package func report(_ text: @autoclosure () -> String) {
    if setup.hasOwnChecks { reportDivergence(text()) }
  }

  /// Notes that something is not what the specification permits.
  func reportDivergence(_ text: @autoclosure () -> String) {
    if violation == nil { violation = text() }
  }

  /// What is wrong; nil where all is well.
  ///
  /// Every access was checked when it happened; with `walks` everything in reach is, too.
  package func check(walks: Bool) -> String? {
    if walks, setup.hasOwnChecks { for service in services { service.walk() } }
    for service in services { service.checkFailures() }
    if let fault = gic.faults.first { report("software fault: \(fault)") }
    // Nobody looks at what was delivered.
    if gic.delivered.count > 1 << 10 { gic.delivered.removeAll(keepingCapacity: true) }
    return violation
  }

  /// An ITS loses its power, and some of what it has not written back.
  package func losePower(
    _ index: Int, _ firmware: SimulatedITS.Firmware, _ choices: inout some Choices
  ) {
    var bits = choices.word()
    gic.services[index].losePower(firmware) {
      defer { bits = bits >> 1 | bits << 63 }
      return bits & 1 != 0
    }
  }

  /// Firmware writes registers of an ITS again as they were not.
  package func misrestore(_ index: Int, _ what: Misrestored) {
    let hardware = gic.services[index]
    switch what {
    case .enabled: if hardware.isQuiescent { hardware.state.isEnabled = true }
    case .noQueue: hardware.state.commandBase &= ~(1 << 63)
    case .noTable: hardware.state.tableBases[0] &= ~(1 << 63)
    }
  }

  /// What firmware has done wrong: it has enabled an ITS that was disabled, or forgotten its queue, or a table.
  package enum Misrestored: CaseIterable { case enabled, noQueue, noTable }

  /// A store of the host; nothing where stage 2 has not the page.
  @inline(__always)
  package func store(
    _ value: UInt64, at address: UInt64, by observer: PhysicalMemory.Observer = .processor
  ) {
    guard pages.hostReaches(address) else { return }
    if journal != nil { keep(address, 8) }
    gic.memory.store(.double, value, at: address, by: observer)
  }

  /// A load of the host; zero where stage 2 has not the page.
  package func load(_ address: UInt64) -> UInt64 {
    pages.hostReaches(address) ? gic.memory.load(.double, at: address) : 0
  }

  /// A page of the host changes hands.
  package func changeOwner(_ page: Int) { pages.change(page) }
  /// Whether the host reaches a page of its own.
  package func reaches(_ page: Int) -> Bool { pages.hostReaches(hostPage(page)) }
  /// A page of the host is shared with EL2, or no longer.
  package func share(_ page: Int, _ isShared: Bool) { pages.share(page, isShared) }
  /// Whether the host has shared a page of its own with EL2.
  package func hasShared(_ page: Int) -> Bool { pages.isSharedByHost[page] }
  /// Where a page of the host is.
  package func hostPage(_ page: Int) -> UInt64 { BoardLayout.ram + UInt64(page) << 12 }
  /// Where the host has a table of a vPE; the first lies in pages that change hands.
  package func vpeTable(_ number: Int) -> UInt64 { BoardLayout.ram + UInt64(1 + number) << 16 }
  /// How many pages the host has.
  package var hostPageCount: Int { BoardLayout.hostPages }
  /// Where the arena of an ITS is.
  package func arena(_ service: Int) -> UInt64 { BoardLayout.arena(service) }

  /// The state; assigning a kept one goes back to it.
  package var state: State {
    get {
      State(
        gic: gic.state, services: services.map(\.state), pages: pages.state, comparison: comparison)
    }
    set {
      gic.state = newValue.gic
      for (service, state) in zip(services, newValue.services) { service.state = state }
      for service in gic.services {
        service.pace = .manual
        service.lastError = nil
      }
      pages.state = newValue.pages
      comparison = newValue.comparison
      gic.faults = []
      violation = nil
    }
  }
}

extension PhysicalMemory: ComparedMemory {
  package func word(at address: UInt64) -> UInt64 { load(.double, at: address) }
}
