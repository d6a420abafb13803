// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CEmbedder
import Comparison
import GIC
import Hypervisor
import ITS
import Observing
import Ownership
@testable import PortcullisC
import Redistributor
import SMMU
import SimulatedHardware
import Simulation

/// A host that uses its pages and lets them go, an embedder that moves them, and the specification beside both.
final class EmbedderWalk: EmbedderWitness {
  let board: EmbedderBoard
  var comparison: BoardComparison
  /// What was found first.
  var problem: String?
  private let hasOwnChecks: Bool
  var dice: SeededGenerator

  /// Where the host and the embedder have most to do with each other.
  static let field = pages(EmbedderBoard.host.first.rawValue, 64)

  /// What the trap that is under way is of.
  enum Trap { case none, its, redistributor(Int) }
  var trap = Trap.none
  var observations: [Observation] = []
  /// What EL2 asked of the SMMU in the call that is under way.
  var asked: [SMMUObservation] = []
  private var tables: HardwareTables<HardwareMemory>?
  /// Whether the hardware was told of commands that it is not known to have consumed.
  var isWaiting: Bool { tables?.isWaiting == true }
  /// The host's queue, and the commands in it.
  var queue = EmbedderWalk.field
  var commands: UInt64 = 0
  var isEnabled = false

  /// Makes the world of a number.
  init(number: UInt64, hasOwnChecks: Bool) {
    self.hasOwnChecks = hasOwnChecks
    var dice = SeededGenerator(seed: number)
    var options = EmbedderOptions()
    options.hasSMMU = dice.oneIn(2)
    let orders: [SMMUConfiguration.Invalidation] = [
      .immediate, .atSync, .anyOrder(seed: number),
    ]
    options.smmu.invalidation = orders[Int(dice.below(3))]
    options.smmu.hasRangeInvalidation = dice.oneIn(2)
    options.smmu.commandQueueLog2 = dice.oneIn(4) ? 2 : 8
    options.isSlow = dice.oneIn(2)
    self.dice = dice
    board = EmbedderBoard(options)
    let before = Self.look(board)
    let status = board.claim()
    comparison = Self.begin(board)
    if status != PORTCULLIS_OK {
      problem = "no claim: \(status.rawValue), \(board.line)"
      return
    }
    check { (comparison) throws(Divergence) in
      try withRedistributors { (guards) throws(Divergence) in
        try comparison.begin(
          guards, sharesConfigurationBase: false, before: before, after: Self.look(board),
          memory: machine.pins
        ) { number, width, offset in
          board.gic.read(width, at: board.gic.redistributors[number].base + offset) ?? 0
        }
      }
    }
    if let smmu = board.smmu { begin(smmu) }
    board.witness = self
  }

  private static func begin(_ board: EmbedderBoard) -> BoardComparison {
    let setup = ComparedBoard(
      interruptIDBits: 16, stallsAtRefused: false, listedDevices: nil, commandsPerTrap: 512,
      bytesPerTrap: 128 << 10)
    var comparison = BoardComparison(
      setup, memory: [EmbedderBoard.host: true, board.hypervisor: false],
      redistributors: board.gic.redistributors.map { (PhysicalAddress($0.base), $0.typer) })
    comparison.begin(others: EmbedderBoard.other)
    return comparison
  }

  private func begin(_ smmu: SimulatedSMMU) {
    func register(_ name: SMMURegister) -> UInt64 {
      smmu.read(name.size == 8 ? .double : .word, at: name.offset) ?? 0
    }
    let tables = HardwareTables(HardwareMemory(memory: board.memory), register: register)
    comparison.add(
      devices: EmbedderBoard.streams, isNested: false, tables, register: register)
    comparison.begin(doorbells: EmbedderBoard.doorbell)
    self.tables = tables
  }

  static func look(_ board: EmbedderBoard) -> [ObservedRedistributor] {
    board.gic.redistributors.map { redistributor in
      ObservedRedistributor(hasVirtualFrame: false) { width, offset in
        board.gic.read(width, at: redistributor.base + offset) ?? 0
      }
    }
  }

  // MARK: The library's state

  var machine: EmbedderMachine {
    StateMemory.state(board.library).pointee.monitor.platform
  }

