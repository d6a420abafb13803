// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import ITS

/// What the mediation of the board's ITSes starts from, and how it is begun.
struct EmbedderMediation {
  /// What the embedder chooses.
  struct Choice {
    let pool: portcullis_pages
    let linearBase: UInt64
    let cpus: UInt64
    let policy: ITSPolicy
  }

  private let choice: Choice
  private let pool: PageRange?
  private let granule: Granule
  private let platform: EmbedderPlatform
  private let itses: EmbedderITSes
  private let traits: FixedList<8, ITSTraits>
  private let distributor: AddressRange?
  private let redistributors: Board.RedistributorRegions

  /// How many ITSes the board has.
  var count: Int { traits.count }

  /// Checks what was chosen for `board`.
  init(
    _ board: borrowing Board, _ choice: Choice, _ platform: EmbedderPlatform,
    _ itses: EmbedderITSes
  ) throws(EmbedderError) {
    var traits = FixedList<8, ITSTraits>(filler: .none)
    for index in board.itses.indices where !traits.append(board.itses[index].traits) {
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
    pool = traits.isEmpty ? nil : try Self.pool(choice.pool, for: traits.count)
    self.traits = traits
    self.choice = choice
    self.platform = platform
    self.itses = itses
    granule = board.granule
    distributor = board.distributor
    redistributors = board.redistributors
  }

  private static func pool(
    _ chosen: portcullis_pages, for count: Int
  ) throws(EmbedderError) -> PageRange {
    let unit = ITSSetup.arenaAlignment
    guard chosen.base % unit == 0, chosen.bytes % unit == 0 else {
      throw EmbedderError(PORTCULLIS_ERROR_ALIGNMENT)
    }
    guard chosen.bytes > 0 else { throw EmbedderError(PORTCULLIS_ERROR_ITS_POOL) }
    guard let range = AddressRange(base: PhysicalAddress(chosen.base), size: chosen.bytes),
      range.last.rawValue >> 48 == 0, let pages = PageRange(covering: range)
    else { throw EmbedderError(PORTCULLIS_ERROR_RANGE) }
    guard ITSSetup.arena(0, of: count, in: pages) != nil else {
      throw EmbedderError(PORTCULLIS_ERROR_ITS_POOL)
    }
    return pages
  }

  /// What a trap needs.
  var trap: EmbedderTrap { EmbedderTrap(platform, itses, linearBase: choice.linearBase) }

  private var machine: EmbedderITSMachine {
    EmbedderITSMachine(platform, linearBase: choice.linearBase)
  }

  /// Sets ITS `number` up, whose registers EL2 sees at `frame`.
  ///
  /// - Throws: why not; the ITS is disabled then and has no address of the pool.
  func begin(_ number: Int, at frame: VirtualAddress) throws(EmbedderError) {
    guard let pool, let arena = ITSSetup.arena(number, of: count, in: pool) else {
      throw EmbedderError(PORTCULLIS_ERROR_ITS_POOL)
    }
    var policy = choice.policy
    policy.interruptLimit = try interruptLimit()
    let setup = ITSSetup(
      frame: frame, arena: arena, traits: traits[number], policy: policy, cpus: choice.cpus)
    do throws(ITSSetupError) {
      let its = try MediatedITS.setUp(setup, machine: machine) { targets, typer in
        addTargets(to: &targets, typer)
      }
      itses.put(its, UInt8(truncatingIfNeeded: number))
    } catch {
      MediatedITS.abandon(frame, machine: machine)
      log(error, number)
      throw EmbedderError(portcullis_status(error))
    }
  }

  /// Ends what ``begin(_:at:)`` began.
  func end(_ number: Int, at frame: VirtualAddress) {
    MediatedITS.abandon(frame, machine: machine)
    itses.remove(UInt8(truncatingIfNeeded: number))
  }

  private func interruptLimit() throws(EmbedderError) -> UInt64 {
    // Without a Distributor no interrupt is known.
    guard let distributor else { return 0 }
    let limit = platform.withMapped(distributor, granule) { address in
      InterruptLimit.read(at: address, through: platform)
    }
    guard let limit, let limit else { throw EmbedderError(PORTCULLIS_ERROR_GIC) }
    return limit
  }

  /// Adds every Redistributor of the board; false where one does not answer, or there are too many.
  private func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool {
    for index in redistributors.indices {
      let region = redistributors[index]
      let isAdded = platform.withMapped(region.range, granule) { address in
        RedistributorScan.add(region, at: address, to: &targets, typer, machine: machine)
      }
      guard isAdded == true else { return false }
    }
    return true
  }

  private func log(_ error: ITSSetupError, _ number: Int) {
    var line = LogLine()
    line.append("ITS ")
    line.append(decimal: UInt64(number))
    line.append(": ")
    line.append(error.text)
    platform.log(PORTCULLIS_LOG_ERROR, line)
  }
}
