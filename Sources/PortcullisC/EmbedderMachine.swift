// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import GIC
internal import Hypervisor
internal import IOMMU
internal import ITS
internal import Ownership
internal import Synchronization
internal import Trace
internal import Traps

typealias EmbedderMonitor = Monitor<EmbedderMachine>
typealias Device = ProtectedDevice<EmbedderMonitor>

/// What a trap needs to know of the board; read only once the claim has succeeded, but for what has a lock or is an
/// atomic.
struct EmbedderBoard: ~Copyable {
  /// Where physical address 0 is at EL2, modulo 2^64.
  let linearBase: UInt64
  /// The page size of both translations.
  let granule: Granule
  /// How many ITSes it has, without those that are left out.
  let itses: Int
  /// Whether EL2 stands between the host and the Redistributors.
  let guardsRedistributors: Bool
  /// The memory of the ITSes; nil where there are none.
  let pool: PageRange?
  /// The memory of the trace; nil where none is kept.
  let traceMemory: PageRange?
  /// Whether the SMMUs were added, of which there may be none.
  var wereSMMUsAdded = false
  /// The SMMUs, where any were added.
  var smmus: SMMUHook?
  /// Whether they were taken over.
  var ownsSMMUs = false
  /// How many the host sees.
  var virtualSMMUs: UInt8 = 0
  /// The frames by which devices send MSIs.
  let doorbells: Doorbells
  /// Counts of the embedder's clock in a second.
  let frequency: UInt64
  /// The Redistributors.
  let redistributors: Board.RedistributorRegions
  /// Where EL2 sees each of those regions, as far as they are mapped.
  var frames = FixedList<64, EmbedderPlatform.Mapping>(filler: .none)
  /// Whether the host is trusted with ITSes that it has not handed over yet.
  let trustsHost: Atomic<Bool>
  let traceLock = SpinLock(.trace)
  /// With `traceLock` held; nil where nothing is recorded.
  var trace: TraceRing?
}

/// The machine of an embedder, as the monitor sees it: all of it lies in the memory of the state.
///
/// A leaf: it gives types to parts of that memory, which `portcullis_init` has found large enough.
@safe struct EmbedderMachine: Platform, @unchecked Sendable {
  // What changes behind it has a lock, or changes before the host runs: hence Sendable.
  private let place: UnsafeMutableRawPointer

  /// Takes the memory of a state.
  @unsafe init(_ memory: UnsafeMutableRawPointer) { unsafe place = memory }

  func willTake(_ rank: LockRank) { ThreadLocks().willTake(rank) }
  func willRelease(_ rank: LockRank) { ThreadLocks().willRelease(rank) }

  /// The embedder's operations.
  var registers: EmbedderPlatform { unsafe EmbedderPlatform(place) }
  var itses: ITSPlaces { unsafe ITSPlaces(place + StateMemory.itsOffset) }
  var redistributors: RedistributorPlace {
    unsafe RedistributorPlace(place + StateMemory.redistributorOffset)
  }
  /// The pins of the Redistributors, by their distance from the first.
  var pins: EmbedderTables {
    unsafe EmbedderTables(
      place + StateMemory.redistributorOffset + Int(RedistributorPlace.pinsOffset),
      pages: StateMemory.pinPages)
  }
  /// The place of what is known of the board.
  var board: UnsafeMutablePointer<EmbedderBoard> {
    unsafe (place + StateMemory.boardOffset).assumingMemoryBound(to: EmbedderBoard.self)
  }

  /// The place of the list of all frames, which a claim fills.
  var frames: UnsafeMutablePointer<RegionClaim.BoardFrames> {
    unsafe (place + StateMemory.framesOffset).assumingMemoryBound(
      to: RegionClaim.BoardFrames.self)
  }

  /// Empties that list.
  // Apart, for on its way there the list is on the stack.
  @inline(never)
  func beginFrames() { unsafe frames.initialize(to: RegionClaim.noFrames()) }

