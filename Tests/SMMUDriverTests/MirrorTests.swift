// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import Simulation
import Testing

@Suite("SMMUs behind the mirror")
struct MirrorTests {
  typealias Subject = Ownership<
    SimulatedMemory, Stage2Table<SimulatedCache>, EL2Stage1Table<SimulatedCache>,
    DMAMirror<SMMUGroup<FakeMachine>>
  >

  /// The small board with SMMUs, of which the mirror follows.
  static func following(_ board: DrivenBoard) throws -> Subject {
    var subject = try SmallBoard.division(poolPages: SmallBoard.bootPages.get() + 100).owners(
      in: SimulatedMemory(machine: board.machine), cache: SimulatedCache(machine: board.machine),
      observer: DMAMirror(board.group()))
    try subject.updateObserver { (mirror, host, map, pool) throws(IOMMUError) in
      try mirror.start(host, map, &pool)
    }
    board.forget()
    return subject
  }

  /// What devices may do to a page, by a walk of the table that the entries of streams point to.
  static func reach(_ subject: borrowing Subject, _ board: DrivenBoard, _ page: UInt64)
    -> PhysicalAddress?
  {
    subject.observer.driver.table?
      .leaf(from: frame(page), in: SimulatedMemory(machine: board.machine)).output
  }

  @Test("What the host loses every SMMU has forgotten, with one SYNC; what it gains takes none")
  func donation() throws {
    let board = DrivenBoard(3)
    var subject = try Self.following(board)
    let before = Self.reach(subject, board, 0x50001)
    #expect(before == frame(0x50001).address)
    let ranges = [pageRange(0x43ffe, 4), pageRange(0x50000, 3)]
    var claim: Claim<8>? = try subject.donate(list(ranges), expecting: .memory)
    for unit in board.units {
      #expect(unit.commands.last == .synchronise)
      let named = try InvalidationTests.pages(unit.commands.dropLast())
      #expect(named == [0x43ffe, 0x43fff, 0x44000, 0x44001, 0x50000, 0x50001, 0x50002])
    }
    for page: UInt64 in [0x43ffe, 0x44001, 0x50000, 0x50002] {
      let reached = Self.reach(subject, board, page)
      #expect(reached == nil)
    }
    let beside = Self.reach(subject, board, 0x50003)
    #expect(beside == frame(0x50003).address)
    board.forget()
    try subject.giveBack(&claim)
    #expect(board.units.allSatisfy { $0.commands.isEmpty })
    let after = Self.reach(subject, board, 0x50001)
    #expect(after == frame(0x50001).address)
  }

  @Test("MMIO is taken as memory is")
  func mmio() throws {
    let board = DrivenBoard(1)
    var subject = try Self.following(board)
    let ranges = [pageRange(0x8080, 16)]
    var claim: Claim<8>? = try subject.donate(list(ranges), expecting: .mmio)
    let named = try InvalidationTests.pages(board.units[0].commands.dropLast())
    let expected = Set<UInt64>(0x8080..<0x8090)
    #expect(named == expected)
    let reached = Self.reach(subject, board, 0x8080)
    #expect(reached == nil)
    try subject.giveBack(&claim)
  }

  @Test("Where an SMMU does not confirm, the page stays the host's, until it does")
  func unconfirmed() throws {
    let board = DrivenBoard(2)
    var subject = try Self.following(board)
    let ranges = [pageRange(0x50000, 3)]
    board.units[1].consumes = false
    #expect(throws: OwnershipError.refusedByObserver(frame(0x50000))) {
      let claim = try subject.donate(list(ranges), expecting: .memory)
      _ = claim.keepForever()
    }
    let kept = Self.reach(subject, board, 0x50001)
    #expect(kept == frame(0x50001).address)
    let state = subject.pageRecord(of: frame(0x50000)).state
    #expect(state == PageState.owned)
    board.units[1].consumes = true
    var claim: Claim<8>? = try subject.donate(list(ranges), expecting: .memory)
    let reached = Self.reach(subject, board, 0x50001)
    #expect(reached == nil)
    try subject.giveBack(&claim)
  }
}
