// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import Boards
import GIC
@testable import Hypervisor
@testable import ITS
import Observing
import Ownership
@testable import Redistributor
import Trace

/// The specification beside a monitor, from its first ITS on.
///
/// It is told behind each trap, and answers with what the specification does not permit, nil for nothing. It is used by
/// one CPU at a time. An ITS that was handed over is not compared, nor are SMMUs.
package struct MonitorChecker {
  /// Nil before the first ITS.
  private var board: BoardComparison?
  /// By their places in `board` the numbers of the ITSes.
  private var numbers: [UInt8] = []
  /// Whether `board` knows whose the memory is, and what the Redistributors have.
  private var hasMemory = false
  private var hasRedistributors = false
  /// How many traps of ITSes were compared.
  package private(set) var traps: UInt64 = 0
  /// How many of Redistributors.
  package private(set) var redistributorTraps: UInt64 = 0
  /// How many pauses of ITSes, and looks behind a loss of power.
  package private(set) var losses: UInt64 = 0

  /// Begins with no board.
  package init() {}

  // MARK: ITSes

  /// The mediation of an ITS has begun.
  package mutating func hasBegun(
    _ its: borrowing LockedITS, isHandedOver: Bool, on platform: some BoardPlatform
  ) {
    guard !isHandedOver else { return }
    if board == nil { board = Self.begin(its.setup.policy, on: platform) }
    numbers.append(its.number)
    let frame = its.setup.frame.rawValue
    board?.add(its.mediation, MappedMemory(platform.memory)) { width, offset in
      platform.registers.read(width, at: VirtualAddress(frame &+ offset)) ?? 0
    }
  }

  /// The board as it is when the first ITS begins; its memory is looked at when the host runs.
  private static func begin(_ policy: ITSPolicy, on platform: some BoardPlatform) -> BoardComparison
  {
    var redistributors: [(base: PhysicalAddress, type: GICRTyper)] = []
    let state = platform.state
    for index in state.shared.redistributors.indices
    where state.shared.redistributors[index].isUsed {
      _ = RedistributorScan.forEach(
        state.shared.redistributors[index], at: VirtualLayout.redistributors(index),
        through: platform.registers
      ) { redistributors.append((base: $0, type: $1)) }
    }
    return BoardComparison(ComparedBoard(policy), memory: [:], redistributors: redistributors)
  }

  /// The monitor has answered an access to an ITS; `observations` is what it did for that, and `hosts` looks for the
  /// memory that the host reaches.
  package mutating func hasAnswered(
    _ access: TracedAccess, _ its: borrowing LockedITS, _ observations: [Observation],
    on platform: some BoardPlatform, hosts: () -> [PageRange]
  ) -> String? {
    guard let place = numbers.firstIndex(of: its.number) else { return nil }
    traps += 1
    beginMemory(on: platform, hosts)
    return compare { (board) throws(Divergence) in
      try board.finish(
        its: place, Entrance(access), by: Int(platform.cpu), Effect(access), observations,
        its.mediation, MappedMemory(platform.memory))
    }
  }

  /// An ITS has come to rest before a loss of power.
  package mutating func hasPaused(
    _ its: borrowing LockedITS, _ observations: [Observation], on platform: some BoardPlatform
  ) -> String? {
    guard let place = numbers.firstIndex(of: its.number) else { return nil }
    losses += 1
    return compare { (board) throws(Divergence) in
      try board.paused(its: place, observations, its.mediation, MappedMemory(platform.memory))
    }
  }

  /// EL2 has looked what a loss of power has left of an ITS.
  package mutating func hasWoken(
    _ its: borrowing LockedITS, _ observations: [Observation], on platform: some BoardPlatform
  ) -> String? {
    guard let place = numbers.firstIndex(of: its.number) else { return nil }
    losses += 1
    return compare { (board) throws(Divergence) in
      try board.woke(its: place, observations, its.mediation, MappedMemory(platform.memory))
    }
  }

  /// Takes note of whose the memory is, when the host runs.
  private mutating func beginMemory(on platform: some BoardPlatform, _ hosts: () -> [PageRange]) {
    guard !hasMemory, board != nil else { return }
    hasMemory = true
    let state = platform.state
    // The image, and what EL2 has taken beside it.
    let own = [state.shared.layout.image, state.shared.memory.range]
    board?.begin(host: hosts(), hypervisor: own.compactMap { PageRange(covering: $0) })
  }

  /// Goes along with what `step` compares; before the first ITS nothing goes along.
  private mutating func compare(
    _ step: (inout BoardComparison) throws(Divergence) -> Void
  ) -> String? {
    guard var now = board.take() else { return nil }
    defer { board = now }
    do throws(Divergence) {
      try step(&now)
      return now.violation
    } catch {
      return error.description
    }
  }

  // MARK: Redistributors

  /// What the hardware of all has now.
  private static func look(
    _ redistributors: borrowing MediatedRedistributors, on platform: some BoardPlatform
  ) -> [ObservedRedistributor] {
    var found: [ObservedRedistributor] = []
    for number in 0..<redistributors.count {
      let frame = redistributors.slots[number].frame.rawValue
      found.append(
        ObservedRedistributor(
          hasVirtualFrame: redistributors.slots[number].typer.hasVirtualLPIs
        ) { platform.registers.read($0, at: VirtualAddress(frame &+ $1)) ?? 0 })
    }
    return found
  }

  /// The number of that of the CPU that runs this.
  private static func own(
    _ redistributors: borrowing MediatedRedistributors, on platform: some BoardPlatform
  ) -> Int? {
    let affinity = platform.redistributorMachine().affinity
    for number in 0..<redistributors.count
    where redistributors.slots[number].typer.affinity == affinity { return number }
    return nil
  }

  /// The monitor is about to answer an access to a Redistributor, or to look at that of a CPU that wakes.
  package mutating func willAnswer(
    _ redistributors: borrowing MediatedRedistributors, isWaking: Bool,
    on platform: some BoardPlatform, hosts: () -> [PageRange]
  ) -> String? {
    beginMemory(on: platform, hosts)
    let now = Self.look(redistributors, on: platform)
    let waking = isWaking ? Self.own(redistributors, on: platform) : nil
    let isNew = !hasRedistributors
    if board != nil { hasRedistributors = true }
    return compare { (board) throws(Divergence) in
      if isNew {
        try board.begin(
          redistributors, sharesConfigurationBase: redistributors.hasOneConfigurationBase,
          before: nil, after: now, memory: platform.memory
        ) { number, width, offset in
          let frame = redistributors.slots[number].frame.rawValue
          return platform.registers.read(width, at: VirtualAddress(frame &+ offset)) ?? 0
        }
      }
      try board.step(now, butFor: waking)
    }
  }

  /// It has answered the access to the Redistributor with this number.
  package mutating func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors,
    on platform: some BoardPlatform
  ) -> String? {
    guard board != nil else { return nil }
    redistributorTraps += 1
    let after = Self.look(redistributors, on: platform)
    let trap = RedistributorTrap(
      Entrance(access), Effect(access),
      byOwnCPU: Self.own(redistributors, on: platform) == number, nil)
    return compare { (board) throws(Divergence) in
      try board.finish(redistributor: number, trap, after, redistributors, platform.memory)
    }
  }

  /// It has looked at the Redistributor of the CPU that has woken and runs this.
  package mutating func hasWoken(
    mayRun: Bool, _ redistributors: borrowing MediatedRedistributors,
    on platform: some BoardPlatform
  ) -> String? {
    guard let number = Self.own(redistributors, on: platform) else { return nil }
    let after = Self.look(redistributors, on: platform)
    return compare { (board) throws(Divergence) in
      try board.woke(
        redistributor: number, mayRun: mayRun, after, redistributors, platform.memory)
    }
  }
}

