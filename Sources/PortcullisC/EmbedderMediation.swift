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
  /// What the tree says of an ITS.
  private struct Description {
    let base: PhysicalAddress
    let traits: ITSTraits
  }

  private let choice: Choice
  private let pool: PageRange?
  private let granule: Granule
  let platform: EmbedderPlatform
  let itses: EmbedderITSes
  private let descriptions: Board.ITSList<Description>
  private let distributor: AddressRange?
  private let redistributors: Board.RedistributorRegions

  /// How many ITSes the board has.
  var count: Int { descriptions.count }

  /// Checks what was chosen for `board`.
  init(
    _ board: borrowing Board, _ choice: Choice, _ platform: EmbedderPlatform,
    _ itses: EmbedderITSes
  ) throws(EmbedderError) {
    var descriptions = Board.ITSList<Description>(
      filler: Description(base: PhysicalAddress(0), traits: .none))
    for index in board.itses.indices {
      let its = board.itses[index]
      guard descriptions.append(Description(base: its.controlFrame.base, traits: its.traits)) else {
        throw EmbedderError(PORTCULLIS_ERROR_BOARD)
      }
    }
    pool = descriptions.isEmpty ? nil : try Self.pool(choice.pool, for: descriptions.count)
    self.descriptions = descriptions
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

  var machine: EmbedderITSMachine {
    EmbedderITSMachine(platform, linearBase: choice.linearBase)
  }

  /// Has ITS `number`, whose registers EL2 sees at `frame`, mediated; or, where the host is to hand it
  /// over, forwarded until then.
  ///
  /// - Throws: why not; an ITS whose set-up had begun is disabled then and has no address of the pool.
  func begin(_ number: Int, at frame: VirtualAddress) throws(EmbedderError) {
    guard let pool, let arena = ITSSetup.arena(number, of: count, in: pool) else {
      throw EmbedderError(PORTCULLIS_ERROR_ITS_POOL)
    }
    var policy = choice.policy
    policy.interruptLimit = try interruptLimit()
    let description = descriptions[number]
    let setup = ITSSetup(
      frame: frame, arena: arena, traits: description.traits, policy: policy, cpus: choice.cpus)
    let mediation = choice.isHandover ? nil : try setUp(setup, UInt8(truncatingIfNeeded: number))
    itses.put(
      EmbedderITS(
        setup, base: description.base, mediation, isForwarded: choice.isHandover),
      UInt8(truncatingIfNeeded: number))
  }

  /// Ends what ``begin(_:at:)`` began.
  func end(_ number: Int, at frame: VirtualAddress) {
    // A live ITS was not touched.
    if !choice.isHandover { MediatedITS.abandon(frame, machine: machine) }
    itses.remove(UInt8(truncatingIfNeeded: number))
  }

  /// Sets an ITS up from boot.
  ///
  /// - Throws: why not; it is disabled then and has no address of the pool.
  func setUp(_ setup: ITSSetup, _ number: UInt8) throws(EmbedderError) -> MediatedITS {
    do throws(ITSSetupError) {
      return try MediatedITS.setUp(setup, machine: machine) { targets, typer in
        addTargets(to: &targets, typer)
      }
    } catch {
      MediatedITS.abandon(setup.frame, machine: machine)
      log(error.text, of: number, PORTCULLIS_LOG_ERROR)
      throw EmbedderError(portcullis_status(error))
    }
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
  func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool {
    for index in redistributors.indices {
      let region = redistributors[index]
      let isAdded = platform.withMapped(region.range, granule) { address in
        RedistributorScan.add(region, at: address, to: &targets, typer, machine: machine)
      }
      guard isAdded == true else { return false }
    }
    return true
  }

  func log(_ text: StaticString, of number: UInt8, _ level: portcullis_log_level) {
    var line = LogLine()
    line.append("ITS ")
    line.append(decimal: UInt64(number))
    line.append(": ")
    line.append(text)
    platform.log(level, line)
  }
}
