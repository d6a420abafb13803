// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Traps

typealias Regions = RegionRequests<Device>

/// What lies behind `struct portcullis`.
///
/// Until the claim one CPU changes it; from then on it is only read, and the ITSes have locks of their
/// own.
struct EmbedderState: ~Copyable {
  /// How far the calls have come.
  enum Phase {
    /// Regions are registered.
    case registering
    /// The registry is frozen: traps are answered.
    case claimed
    /// A claim could not be undone: nothing works any more.
    case stuck
  }

  private(set) var phase = Phase.registering
  let platform: EmbedderPlatform
  let features: HostFeatures
  let granule: Granule
  /// Read at the claim alone: it is large.
  let mediation: EmbedderMediation
  /// What a trap needs of it.
  let monitor: EmbedderMonitor
  /// How many ITSes there are.
  let itsCount: Int
  private let uncoveredAtStart: Uncovered
  private(set) var regions: Regions
  private(set) var registry = RegionRegistry<Device>()
  private var pages: EmbedderPages { monitor.platform.pages }

  private init(
    granule: Granule, features: HostFeatures, platform: EmbedderPlatform,
    mediation: EmbedderMediation, regions: consuming Regions, uncovered: Uncovered
  ) {
    self.granule = granule
    self.mediation = mediation
    monitor = mediation.monitor
    itsCount = mediation.count
    self.features = features
    self.platform = platform
    self.regions = regions
    uncoveredAtStart = uncovered
  }

  /// What is not covered now.
  var uncovered: Uncovered {
    var uncovered = uncoveredAtStart
    let machine = monitor.platform
    if machine.ownsSMMUs, unsafe machine.board.pointee.smmus?.coversAll ?? false {
      uncovered.remove(.iommu)
    }
    for index in regions.indices {
      if case .forwarded = regions[index].device { uncovered.insert(.forwarded) }
    }
    for number in 0..<UInt8(truncatingIfNeeded: itsCount) {
      let isMediated =
        phase == .claimed && monitor.platform.withITS(number) { $0.isMediated }
      if !isMediated { uncovered.insert(.live) }
    }
    return uncovered
  }

