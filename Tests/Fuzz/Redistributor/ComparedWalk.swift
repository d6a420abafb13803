// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import GIC
import Observing
import Redistributor
import SimulatedHardware
import Simulation
import Traps

/// A walk on one board, and the specification that goes along with it, if it does.
final class ComparedWalk: BoardWitness {
  private var walk: RedistributorWalk
  private let board: GuardedBoard
  private(set) var comparison: BoardComparison?
  /// What was found first.
  private(set) var problem: String?
  private let hasOwnChecks: Bool
  /// What EL2 has done since the trap began, and in which frame.
  private var observations: [Observation] = []
  private var frame: UInt64 = 0

  /// Makes the board of a number.
  init(number: UInt64, isCompared: Bool, hasOwnChecks: Bool) throws {
    self.hasOwnChecks = hasOwnChecks
    var before: [ObservedRedistributor] = []
    walk = try RedistributorWalk(RedistributorWalk.Kind(number: number), seed: number) {
      before = Self.look($0)
    }
    board = walk.board
    guard isCompared else { return }
    do throws(Divergence) {
      try begin(before)
    } catch {
      problem = "\(error)"
    }
    board.witness = self
  }

  /// What hardware it is on.
  var kind: RedistributorWalk.Kind { walk.kind }
  /// Whether a CPU must not run the host any more.
  var isOver: Bool { walk.isOver }

  /// One step; what is wrong behind it.
  func step() -> String? {
    walk.step()
    if problem == nil, hasOwnChecks, !walk.isOver {
      problem = board.violation() ?? (board.touchesHypervisor ? "EL2's memory was touched" : nil)
    }
    // Nobody looks at what was delivered.
    if board.gic.delivered.count > 1 << 10 { board.gic.delivered.removeAll(keepingCapacity: true) }
    return problem
  }

  // MARK: The comparison

  private func begin(_ before: [ObservedRedistributor]) throws(Divergence) {
    var setup = ComparedBoard(
      interruptIDBits: board.options.interruptIDBits, stallsAtRefused: false, listedDevices: nil,
      commandsPerTrap: 1, bytesPerTrap: 1 << 12)
    setup.checksVirtual = board.options.offersVirtualLPIs
    let host = pages(
      at: ITSWorld.ram.first.address.rawValue,
      size: ITSWorld.hypervisor.first.address.rawValue - ITSWorld.ram.first.address.rawValue)
    var comparison = BoardComparison(
      setup, memory: [host: true, ITSWorld.hypervisor: false],
      redistributors: board.gic.redistributors.map { (PhysicalAddress($0.base), $0.typer) })
    let isLive = board.gic.redistributors.contains { $0.state.isEnabled }
    let gic = board.gic
    // A register that does not take what it is given counts as one for all.
    let isShared = gic.hasOneConfigurationBase || kind.isReadOnly && !kind.isLive
    try comparison.begin(
      board.guarding, sharesConfigurationBase: isLive ? nil : isShared,
      before: before, after: Self.look(board), memory: ProcessorMemory(gic.memory)
    ) { number, width, offset in gic.read(width, at: gic.redistributors[number].base + offset) ?? 0
    }
    self.comparison = comparison
  }

  private static func look(_ board: GuardedBoard) -> [ObservedRedistributor] {
    board.gic.redistributors.map { redistributor in
      ObservedRedistributor(hasVirtualFrame: redistributor.typer.hasVirtualLPIs) { width, offset in
        board.gic.read(width, at: redistributor.base + offset) ?? 0
      }
    }
  }

  /// Goes along, unless something was found already.
  private func compare(
    _ what: (inout BoardComparison) throws(Divergence) -> Void
  ) {
    guard problem == nil, var comparison = self.comparison.take() else { return }
    do throws(Divergence) {
      try what(&comparison)
      problem = comparison.violation
    } catch {
      problem = "\(error)"
    }
    self.comparison = comparison
  }

  private func compare(_ number: Int, _ entrance: Entrance, _ effect: Effect, by cpu: Int) {
    let trap = RedistributorTrap(entrance, effect, byOwnCPU: cpu == number, observations)
    compare { (comparison) throws(Divergence) in
      try comparison.finish(
        redistributor: number, trap, Self.look(board), board.guarding,
        ProcessorMemory(board.gic.memory))
    }
  }

  // MARK: The witness

  func willTrap(_ number: Int) {
    observations.removeAll(keepingCapacity: true)
    frame = board.base(number)
    compare { (comparison) throws(Divergence) in try comparison.step(Self.look(board)) }
  }

  func willWake(_ cpu: Int) {
    observations.removeAll(keepingCapacity: true)
    frame = board.base(cpu)
    compare { (comparison) throws(Divergence) in
      try comparison.step(Self.look(board), butFor: cpu)
    }
  }

  func hasRead(_ address: UInt64, _ value: UInt64?) {
    observations.append(.read(offset: address &- frame, value: value))
  }

  func hasWritten(_ address: UInt64, _ value: UInt64, isDone: Bool) {
    observations.append(.wrote(offset: address &- frame, value: value, isDone: isDone))
  }

  func hasLoaded(_ number: Int, _ access: Access, _ effect: ReadEffect, by cpu: Int) {
    let told: Effect =
      switch effect {
      case .value(let value): .value(value)
      case .refused: .aborted
      }
    compare(number, .load(offset: access.offset, access.width), told, by: cpu)
  }

  func hasStored(
    _ number: Int, _ access: Access, _ value: UInt64, _ effect: WriteEffect, by cpu: Int
  ) {
    let told: Effect =
      switch effect {
      case .done: .done
      case .again: .again
      case .refused: .aborted
      }
    compare(number, .store(offset: access.offset, access.width, value), told, by: cpu)
  }

  func hasWoken(_ cpu: Int, mayRun: Bool) {
    compare { (comparison) throws(Divergence) in
      try comparison.woke(
        redistributor: cpu, mayRun: mayRun, Self.look(board), board.guarding,
        ProcessorMemory(board.gic.memory))
    }
  }

  func hasClaimed(_ pages: PageRange, isGranted: Bool) {
    compare { (comparison) throws(Divergence) in
      if isGranted {
        try comparison.claimed(pages)
      } else {
        try comparison.refusedClaim(pages, isShared: false)
      }
    }
  }
}
