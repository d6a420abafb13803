// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Redistributor
import SimulatedHardware
import Testing
import Traps

private let canary = ITSWorld.canary.first.address.rawValue
/// EL2's memory begins here, and ends the host's.
private let hypervisor = ITSWorld.hypervisor.first.address.rawValue

/// What a hostile host does, and what is expected of it.
struct Attack: Sendable, CustomTestStringConvertible {
  let name: String
  var hasVirtualLPIs = false
  var interruptIDBits: UInt64 = 16
  /// Whether LPIs are to be refused: they are the host's, and stay disabled, where a table is not.
  let run: @Sendable (GuardedBoard) -> Void
  var testDescription: String { name }

  init(
    _ name: String, hasVirtualLPIs: Bool = false, interruptIDBits: UInt64 = 16,
    _ run: @escaping @Sendable (GuardedBoard) -> Void
  ) {
    self.name = name
    self.hasVirtualLPIs = hasVirtualLPIs
    self.interruptIDBits = interruptIDBits
    self.run = run
  }

  static let all: [Attack] = [
    Attack("B-85 pending table in EL2's memory, by a 64-bit store") {
      $0.enable(pending: canary)
      $0.pend(8200)
    },
    Attack("B-85 pending table in EL2's memory, PTZ set") { board in
      board.write(0, FrameOffset.configuration, GuardedBoard.configuration() | 15)
      board.write(0, FrameOffset.pending, canary | 1 << 62)
      board.setEnabled(0, true)
      board.pend(8200)
    },
    Attack("B-07 pending table in EL2's memory, by 32-bit stores, low half first") { board in
      board.write(0, FrameOffset.configuration, GuardedBoard.configuration() | 15)
      board.write(0, FrameOffset.pending, canary & 0xffff_ffff, .word)
      board.write(0, FrameOffset.pending + 4, canary >> 32, .word)
      board.setEnabled(0, true)
      board.pend(8200)
    },
    Attack("B-07 pending table in EL2's memory, by 32-bit stores, high half first") { board in
      board.write(0, FrameOffset.configuration, GuardedBoard.configuration() | 15)
      board.write(0, FrameOffset.pending + 4, canary >> 32, .word)
      board.write(0, FrameOffset.pending, canary & 0xffff_ffff, .word)
      board.setEnabled(0, true)
      board.pend(8200)
    },
    Attack("B-07 only the low half of GICR_PENDBASER is moved to EL2's memory") { board in
      board.enable()
      board.setEnabled(0, false)
      board.write(0, FrameOffset.pending, canary & 0xffff_ffff, .word)
      board.setEnabled(0, true)
      board.pend(8200)
    },
    Attack("B-80 an address whose bits join those of the one before to EL2's") { board in
      let lowest = canary & (0 &- canary)
      board.enable(pending: canary & ~lowest)
      board.setEnabled(0, false)
      board.write(0, FrameOffset.pending, (board.value(0, FrameOffset.pending) ?? 0) | lowest)
      board.setEnabled(0, true)
      board.pend(8200)
    },
    Attack("B-85 configuration table in EL2's memory") {
      $0.enable(configuration: canary)
      $0.pend(8200)
    },
    Attack("B-85 configuration table that begins in the host's memory and ends in EL2's") {
      // 56 KiB, of which EL2 has 8: the last LPIs are in it.
      $0.enable(configuration: hypervisor - 0xc000)
      $0.pend(0xffff)
    },
    Attack(
      "B-29 pending table that begins in the host's memory and ends in EL2's", interruptIDBits: 24
    ) {
      $0.enable(
        configuration: GuardedBoard.configuration(), pending: hypervisor - 0x1f_0000, bits: 24)
      $0.pend(0xff_fff8)
    },
    Attack("B-85 both tables in EL2's memory") {
      $0.enable(configuration: canary, pending: canary)
      $0.pend(8200)
    },
    Attack("B-85 pending table of a Redistributor whose CPU is not there") {
      $0.enable(1, pending: canary)
      $0.pend(8200, on: 1)
    },
    Attack("B-85 pending table moved to EL2's memory after LPIs were disabled") { board in
      board.enable()
      board.setEnabled(0, false)
      board.enable(pending: canary)
      board.pend(8200)
    },
    Attack("B-85 another Redistributor has honest tables") { board in
      board.enable(1)
      board.enable(0, pending: canary)
      board.pend(8200)
    },
    Attack("B-55 a table given away while LPIs are enabled") { board in
      board.enable()
      _ = board.takePage(GuardedBoard.pending())
      board.pend(8200)
    },
    Attack("B-85 GICR_VPENDBASER in EL2's memory", hasVirtualLPIs: true) { board in
      board.write(0, FrameOffset.virtualConfiguration, GuardedBoard.configuration() | 15)
      board.write(0, FrameOffset.virtualPending, canary | 1 << 63)
    },
    Attack("B-85 GICR_VPENDBASER in EL2's memory, by 32-bit stores", hasVirtualLPIs: true) {
      board in
      board.write(0, FrameOffset.virtualConfiguration, GuardedBoard.configuration() | 15)
      board.write(0, FrameOffset.virtualPending, canary & 0xffff_ffff, .word)
      board.write(0, FrameOffset.virtualPending + 4, canary >> 32 | 1 << 31, .word)
    },
    Attack("B-85 another vPE becomes resident in EL2's memory", hasVirtualLPIs: true) { board in
      board.write(0, FrameOffset.virtualConfiguration, GuardedBoard.configuration() | 15)
      board.write(0, FrameOffset.virtualPending, GuardedBoard.pending(3) | 1 << 63)
      board.write(0, FrameOffset.virtualPending, canary | 1 << 63)
    },
  ]
}