  /// What is known of pages.
  var pages: EmbedderPages { unsafe EmbedderPages(place + StateMemory.pagesOffset) }

  /// The pool and what is shared: the header asks that they are mapped there.
  @inline(__always)
  var memory: LinearMemory { unsafe LinearMemory(base: board.pointee.linearBase, registers) }
  /// A call of the embedder.
  var cpu: UInt64 { UInt64(registers.cpu ?? 0) }
  var multiprocessorAffinity: UInt64 { registers.readRegister(PORTCULLIS_MPIDR_EL1) }

  /// The memory of the counts.
  @inline(__always)
  var countWords: EmbedderCounts { unsafe EmbedderCounts(place + StateMemory.countsOffset) }
  /// The words of the ITSes: the CPUs are the embedder's to count.
  @inline(__always)
  var counts: Statistics<EmbedderCounts> {
    Statistics(cpus: 0, memory: countWords)
  }
  /// A load through C is as short as it can be.
  static var countsLoads: Bool { false }
  var itsCount: Int { unsafe board.pointee.itses }
  var guardsRedistributors: Bool { unsafe board.pointee.guardsRedistributors }
  /// What the claims take is counted here, and the clock is known; all else the embedder keeps itself.
  func ownValue(_ number: StatisticNumber) -> UInt64 {
    switch number.statistic.owner {
    case .board: unsafe board.pointee.frequency
    case .smmus, .virtualSMMUs:
      if case .value(let value) = askSMMUs(.value(number)) { value } else { 0 }
    default: number.value(in: pages.usage)
    }
  }

  var records: Bool { unsafe board.pointee.trace != nil }
  var time: UInt64 { registers.clock }
  func withTrace<Result>(_ body: (inout TraceRing?) -> Result) -> Result {
    unsafe board.pointee.traceLock.withLock(on: self) { unsafe body(&board.pointee.trace) }
  }
  // The embedder takes records when it likes.
  func hasRecorded() {}

  func identity(of its: UInt64) -> ITSIdentity? {
    guard its < UInt64(itsCount) else { return nil }
    return withITS(UInt8(truncatingIfNeeded: its)) { its in
      guard let identity = ITSIdentity(its.base, at: its.setup.frame, through: registers) else {
        return nil
      }
      let offered =
        its.isMediated
        ? its.mediation.offered
        : MediatedITS.offeredType(GITSTyper(rawValue: identity.typer), its.setup.policy)
      return identity.offering(typer: offered.rawValue)
    }
  }
  func endTrust() -> Bool {
    unsafe board.pointee.trustsHost.exchange(false, ordering: .acquiringAndReleasing)
  }
  /// Where the embedder's image lies it does not say.
  var facts: HypervisorService.Facts {
    HypervisorService.Facts(
      image: nil, regions: unsafe StateMemory.state(OpaquePointer(place)).pointee.registry.count,
      memory: unsafe board.pointee.pool.flatMap {
        AddressRange(base: $0.first.address, size: $0.count << PageFrameNumber.shift)
      })
  }
  func answerForTests(_ call: SMCCC.Call) -> SMCCC.Result { SMCCC.Result(SMCCC.notSupported) }

  /// How many pieces of memory EL2 may have.
  static var ownCount: Int { 3 }
  /// One of them: of the ITSes, the trace and the SMMUs, which are no memory of the host; nil where there is none.
  func own(_ index: Int) -> PageRange? {
    switch index {
    case 0: unsafe board.pointee.pool
    case 1: unsafe board.pointee.traceMemory
    default: unsafe board.pointee.smmus?.memory
    }
  }

  /// Whether one of these pages of physical memory is EL2's.
  func isOwn(_ pages: PageRange) -> Bool {
    for index in 0..<Self.ownCount where own(index)?.overlaps(pages) ?? false { return true }
    return false
  }

