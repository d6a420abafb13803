// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import Simulation
import Testing

@Suite("What SMMUs record")
struct EventTests {
  static func driven(_ board: DrivenBoard) throws -> SMMUGroup<FakeMachine> {
    var pool = board.pool()
    var group = try board.group()
    try group.begin(&pool)
    board.forget()
    return group
  }

  /// F_TRANSLATION of stage 2, by a write of a stream to an address.
  static func translation(_ stream: UInt32, _ address: UInt64) -> SMMUEvent {
    SMMUEvent(0x10 | UInt64(stream) << 32, 1 << 39 | 2 << 40, address, address & ~0xfff)
  }

  @Test("A fault has its stream, its address and its reason")
  func fault() throws {
    let board = DrivenBoard(2)
    var group = try Self.driven(board)
    board.units[1].record(Self.translation(0x18, 0x4080_0123))
    let read = group.drainEvents(atMost: 8)
    let taken = group.takeFault()
    let fault = try #require(taken)
    #expect(read == 1 && fault.unit == 1 && fault.stream == StreamID(0x18))
    let address = try #require(fault.address)
    #expect(address == 0x4080_0123)
    #expect("\(fault.reason)" == "F_TRANSLATION" && fault.event.isStage2 && !fault.event.isRead)
    let none = group.takeFault()
    #expect(none == nil)
    let counts = group.events
    #expect(counts.count(of: .translation) == 1 && counts.total == 1)
    #expect(board.units[1][.eventQueueConsumed] == 1 && board.units[0].writes == [])
  }

  @Test("They are read in pieces, in order, as often around as it takes")
  func pieces() throws {
    let board = DrivenBoard(1)
    board.units[0].registers[.identification1] = 19 << 21 | 3 << 16 | 16
    var group = try Self.driven(board)
    var next: UInt32 = 0
    var seen: UInt32 = 0
    for _ in 0..<40 {
      for _ in 0..<5 {
        board.units[0].record(Self.translation(next, 0x1000))
        next += 1
      }
      let first = group.drainEvents(atMost: 3)
      let second = group.drainEvents(atMost: 3)
      #expect(first == 3 && second == 2)
      while let fault = group.takeFault() {
        #expect(fault.stream == StreamID(seen))
        seen += 1
      }
    }
    #expect(seen == 200)
    let counts = group.events
    #expect(counts.overflows == 0 && counts.unlogged == 0)
  }

  @Test("What was lost is noticed, once, and acknowledged")
  func overflow() throws {
    let board = DrivenBoard(1)
    board.units[0].registers[.identification1] = 19 << 21 | 2 << 16 | 16
    var group = try Self.driven(board)
    for round in UInt64(1)...3 {
      for stream in UInt32(0)..<7 { board.units[0].record(Self.translation(stream, 0)) }
      let read = group.drainEvents(atMost: 100)
      #expect(read == 4)
      let again = group.drainEvents(atMost: 100)
      #expect(again == 0)
      let counts = group.events
      #expect(counts.overflows == round && counts.total == 4 * round)
      let unit = board.units[0]
      #expect(unit[.eventQueueProduced] >> 31 == unit[.eventQueueConsumed] >> 31)
    }
  }

  @Test("The first ones are kept for the log, all are counted, known or not")
  func kept() throws {
    let board = DrivenBoard(1)
    var group = try Self.driven(board)
    for stream in UInt32(0)..<40 { board.units[0].record(Self.translation(stream, 0)) }
    for number in [UInt64(0x02), 0x0b, 0x25, 0x26, 0xe0] {
      board.units[0].record(SMMUEvent(number))
    }
    let read = group.drainEvents(atMost: 100)
    #expect(read == 45)
    let counts = group.events
    #expect(counts.count(of: .translation) == 40 && counts.count(of: .badStream) == 1)
    #expect(counts.count(of: .walkAbort) == 1 && counts.count(of: .machineFetch) == 1)
    #expect(counts.unknown == 2 && counts.total == 45 && counts.unlogged == 13)
    for stream in UInt32(0)..<32 {
      let kept = group.takeFault()?.stream
      #expect(kept == StreamID(stream))
    }
    let none = group.takeFault()
    #expect(none == nil)
  }

  @Test("A queue that claims nonsense is read once around, and no more")
  func nonsense() throws {
    let board = DrivenBoard(1)
    board.units[0].registers[.identification1] = 19 << 21 | 2 << 16 | 16
    var group = try Self.driven(board)
    board.units[0].registers[.eventQueueProduced] = 7
    let read = group.drainEvents(atMost: 100)
    #expect(read == 4)
  }

  @Test("Events that could not be written are counted; an error of commands is left to who waits")
  func aborted() throws {
    let board = DrivenBoard(1)
    var group = try Self.driven(board)
    board.units[0].registers[.globalError] = 1 << 2 | 1
    _ = group.drainEvents(atMost: 1)
    _ = group.drainEvents(atMost: 1)
    let counts = group.events
    #expect(counts.aborts == 1)
    #expect(board.units[0][.globalErrorAcknowledged] == 1 << 2)
  }

  @Test("Nothing is read of SMMUs that are not driven")
  func off() throws {
    let board = DrivenBoard(1)
    var group = try board.group()
    board.units[0].registers[.eventQueueProduced] = 3
    let read = group.drainEvents(atMost: 100)
    #expect(read == 0 && board.units[0].writes == [])
  }
}