@Suite("Attacks on Redistributors") struct AttackTests {
  private func run(
    _ attack: Attack, isMediated: Bool, offersVirtualLPIs: Bool = false
  ) throws -> GuardedBoard {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = attack.hasVirtualLPIs
    options.interruptIDBits = attack.interruptIDBits
    options.isMediated = isMediated
    options.offersVirtualLPIs = offersVirtualLPIs
    let board = try GuardedBoard(options)
    attack.run(board)
    return board
  }

  @Test("The hardware touches EL2's memory where nothing is mediated", arguments: Attack.all)
  func control(_ attack: Attack) throws {
    let board = try run(attack, isMediated: false)
    #expect(board.touchesHypervisor)
  }

  @Test("The hardware is never told of EL2's memory", arguments: Attack.all, [false, true])
  func mediated(_ attack: Attack, offersVirtualLPIs: Bool) throws {
    let board = try run(attack, isMediated: true, offersVirtualLPIs: offersVirtualLPIs)
    #expect(!board.touchesHypervisor)
    #expect(board.violation() == nil)
    for write in board.writes {
      let address = write.value & 0x000f_ffff_ffff_f000
      #expect(address < hypervisor - 0x1f_0000, "written to \(hex(write.offset))")
    }
    // The Redistributor serves an honest host afterwards.
    board.setEnabled(0, false)
    board.setEnabled(1, false)
    let base = GuardedBoard.configuration(2)
    let isEnabled = board.enable(configuration: base, pending: GuardedBoard.pending(7))
    #expect(isEnabled)
    board.gic.memory.store(.byte, 0xa1, at: base + 40)
    board.gic.delivered = []
    board.pend(8192 + 40)
    #expect(board.gic.delivered.map(\.interrupt) == [8192 + 40])
    #expect(board.violation() == nil)
  }

  @Test(
    "B-87 A table that is not memory of the host is refused, wherever it is",
    arguments: [0, 0x808_0000, 0x810_0000, 0x6000_0000, 0x000f_ffff_ffff_0000, 0x3fff_0000]
      as [UInt64])
  func places(_ base: UInt64) throws {
    let board = try GuardedBoard()
    #expect(!board.enable(pending: base))
    #expect(!board.enable(configuration: base))
    #expect(board.guarding.counters.refused[Int(TableRefusal.pendingTable.rawValue)] == 1)
    #expect(board.guarding.counters.refused[Int(TableRefusal.configurationTable.rawValue)] == 1)
    #expect(board.guarding.heldTables == 0)
    #expect(board.violation() == nil)
  }

  @Test("F-11: tables beyond the GIC's addresses are refused: it would drop the high bits")
  func reach() throws {
    // The last page of the pending table is the first that is beyond.
    let board = try GuardedBoard(
      GuardedBoardOptions(addressLimit: GuardedBoard.pending() + 0x1000))
    #expect(!board.enable())
    #expect(!board.enable(configuration: GuardedBoard.pending(1), pending: 0x4000_0000))
    #expect(board.guarding.counters.count(.unreachable) == 2)
    #expect(board.guarding.heldTables == 0)
    let isEnabled = board.enable(pending: GuardedBoard.pending() - 0x1_0000)
    #expect(isEnabled && board.violation() == nil)
  }

  @Test("B-55 No page of a table goes to anybody else while the hardware may touch it")
  func donation() throws {
    let board = try GuardedBoard()
    let isEnabled = board.enable()
    #expect(isEnabled)
    let pages: [UInt64] = [
      GuardedBoard.pending(), GuardedBoard.pending() + 0x1000, GuardedBoard.configuration(),
      GuardedBoard.configuration() + 0xd000,
    ]
    for page in pages {
      let isTaken = board.takePage(page)
      #expect(!isTaken)
    }
    // The true span and no more: 8 KiB and 56 KiB.
    let behind = board.takePage(GuardedBoard.pending() + 0x2000)
    let last = board.takePage(GuardedBoard.configuration() + 0xe000)
    #expect(behind && last)
    board.gic.redistributors[0].stopsSlowly = true
    board.setEnabled(0, false)
    for page in pages {
      let isTaken = board.takePage(page)
      #expect(!isTaken)
    }
    board.gic.redistributors[0].finishStopping()
    // Until somebody looks.
    let early = board.takePage(pages[0])
    #expect(!early)
    _ = board.value(0, FrameOffset.control, .word)
    for page in pages {
      let isTaken = board.takePage(page)
      #expect(isTaken)
    }
    #expect(board.violation() == nil)
  }

  @Test("B-55 A table that was EL2's before is refused", arguments: [true, false])
  func taken(_ isPending: Bool) throws {
    let board = try GuardedBoard()
    let page = isPending ? GuardedBoard.pending() + 0x1000 : GuardedBoard.configuration() + 0x3000
    let isTaken = board.takePage(page)
    #expect(isTaken)
    #expect(!board.enable())
    #expect(board.guarding.heldTables == 0)
  }
}
