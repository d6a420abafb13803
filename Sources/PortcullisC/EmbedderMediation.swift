// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import Hypervisor
internal import IOMMU
internal import ITS
internal import Ownership
internal import Redistributor
internal import Synchronization
internal import Trace
internal import Traps

/// What the mediation of the board's ITSes and Redistributors starts from, and how it is begun.
struct EmbedderMediation {
  /// What the tree says of an ITS.
  private struct Description {
    let frame: AddressRange
    let traits: ITSTraits
  }

  private let choice: Choice
  private let pool: PageRange?
  private let trace: PageRange?
  private let granule: Granule
  private let descriptions: Board.ITSList<Description>
  private let distributor: AddressRange?
  private let addressLimit: UInt64
  let monitor: EmbedderMonitor
  private var platform: EmbedderPlatform { monitor.platform.registers }

  /// What becomes of the SMMUs.
  var smmuPolicy: SMMUPolicy { choice.smmus }
  /// How many ITSes the board has, without those that are left out.
  var count: Int { descriptions.count }
  /// The control frame of an ITS.
  func frame(of number: Int) -> AddressRange { descriptions[number].frame }
  /// Where problems are put.
  var problem: ProblemPlace { choice.problem }
  /// Whether EL2 stands between the host and the Redistributors.
  var guardsRedistributors: Bool { monitor.platform.guardsRedistributors }