  func pages(holding rank: LockRank) -> EmbedderPageAuthority {
    EmbedderPageAuthority(of: self, holding: rank)
  }

  /// Where the pins of the Redistributors begin.
  static var firstPin: PhysicalAddress { PhysicalAddress(0) }

  func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool {
    for index in unsafe board.pointee.redistributors.indices {
      let region = unsafe board.pointee.redistributors[index]
      guard region.isUsed else { continue }
      let frame = unsafe board.pointee.frames[index].address
      guard RedistributorScan.add(region, at: frame, to: &targets, typer, machine: machine(of: 0))
      else {
        return false
      }
    }
    return true
  }

  var ownsSMMUs: Bool { unsafe board.pointee.ownsSMMUs }
  var virtualSMMUCount: UInt8 { unsafe board.pointee.virtualSMMUs }
  private var smmus: EmbedderSMMUs? {
    guard let memory = unsafe board.pointee.smmus?.memory else { return nil }
    return EmbedderSMMUs(of: self, in: memory)
  }
  var virtualSMMUs: VirtualSMMUPlaces {
    guard let smmus else { preconditionFailure("there is no SMMU") }
    return smmus.virtualSMMUs
  }
  func withDMA<Result>(
    else absent: Result, _ body: (inout DMAProtection<EmbedderSMMUMachine>) -> Result
  ) -> Result { smmus?.withDMA(body) ?? absent }

  /// Asks the SMMUs; `done` where there are none.
  func askSMMUs(_ request: SMMUHook.Request) -> SMMUHook.Answer {
    guard let hook = unsafe board.pointee.smmus else { return .done }
    return unsafe hook.ask(request, of: place)
  }
  /// Takes the SMMUs over, where there are any.
  func beginSMMUs(
    _ memoryMap: borrowing MemoryMap, _ frames: borrowing RegionClaim.BoardFrames
  ) -> SMMUHook.Answer {
    unsafe withUnsafePointer(to: memoryMap) { map in
      unsafe withUnsafePointer(to: frames) {
        unsafe askSMMUs(.begin(SMMUHook.SealingClaim(map, $0)))
      }
    }
  }
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect {
    if case .read(let effect) = askSMMUs(.read(number, access)) {
      effect
    } else {
      .refused(.noHandler)
    }
  }
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    if case .write(let effect) = askSMMUs(.write(number, access, value)) {
      effect
    } else {
      .refused(.noHandler)
    }
  }

  func log(_ level: LogLevel, _ line: consuming LogLine) { registers.log(level, line) }
}

/// The mapping of the Redistributors' regions, which stays: before the claim, on one CPU.
extension EmbedderMachine {
  /// Maps every region of Redistributors.
  ///
  /// - Throws: why one could not be; none is mapped then.
  func mapRedistributors() throws(EmbedderError) {
    do throws(EmbedderError) {
      let granule = unsafe board.pointee.granule
      for index in unsafe board.pointee.redistributors.indices {
        let range = unsafe board.pointee.redistributors[index].range
        // The list is as long as that of the regions.
        _ = unsafe board.pointee.frames.append(try registers.map(range, granule))
      }
    } catch {
      unmapRedistributors()
      throw error
    }
  }

  /// Where EL2 sees pages of a region of Redistributors; nil for others.
  func address(of pages: PageRange) -> VirtualAddress? {
    for index in unsafe board.pointee.frames.indices {
      if let address = unsafe board.pointee.frames[index].address(of: pages) { return address }
    }
    return nil
  }

  /// Whether ``mapRedistributors()`` has mapped pages.
  func isMapped(_ pages: PageRange) -> Bool { address(of: pages) != nil }

  /// Ends what ``mapRedistributors()`` began.
  func unmapRedistributors() {
    for index in unsafe board.pointee.frames.indices {
      registers.unmap(unsafe board.pointee.frames[index])
    }
    unsafe board.pointee.frames = FixedList(filler: .none)
  }
}
