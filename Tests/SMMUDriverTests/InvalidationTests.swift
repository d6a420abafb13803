// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import Simulation
import Testing

@Suite("What SMMUs are told to forget")
struct InvalidationTests {
  /// The pages that commands name; nil where one of them names all.
  static func pages(_ commands: some Sequence<SMMUCommand>) throws -> Set<UInt64>? {
    var result: Set<UInt64> = []
    for command in commands {
      if command.opcode == .invalidateBothStages { return nil }
      try #require(command.opcode == .invalidateStage2Address && command.isLeaf)
      let isRange = command.granule != 0
      // That form is reserved.
      #expect(!isRange || command.rangeCount != 0 || command.rangeScale != 0)
      let count = isRange ? (command.rangeCount + 1) << command.rangeScale : 1
      for page in 0..<count { result.insert(command.address >> 12 + page) }
    }
    return result
  }

  static func following(
    _ board: DrivenBoard, _ pool: inout PagePool<SimulatedMemory>
  ) throws -> SMMUGroup<FakeMachine> {
    var group = try board.group()
    try group.begin(&pool)
    try group.map(pageRange(0x80000, 0x20000), .memory, &pool)
    board.forget()
    return group
  }

  @Test(
    "Exactly what was taken, and one SYNC each, whatever the shape",
    arguments: [
      [(0x80000, 1)], [(0x80001, 511)], [(0x80200, 512)], [(0x8abcd, 0x1357)],
      [(0x80000, 1), (0x80001, 1), (0x80002, 1)], [(0x80010, 3), (0x90000, 0x400), (0x80001, 1)],
      [(0x80000, 0x20000)],
    ])
  func ranges(taken: [(Int, Int)]) throws {
    let board = DrivenBoard(3)
    // The second has no ranges.
    board.units[1].registers[.identification3] = 2 << 11
    var pool = board.pool()
    var group = try Self.following(board, &pool)
    var expected: Set<UInt64> = []
    for (first, count) in taken {
      try group.unmap(pageRange(UInt64(first), UInt64(count)), .memory, &pool)
      for page in first..<first + count { expected.insert(UInt64(page)) }
    }
    #expect(board.units.allSatisfy { $0.commands.isEmpty })
    try group.sync()
    for (index, unit) in board.units.enumerated() {
      #expect(unit.commands.last == .synchronise)
      #expect(unit.commands.count <= 65)
      let named = try Self.pages(unit.commands.dropLast())
      if index == 1 && expected.count > 64 {
        #expect(unit.commands == [.invalidateBothStages(VMID(0)), .synchronise])
      } else {
        #expect(named == expected)
      }
    }
    // What is confirmed is not asked for again.
    board.forget()
    try group.sync()
    #expect(board.units.allSatisfy { $0.commands.isEmpty })
    let usage = group.usage
    #expect(usage.syncs == 3 && usage.unconfirmed == 0)
  }

  @Test("More ranges than are remembered are everything")
  func many() throws {
    let board = DrivenBoard(1)
    var pool = board.pool()
    var group = try Self.following(board, &pool)
    for index in 0..<UInt64(8) {
      try group.unmap(pageRange(0x80000 + 2 * index, 1), .memory, &pool)
    }
    try group.sync()
    #expect(board.units[0].commands.count == 9)
    board.forget()
    for index in 0..<UInt64(9) {
      try group.unmap(pageRange(0x81000 + 2 * index, 1), .memory, &pool)
    }
    try group.sync()
    #expect(board.units[0].commands == [.invalidateBothStages(VMID(0)), .synchronise])
  }

  @Test("The smallest command queue does, many times around")
  func smallQueue() throws {
    let board = DrivenBoard(1)
    board.units[0].registers[.identification1] = 2 << 21 | 19 << 16 | 16
    var pool = board.pool()
    var group = try Self.following(board, &pool)
    for index in 0..<UInt64(20) {
      board.forget()
      try group.unmap(pageRange(0x80000 + index * 16, 1 + index % 4), .memory, &pool)
      try group.sync()
      #expect(board.units[0].commands.last == .synchronise)
    }
  }