  /// Checks what was chosen for `board`.
  init(
    _ board: borrowing Board, _ choice: Choice, _ machine: EmbedderMachine
  ) throws(EmbedderError) {
    guard let nowhere = AddressRange(base: PhysicalAddress(0), size: 1) else {
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
    var doorbells = Doorbells()
    var descriptions = Board.ITSList<Description>(
      filler: Description(frame: nowhere, traits: .none))
    for index in board.itses.indices {
      let its = board.itses[index]
      if choice.leavesOut(its.controlFrame, machine.registers) { continue }
      guard descriptions.append(Description(frame: its.controlFrame, traits: its.traits)) else {
        throw EmbedderError(PORTCULLIS_ERROR_BOARD)
      }
      doorbells.add(of: its)
    }
    pool = descriptions.isEmpty ? nil : try Self.pool(choice.pool, for: descriptions.count)
    trace = choice.trace.bytes == 0 ? nil : try Self.pages(choice.trace, unit: PageFrameNumber.size)
    if let pool, let trace, pool.overlaps(trace) { throw EmbedderError(PORTCULLIS_ERROR_OVERLAP) }
    self.descriptions = descriptions
    self.choice = choice
    // Where the board lists none they are the host's, and nothing is known of them.
    let hasRedistributors = !board.redistributors.isEmpty
    monitor = EmbedderMonitor(machine)
    granule = board.granule
    distributor = board.distributor
    addressLimit = board.gicTraits.addressLimit
    machine.countWords.begin()
    unsafe machine.board.initialize(
      to: EmbedderBoard(
        linearBase: choice.linearBase, granule: board.granule, itses: descriptions.count,
        guardsRedistributors: choice.guardsRedistributors && hasRedistributors, pool: pool,
        traceMemory: trace, doorbells: doorbells,
        frequency: choice.frequency, redistributors: board.redistributors,
        trustsHost: Atomic(choice.isHandover)))
  }

  /// Begins the trace anew, where one is kept.
  func beginTrace() {
    guard let trace else { return }
    unsafe monitor.platform.board.pointee.trace = TraceRing(
      trace.first.address, size: trace.count << PageFrameNumber.shift)
    monitor.beginTrace(frequency: choice.frequency)
  }

  private static func pool(
    _ chosen: portcullis_pages, for count: Int
  ) throws(EmbedderError) -> PageRange {
    let unit = ITSSetup.arenaAlignment
    guard chosen.base % unit == 0 else { throw EmbedderError(PORTCULLIS_ERROR_ALIGNMENT) }
    guard chosen.bytes > 0 else { throw EmbedderError(PORTCULLIS_ERROR_ITS_POOL) }
    let pages = try pages(chosen, unit: unit)
    guard ITSSetup.arena(0, of: count, in: pages) != nil else {
      throw EmbedderError(PORTCULLIS_ERROR_ITS_POOL)
    }
    return pages
  }

  /// Memory of EL2 in multiples of `unit`, which is not empty.
  static func pages(
    _ chosen: portcullis_pages, unit: UInt64
  ) throws(EmbedderError) -> PageRange {
    guard chosen.base % unit == 0, chosen.bytes % unit == 0 else {
      throw EmbedderError(PORTCULLIS_ERROR_ALIGNMENT)
    }
    guard let range = AddressRange(base: PhysicalAddress(chosen.base), size: chosen.bytes),
      range.last.rawValue >> 48 == 0, let pages = PageRange(covering: range)
    else { throw EmbedderError(PORTCULLIS_ERROR_RANGE) }
    return pages
  }

  /// Has ITS `number`, whose registers EL2 sees at `frame`, mediated; or, where the host is to hand it
  /// over, forwarded until then.
  ///
  /// - Throws: why not; an ITS whose set-up had begun is disabled then and has no address of the pool.
  func begin(
    _ number: Int, at frame: VirtualAddress, interruptLimit: UInt64
  ) throws(EmbedderError) {
    guard let pool, let arena = ITSSetup.arena(number, of: count, in: pool) else {
      throw EmbedderError(PORTCULLIS_ERROR_ITS_POOL)
    }
    var policy = choice.policy
    policy.interruptLimit = interruptLimit
    let description = descriptions[number]
    let setup = ITSSetup(
      frame: frame, arena: arena, traits: description.traits, policy: policy, cpus: choice.cpus)
    let number = UInt8(truncatingIfNeeded: number)
    monitor.platform.itses.put(number, setup, base: description.frame.base)
    guard !choice.isHandover else { return }
    do throws(ITSSetupError) {
      try monitor.setUp(number)
    } catch {
      throw fail(error, number)
    }
  }

  /// Ends what ``begin(_:at:interruptLimit:)`` began, of ITSes whose registers EL2 sees at these places.
  func end(_ frames: Board.ITSList<VirtualAddress>) {
    // A live ITS was not touched.
    guard !choice.isHandover else { return }
    for index in frames.indices {
      let number = UInt8(truncatingIfNeeded: index)
      MediatedITS.abandon(frames[index], machine: monitor.platform.machine(of: number))
    }
  }

  /// Tells of an ITS that nobody answers for.
  func tell(_ problem: UnmediatedITS) -> EmbedderError {
    log(problem.text, of: problem.number)
    return EmbedderError(
      problem.failure.map { portcullis_status($0) } ?? PORTCULLIS_ERROR_LIVE, its: problem.number,
      at: descriptions[Int(problem.number)].frame.base)
  }

  private func fail(_ error: ITSSetupError, _ number: UInt8) -> EmbedderError {
    log(error.text, of: number)
    return EmbedderError(
      portcullis_status(error), its: number, at: descriptions[Int(number)].frame.base)
  }

  private func log(_ text: StaticString, of number: UInt8) {
    var line = LogLine("ITS ")
    line.append(decimal: UInt64(number))
    line.append(": ")
    line.append(text)
    platform.log(.error, line)
  }

  /// One more than the largest INTID, by the Distributor: before anything else is mapped, for an embedder's region may
  /// have it, and loses the mapping with this one.
  func interruptLimit() throws(EmbedderError) -> UInt64 {
    // Without a Distributor no interrupt is known.
    guard let distributor else { return 0 }
    let mapping = try platform.map(distributor, granule)
    defer { platform.unmap(mapping) }
    guard let limit = InterruptLimit.read(at: mapping.address, through: platform) else {
      throw EmbedderError(PORTCULLIS_ERROR_GIC, at: distributor.base)
    }
    return limit
  }
}

// The Redistributors, whose regions are mapped.
extension EmbedderMediation {
  /// Appends the pages of the Redistributors that the host is to lose, where they are guarded.
  func appendRedistributors(to regions: inout Regions) throws(EmbedderError) {
    guard guardsRedistributors else { return }
    let board = unsafe monitor.platform.board
    do throws(RedistributorClaimError) {
      let frames = unsafe board.pointee.frames
      try RedistributorClaim.append(
        unsafe board.pointee.redistributors, at: { frames[$0].address }, through: platform,
        to: &regions
      ) { first, frame in .mediatedRedistributors(first: first, frame: frame) }
    } catch {
      var line = LogLine("Redistributors at ")
      line.append(hex: error.told.base.rawValue)
      line.append(": ")
      line.append(error.told.text)
      platform.log(.error, line)
      if case .tooMany = error {
        throw EmbedderError(PORTCULLIS_ERROR_FULL, at: error.told.base)
      }
      throw EmbedderError(PORTCULLIS_ERROR_GIC, at: error.told.base)
    }
  }

  /// Ends what ``beginRedistributors(interruptLimit:)`` began.
  func endRedistributors() {
    if guardsRedistributors { monitor.abandonRedistributors() }
  }

  /// Has the Redistributors mediated, behind the ITSes.
  ///
  /// - Throws: why not; LPIs that were enabled may be disabled then.
  func beginRedistributors(interruptLimit limit: UInt64) throws(EmbedderError) {
    let board = unsafe monitor.platform.board
    do throws(RedistributorSetupError) {
      let frames = unsafe board.pointee.frames
      try monitor.beginRedistributors(
        unsafe board.pointee.redistributors, at: { frames[$0].address },
        pins: EmbedderMachine.firstPin, interruptLimit: limit, addressLimit: addressLimit,
        offersVirtualLPIs: choice.policy.virtualInterrupts == .checked,
        keepsLive: choice.isHandover)
    } catch {
      monitor.abandonRedistributors()
      var line = LogLine("Redistributors: ")
      line.append(error.text)
      platform.log(.error, line)
      throw EmbedderError(PORTCULLIS_ERROR_GIC)
    }
  }
}
