// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Hypervisor
import SimulatedHardware
import Simulation
import Testing
import Trace

/// A host that does to the first ITSes and Redistributors of its board what comes to its mind.
private struct HostileDriver {
  private static let memory: UInt64 = 0x4a00_0000
  private static let redistributors: UInt64 = 0x80a_0000

  let board: BoardHardware
  private var dice: SeededGenerator
  /// The offset in each queue up to which doorbells have been rung.
  private var offsets: [UInt64]

  init(_ board: BoardHardware, seed: UInt64) {
    self.board = board
    dice = SeededGenerator(seed: seed)
    offsets = Array(repeating: 0, count: board.options.services)
  }

  /// A page of the host, seldom one of EL2's.
  private mutating func page() -> UInt64 {
    dice.oneIn(16)
      ? BoardHardware.image.base.rawValue + 0x1_0000 : Self.memory + dice.below(64) << 12
  }

  private mutating func command() -> ITSCommand {
    let device = UInt32(dice.below(4))
    let collection = UInt16(dice.below(4))
    let interrupt = 8192 + UInt32(dice.below(4))
    return switch dice.below(12) {
    case 0, 1: .mapc(collection, target: dice.below(UInt64(board.options.processors + 1)))
    case 2, 3: .mapd(device, table: page(), eventIDBits: 1 + dice.below(6))
    case 4, 5: .mapti(device, UInt32(dice.below(4)), interrupt: interrupt, collectionID: collection)
    case 6: .unmapd(device)
    case 7: .event(.inv, device, UInt32(dice.below(4)))
    case 8: .event(.int, device, UInt32(dice.below(4)))
    case 9: .event(.discard, device, UInt32(dice.below(4)))
    case 10: .sync(target: dice.below(2))
    default: ITSCommand(dice.next(), dice.next(), dice.next(), dice.next())
    }
  }

  /// Commands in a queue of one page, and a doorbell.
  private mutating func send(_ its: Int) {
    let frame = BoardHardware.its(its)
    let queue = Self.memory + UInt64(its) << 12
    for _ in 0..<1 + dice.below(6) {
      let command = command()
      for (index, word) in [command.word0, command.word1, command.word2, command.word3].enumerated()
      {
        board.memory.store(.double, word, at: queue + offsets[its] + UInt64(index) * 8)
      }
      offsets[its] = (offsets[its] + ITSCommand.size) % 4096
    }
    _ = board.store(.double, frame + ITSRegister.commandWrite.offset, offsets[its])
  }

  /// Installs queue and tables of an ITS as drivers do, and enables it.
  private mutating func begin(_ its: Int) {
    let frame = BoardHardware.its(its)
    _ = board.store(.word, frame, 0)
    for number in 0..<8 as Range<UInt64> {
      let table = page() | 1 << 63 | (dice.oneIn(4) ? 1 << 62 : 0)
      _ = board.store(.double, frame + ITSRegister.tableBases.offset + number * 8, table)
    }
    let queue = Self.memory + UInt64(its) << 12
    _ = board.store(.double, frame + ITSRegister.commandBase.offset, queue | 1 << 63)
    offsets[its] = 0
    _ = board.store(.word, frame, 1)
  }

  private mutating func useRedistributor() {
    let frame = Self.redistributors + dice.below(UInt64(board.options.processors)) * 0x2_0000
    switch dice.below(5) {
    case 0: _ = board.store(.double, frame + 0x70, page() | 13 + dice.below(3))
    case 1: _ = board.store(.double, frame + 0x78, page() & ~0xffff | dice.below(2) << 62)
    case 2: _ = board.store(.word, frame, dice.below(2))
    case 3: _ = board.load(.word, frame)
    default: _ = board.load(.double, frame + 0x70 + dice.below(2) * 8)
    }
  }

  /// Does one thing.
  mutating func step() {
    let its = Int(dice.below(UInt64(board.options.services)))
    let frame = BoardHardware.its(its)
    switch dice.below(16) {
    case 0: begin(its)
    case 1...6: send(its)
    case 7, 8: _ = board.load(.double, frame + ITSRegister.commandRead.offset)
    case 9: _ = board.load(.word, frame)
    case 10: _ = board.store(.word, frame, dice.below(2))
    case 11:
      let register = dice.below(0x140) & ~7
      _ = board.store(.double, frame + register, dice.next())
    case 12: _ = board.load(.word, frame + dice.below(0x1_0000) & ~3)
    case 13: for _ in 0..<dice.below(8) { board.gic.services[its].step() }
    default: useRedistributor()
    }
  }
}

@Suite("The specification beside the monitor")
struct CheckedBoardTests {
  /// How devices are confined.
  enum Confinement: String, CaseIterable {
    case none = ""
    case owned = "portcullis.smmu=owned"
    case nested = "portcullis.smmu=nested"
  }

  private func started(
    _ confinement: Confinement = .none, services: Int = 2
  ) throws -> (BoardHardware, CheckedBoard) {
    var options = BoardOptions()
    options.services = services
    options.hasSMMU = confinement != .none
    options.bootArguments = confinement.rawValue
    let board = try BoardHardware(options)
    let checked = CheckedBoard(board)
    _ = try #require(board.start(), "\(board.console)")
    return (board, checked)
  }

  @Test("Whatever a host does, the monitor does as specified", arguments: Confinement.allCases)
  func hostile(_ confinement: Confinement) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let (board, checked) = try started(confinement)
      var driver = HostileDriver(board, seed: seed)
      for _ in 0..<600 where checked.problem == nil { driver.step() }
      #expect(checked.traps.itses > 300 && checked.traps.redistributors > 30)
      #expect(board.faults.isEmpty && board.violations().isEmpty)
    }
  }

  @Test("ITSes come to rest before a loss of power, and each is looked at behind it")
  func suspended() throws {
    let (board, checked) = try started()
    var driver = HostileDriver(board, seed: 7)
    for _ in 0..<20 {
      for _ in 0..<20 { driver.step() }
      _ = board.call(SMCCC.Call(PSCI.systemSuspend64, 0x4840_0000))
      _ = board.call(SMCCC.Call(PSCI.cpuOn64, 1, 0x4840_0000))
      _ = board.monitor(1).startCPU(1)
    }
    // Two ITSes, each before and behind the loss, and behind the start of a CPU.
    #expect(checked.problem == nil && checked.losses >= 20 * 4)
    #expect(board.calls.contains { $0.function == PSCI.systemSuspend64 })
  }

  @Test("A pause of which nobody has seen anything is told")
  func unseen() throws {
    let (board, checked) = try started(services: 1)
    let driver = Driver(board)
    driver.begin()
    #expect(checked.problem == nil)
    (checked.tells, checked.isBlind) = (false, true)
    _ = board.call(SMCCC.Call(PSCI.systemSuspend64, 0x4840_0000))
    #expect(checked.problem != nil)
  }

  @Test("An answer that is not permitted is told, with what is")
  func different() throws {
    let (board, checked) = try started()
    checked.tells = false
    checked.change = { $0.value &+= 1 }
    _ = board.load(.double, BoardHardware.its(0) + ITSRegister.commandRead.offset)
    let problem = try #require(checked.problem)
    #expect(problem.contains("load of 8 bytes at GITS_CREADR"))
  }

  @Test("So is what the hardware has that EL2 has not given it")
  func changed() throws {
    let (board, checked) = try started()
    checked.tells = false
    _ = board.load(.word, 0x80a_0000)
    #expect(checked.problem == nil)
    board.gic.redistributors[0].state.isEnabled = true
    _ = board.load(.word, 0x80a_0000)
    #expect(checked.problem != nil)
  }
}