extension MonitorChecker {
  /// The memory of `pages` that is the host's, by pieces of 2 MiB but where a neighbour differs.
  ///
  /// A piece that begins and ends in the same way is taken as one where its neighbours are as it is.
  package static func ranges(
    in pages: Range<UInt64>, where isHosts: (UInt64) -> Bool
  ) -> [PageRange] {
    var found: [PageRange] = []
    var first: UInt64?
    func look(_ page: UInt64, _ isHosts: Bool) {
      if isHosts {
        if first == nil { first = page }
      } else if let start = first.take(),
        let range = PageRange(first: PageFrameNumber(start), count: page - start)
      {
        found.append(range)
      }
    }
    for piece in stride(from: pages.lowerBound, to: pages.upperBound, by: 512) as StrideTo<UInt64> {
      let (begins, ends) = (isHosts(piece), isHosts(piece + 511))
      if !begins, !ends, first == nil, !isHosts(piece + 512) { continue }
      for page in piece..<piece + 512 { look(page, isHosts(page)) }
    }
    look(pages.upperBound, false)
    return found
  }
}

/// Memory that EL2 has mapped.
private struct MappedMemory<Base: HostMemory>: ComparedMemory {
  private let base: Base

  init(_ base: Base) { self.base = base }

  func word(at address: UInt64) -> UInt64 { base.load(PhysicalAddress(address)) }
}