  /// Makes the state, with the control frames of a board's ITSes registered.
  @inline(never)
  static func make(
    at place: UnsafeMutablePointer<EmbedderState>, _ board: borrowing Board,
    _ masters: WithheldMasters, features: HostFeatures, machine: EmbedderMachine,
    choice: EmbedderMediation.Choice, pool: consuming PagePool<EmbedderTables>
  ) throws(EmbedderError) {
    let mediation = try EmbedderMediation(board, choice, machine)
    let regions = try regions(of: board, masters, mediation, choice, machine)
    // Every ITS is a region, used or not, but those that are left out.
    var itses = board.itses.count
    for index in board.unused.indices
    where board.unused[index].kind == .its { itses += 1 }
    let uncovered = Uncovered(
      confinesMasters: masters.othersAreConfined,
      leavesOut: regions.count < itses + masters.pages.count,
      guardsRedistributors: mediation.guardsRedistributors)
    do throws(OwnershipError) {
      try begin(machine.pages, of: board, machine, pool)
    } catch {
      if case .poolExhausted = error { throw EmbedderError(PORTCULLIS_ERROR_POOL) }
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
    unsafe place.initialize(
      to: EmbedderState(
        granule: board.granule, features: features, platform: machine.registers,
        mediation: mediation, regions: regions, uncovered: uncovered))
  }

  private static func regions(
    of board: borrowing Board, _ masters: WithheldMasters,
    _ mediation: borrowing EmbedderMediation, _ choice: EmbedderMediation.Choice,
    _ machine: EmbedderMachine
  ) throws(EmbedderError) -> Regions {
    let granule = board.granule
    var regions = Regions()
    do throws(RegistryError) {
      for index in 0..<mediation.count {
        try append(
          mediation.frame(of: index), .mediatedITS(UInt8(truncatingIfNeeded: index)), to: &regions)
      }
      // What the tree disables is there all the same: nobody answers for it.
      for index in board.unused.indices
      where board.unused[index].kind == .its {
        let frame = board.unused[index].range
        if choice.leavesOut(frame, machine.registers) { continue }
        try append(frame, nil, to: &regions)
      }
      for index in masters.pages.indices {
        let pages = masters.pages[index]
        let layout = try RegionLayout(base: pages.first.address, pages: pages.count)
        guard layout.base.isAligned(to: granule.bytes), layout.frameSize % granule.bytes == 0 else {
          throw .misaligned(layout.base)
        }
        let region = RegionRequest<Device>(layout, widths: .all, kinds: .readWrite, device: nil)
        guard regions.append(region) else { throw .full(layout.base) }
      }
    } catch {
      if case .misaligned(let base) = error {
        var line = LogLine("registers of a master share a page with others, at ")
        line.append(hex: base.rawValue)
        machine.registers.log(.error, line)
      }
      throw EmbedderError(
        PORTCULLIS_ERROR_BOARD, at: PhysicalAddress(EmbedderError(error).address))
    }
    return regions
  }

  private static func append(
    _ frame: AddressRange, _ device: Device?, to regions: inout Regions
  ) throws(RegistryError) {
    let layout = try RegionLayout(base: frame.base, pages: frame.size >> PageFrameNumber.shift)
    let region = RegionRequest<Device>(
      layout, widths: .word.union(.double), kinds: .readWrite, device: device)
    guard regions.append(region) else { throw .full(frame.base) }
  }

  private static func begin(
    _ pages: EmbedderPages, of board: borrowing Board, _ machine: EmbedderMachine,
    _ pool: consuming PagePool<EmbedderTables>
  ) throws(OwnershipError) {
    // All that descriptors without FEAT_LPA reach.
    guard let geometry = TranslationGeometry(bits: 48) else { throw .unsupportedSize(bits: 48) }
    var memory = MemoryMap()
    var last = PageFrameNumber(0)
    for index in board.memory.indices {
      guard let pages = PageRange(covering: board.memory[index]) else { throw .empty }
      try memory.add(pages)
      last = max(last, pages.last)
    }
    // The embedder keeps its own memory out of its stage 2: there is nothing to record here.
    let none = FixedList<1, PageRange>(filler: .filler)
    let ledger = try PageLedger(geometry, hypervisorPages: none.span, pool: &pool)
    let ownership = EmbedderOwnership(
      ledger, memoryMap: memory, pool: pool,
      host: EmbedderHostTranslation(platform: machine.registers),
      hypervisor: EmbedderHypervisorTranslation(machine: machine), observer: NoObserver())
    try pages.begin(ownership, reaching: last)
  }

  /// Registers a region of the embedder.
  mutating func add(_ region: RegionRequest<Device>) -> portcullis_status {
    guard phase == .registering else { return PORTCULLIS_ERROR_ORDER }
    let layout = region.layout
    guard layout.base.isAligned(to: granule.bytes), layout.frameSize % granule.bytes == 0 else {
      return PORTCULLIS_ERROR_ALIGNMENT
    }
    guard (layout.base.rawValue + (layout.extent - 1)) >> 48 == 0 else {
      return PORTCULLIS_ERROR_RANGE
    }
    var frames = layout.count
    for index in regions.indices { frames += regions[index].layout.count }
    guard !regions.isFull, frames <= UInt64(PORTCULLIS_FRAME_LIMIT) else {
      return PORTCULLIS_ERROR_FULL
    }
    for number in 0..<layout.count {
      guard let pages = layout.frame(number) else { return PORTCULLIS_ERROR_RANGE }
      if self.pages.ownership.memoryMap.firstMismatch(in: pages, .mmio) != nil {
        return PORTCULLIS_ERROR_KIND
      }
    }
    for index in regions.indices where regions[index].layout.overlaps(layout) {
      return PORTCULLIS_ERROR_OVERLAP
    }
    return regions.append(region) ? PORTCULLIS_OK : PORTCULLIS_ERROR_FULL
  }

  /// Has SMMUs taken over by the claim, none where `hook` is nil, once `prepare` has registered their regions and filled
  /// their memory; all or nothing.
  mutating func add(
    _ hook: SMMUHook?, _ prepare: (inout EmbedderState) throws(EmbedderError) -> Void
  ) throws(EmbedderError) {
    let board = unsafe monitor.platform.board
    guard phase == .registering, mediation.smmuPolicy.isOwning, unsafe !board.pointee.wereSMMUsAdded
    else { throw EmbedderError(PORTCULLIS_ERROR_ORDER) }
    let count = regions.count
    do throws(EmbedderError) {
      try prepare(&self)
    } catch {
      regions.removeAll(behind: count)
      throw error
    }
    unsafe board.pointee.wereSMMUsAdded = true
    unsafe board.pointee.smmus = hook
  }

  /// Where the region at `index` lies; nil where there is none.
  func layout(at index: Int) -> RegionLayout? {
    regions.indices.contains(index) ? regions[index].layout : nil
  }

  /// Takes all registered regions from the host and has every ITS and every Redistributor mediated, or none.
  mutating func claim() -> portcullis_status {
    let machine = monitor.platform
    // What was to be owned was not added.
    let isWhole = unsafe !mediation.smmuPolicy.isOwning || machine.board.pointee.wereSMMUsAdded
    guard phase == .registering, isWhole else {
      return mediation.problem.tell(EmbedderError(PORTCULLIS_ERROR_ORDER))
    }
    mediation.beginTrace()
    do throws(EmbedderError) {
      let limit = try mediation.interruptLimit()
      try monitor.platform.mapRedistributors()
      try claimMapped(interruptLimit: limit)
    } catch {
      if phase != .stuck { monitor.platform.unmapRedistributors() }
      return mediation.problem.tell(error)
    }
    phase = .claimed
    var line = LogLine("regions claimed: ")
    line.append(decimal: UInt64(registry.count))
    platform.log(.info, line)
    uncovered.report(platform)
    return PORTCULLIS_OK
  }

  private mutating func claimMapped(interruptLimit: UInt64) throws(EmbedderError) {
    // The ITSes are the first, the Redistributors the last: the embedder's keep their numbers.
    let firstRedistributor = regions.count
    defer { regions.removeAll(behind: firstRedistributor) }
    try mediation.appendRedistributors(to: &regions)
    let mediation = mediation
    // The control frames of the ITSes that are set up.
    var begun = Board.ITSList<VirtualAddress>(filler: VirtualAddress(0))
    var failure: EmbedderError?
    do throws(RegionClaimError) {
      let frames = unsafe monitor.platform.frames
      let pages = pages
      unsafe frames.pointee.removeAll()
      let machine = monitor.platform
      try unsafe RegionClaim.claim(
        regions, collecting: &frames.pointee, from: &pages.ownership, registry: &registry
      ) { index, address in
        do throws(EmbedderError) {
          if index < mediation.count {
            try mediation.begin(index, at: address, interruptLimit: interruptLimit)
            return begun.append(address)
          }
          if index == firstRedistributor {
            try mediation.beginRedistributors(interruptLimit: interruptLimit)
          }
          return true
        } catch {
          failure = error
        }
        mediation.end(begun)
        return false
      } sealing: { memoryMap, frames in
        guard case .failed(let error) = machine.beginSMMUs(memoryMap, frames) else { return nil }
        failure = error
        mediation.endRedistributors()
        mediation.end(begun)
        return PhysicalAddress(error.address)
      }
    } catch {
      if case .stuck = error { phase = .stuck }
      if case .silent = error, let failure { throw failure }
      throw EmbedderError(error)
    }
  }

  /// The number of the ITS at `index`.
  ///
  /// - Throws: `ORDER` before the claim, `INDEX` where there is none.
  func number(_ index: Int) throws(EmbedderError) -> UInt8 {
    guard phase == .claimed else { throw EmbedderError(PORTCULLIS_ERROR_ORDER) }
    guard index >= 0, index < itsCount else { throw EmbedderError(PORTCULLIS_ERROR_INDEX) }
    return UInt8(truncatingIfNeeded: index)
  }

  /// The counts of an ITS and whether it has broken down; nil where it is not mediated yet.
  func counters(of number: UInt8) -> (counters: ITSCounters, isBroken: Bool)? {
    monitor.platform.withITS(number) { its in
      its.isMediated ? (its.mediation.counters, its.mediation.isBroken) : nil
    }
  }

  /// The bytes of the state that are in use, and those of the least pool that holds what the ITSes use; nil while one is
  /// not mediated.
  var sizes: (state: UInt64, pool: UInt64)? {
    var most: UInt64 = 0
    for number in 0..<UInt8(truncatingIfNeeded: itsCount) {
      let least = monitor.platform.withITS(number) { its in
        its.isMediated ? its.mediation.leastArena : nil
      }
      guard let least else { return nil }
      most = max(most, least)
    }
    let unit = ITSSetup.arenaAlignment
    let part = (most + unit - 1) / unit * unit
    return (
      UInt64(StateMemory.poolOffset) + pages.usage.tables << PageFrameNumber.shift,
      part * UInt64(itsCount)
    )
  }

  /// The host as it has trapped.
  @unsafe func host(_ frame: UnsafeMutablePointer<portcullis_frame>) -> EmbedderHostRegisters {
    unsafe EmbedderHostRegisters(platform, features, frame)
  }

  /// Answers a trap; nil before the claim.
  @inline(__always)
  func handleTrap(esr: UInt64, far: UInt64, hpfar: UInt64, host: EmbedderHostRegisters) -> Outcome?
  {
    guard phase == .claimed else { return nil }
    let outcome = registry.handleAbort(
      esr: esr, far: far, hpfar: hpfar, registers: host.general,
      host: host, context: monitor)
    if case .injected(let refusal) = outcome { log(refusal, esr: esr, far: far) }
    return outcome
  }

  @inline(never)
  private func log(_ refusal: Refusal, esr: UInt64, far: UInt64) {
    var line = LogLine()
    if let cpu = platform.cpu {
      line.append("CPU ")
      line.append(decimal: UInt64(cpu))
      line.append(": ")
    }
    line.append("refused: reason ")
    line.append(decimal: UInt64(refusal.rawValue))
    line.append(" va ")
    line.append(hex: far)
    line.append(" esr ")
    line.append(hex: esr)
    platform.log(.warning, line)
  }
}

extension PageRange {
  /// What unused slots of a list hold: the page of address 0, which every space has.
  static var filler: PageRange {
    guard let page = PageRange(first: PageFrameNumber(0), count: 1) else {
      preconditionFailure("page 0 is a page")
    }
    return page
  }
}