  @Test("An SMMU that does not answer in time has not confirmed, and is asked again")
  func timeout() throws {
    let board = DrivenBoard(3)
    var pool = board.pool()
    var group = try Self.following(board, &pool)
    let range = pageRange(0x80005, 3)
    board.units[1].consumes = false
    try group.unmap(range, .memory, &pool)
    #expect(throws: IOMMUError.notConfirmed(unit: 1)) { try group.sync() }
    group.restore(range, &pool)
    let table = group.table
    let restored = try #require(table)
      .leaf(from: frame(0x80006), in: SimulatedMemory(machine: board.machine))
    #expect(restored.output == PhysicalAddress(0x8000_6000))

    // It comes to itself, and must forget both.
    board.units[1].consumes = true
    board.forget()
    try group.unmap(pageRange(0x80100, 1), .memory, &pool)
    try group.sync()
    for unit in board.units {
      let named = try Self.pages(unit.commands.filter { $0 != .synchronise })
      #expect(named == [0x80005, 0x80006, 0x80007, 0x80100])
    }
    let usage = group.usage
    #expect(usage.unconfirmed == 1)
  }

  @Test("One that never answers again is refused, not waited for, once its queue is full")
  func dead() throws {
    let board = DrivenBoard(1)
    var pool = board.pool()
    var group = try Self.following(board, &pool)
    board.units[0].consumes = false
    for index in 0..<UInt64(300) {
      try group.unmap(pageRange(0x80000 + index, 1), .memory, &pool)
      #expect(throws: IOMMUError.notConfirmed(unit: 0)) { try group.sync() }
    }
    // Never more than the queue holds.
    let produced = UInt32(board.units[0][.commandQueueProduced])
    let consumed = UInt32(board.units[0][.commandQueueConsumed])
    #expect((produced &- consumed) & 0x1ff <= 256)
    board.units[0].consumes = true
    board.units[0].consume()
    try group.sync()
  }

  @Test("A command that stops the queue: not confirmed, and the queue goes on", arguments: [0, 1])
  func illegal(index: Int) throws {
    let board = DrivenBoard(2)
    var pool = board.pool()
    var group = try Self.following(board, &pool)
    board.units[1].illegal = [index]
    try group.unmap(pageRange(0x80003, 3), .memory, &pool)
    #expect(throws: IOMMUError.notConfirmed(unit: 1)) { try group.sync() }
    let unit = board.units[1]
    #expect((unit[.globalError] ^ unit[.globalErrorAcknowledged]) & 1 == 0)
    board.forget()
    try group.sync()
    let named = try Self.pages(unit.commands.dropLast())
    #expect(named == [0x80003, 0x80004, 0x80005])
  }

  @Test("One in Service Failure Mode has not confirmed, and is not waited for")
  func serviceFailure() throws {
    let board = DrivenBoard(1)
    var pool = board.pool()
    var group = try Self.following(board, &pool)
    board.units[0].consumes = false
    board.units[0].registers[.globalError] = 1 << 8
    try group.unmap(pageRange(0x80003, 3), .memory, &pool)
    let before = board.waits.count
    #expect(throws: IOMMUError.notConfirmed(unit: 0)) { try group.sync() }
    #expect(board.waits.count < before + 5)
  }

  @Test("A block that can't be split at once is confirmed in between, and only then")
  func splitting() throws {
    for level in [UInt64(0), 1, 2] {
      let board = DrivenBoard(2)
      // One that is worse than the others decides.
      board.units[1].registers[.identification3] = 1 << 10 | level << 11
      var pool = board.pool()
      var group = try board.group()
      try group.begin(&pool)
      try group.map(pageRange(0x8000, 0x200), .mmio, &pool)
      board.forget()
      try group.unmap(pageRange(0x8080, 1), .mmio, &pool)
      let between = level < 2 ? 1 : 0
      for unit in board.units {
        #expect(unit.commands.filter { $0 == .synchronise }.count == between)
      }
      board.forget()
      try group.sync()
      for unit in board.units {
        let named = try Self.pages(unit.commands.dropLast())
        #expect(named == [0x8080])
      }
    }
  }
}