  func withRedistributors(
    _ body: (inout MediatedRedistributors) throws(Divergence) -> Void
  ) throws(Divergence) { try machine.withRedistributors(body) }

  /// The first page of a range that is held for the ITS.
  func held(of range: PageRange) -> PageFrameNumber? {
    machine.withITS(0) { its in its.mediation.held(of: range, memory: machine.memory) }
  }

  // MARK: The comparison

  /// Goes along, unless something was found already.
  func check(_ compare: (inout BoardComparison) throws(Divergence) -> Void) {
    guard problem == nil else { return }
    do throws(Divergence) {
      try compare(&comparison)
    } catch {
      problem = "\(error)"
    }
  }

  func hasRead(_ address: UInt64, _ value: UInt64?) {
    if case .redistributor(let number) = trap {
      let base = board.gic.redistributors[number].base
      observations.append(.read(offset: address &- base, value: value))
    }
    let place = EmbedderBoard.smmuFrame + SMMURegister.commandQueueConsumed.offset
    guard address == place, let value, tables?.confirm(value) == true else { return }
    asked.append(.confirmed)
  }

  func willWrite(_ address: UInt64, _ value: UInt64) {
    if case .redistributor(let number) = trap {
      let base = board.gic.redistributors[number].base
      observations.append(.wrote(offset: address &- base, value: value, isDone: true))
    }
    let offset = address &- EmbedderBoard.smmuFrame
    guard let smmu = board.smmu, let register = SMMURegister(rawValue: offset) else { return }
    if register == .commandQueueProduced, let told = tables?.publish(value) {
      asked.append(told)
    } else if register == .globalErrorAcknowledged, smmu.activeErrors.contains(.command),
      let resumed = tables?.resume(UInt64(smmu.stoppedAt.rawValue))
    {
      asked.append(resumed)
    } else {
      check { (comparison) throws(Divergence) in
        try comparison.hasWritten(value, to: register)
      }
    }
  }

  func hasShared(_ pages: PageRange, isGranted: Bool) {
    let its: Int? = if case .its = trap { 0 } else { nil }
    check { (comparison) throws(Divergence) in
      try comparison.shared(pages, its: its, isGranted: isGranted)
    }
  }

  func hasUnshared(_ pages: PageRange) {
    guard case .its = trap else { return }
    check { (comparison) throws(Divergence) in
      if comparison.queue(its: 0) != pages {
        throw Divergence("the ITS", expected: "its queue", found: "\(pages) let go")
      }
      comparison.unshared(its: 0)
    }
  }

  // MARK: Steps

  /// One step; what is wrong behind it.
  func step() -> String? {
    switch dice.below(20) {
    case 0: useQueue()
    case 1: leaveQueue()
    case 2: ring()
    case 3, 4: nameTables()
    case 5, 6: setEnabled(true)
    case 7: setEnabled(false)
    case 8: lookAtRedistributor()
    case 9, 10, 11: giveAway(range())
    case 12: moveAway()
    case 13, 14, 15: takeBack()
    case 16: giveAwayUnconfirmed()
    case 17 where dice.oneIn(24): race()
    default: access(pages(range().first.rawValue, 1))
    }
    if problem == nil { checkQueue() }
    if problem == nil { problem = comparison.violation }
    if problem == nil, hasOwnChecks { problem = fault }
    return problem
  }

  /// What software did that hardware forbids.
  private var fault: String? {
    if let fault = board.gic.faults.first { return "software fault: \(fault)" }
    return board.smmu?.faults.first.map { "software fault: \($0)" }
  }

  /// Pages that are in the host's way, and now and then others.
  func range() -> PageRange {
    let count = 1 + dice.below(4)
    return switch dice.below(16) {
    case 0: pages(EmbedderBoard.host.last.rawValue - dice.below(4), 1 + dice.below(8))
    case 1: pages(EmbedderBoard.other.last.rawValue - dice.below(8), 1 + dice.below(8))
    case 2: pages(EmbedderBoard.host.first.rawValue - dice.below(4), 1 + dice.below(8))
    case 3: pages(board.hypervisor.first.rawValue + dice.below(board.hypervisor.count) - 1, count)
    default: pages(Self.field.first.rawValue + dice.below(Self.field.count), count)
    }
  }
}
