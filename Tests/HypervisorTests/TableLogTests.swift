// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Ownership
import Simulation
import SimulatedHardware
import Testing

@Suite("The log of tables of a board")
struct TableLogTests {
  private final class Records {
    var all: [TableRecord] = []
  }

  private func started(
    _ records: Records, smmu: String? = nil
  ) throws -> BoardHardware {
    var options = BoardOptions()
    options.hasSMMU = smmu != nil
    if let smmu { options.bootArguments = "portcullis.smmu=\(smmu)" }
    let board = try BoardHardware(options) { records.all.append($0) }
    _ = try #require(board.start(), "\(board.console)")
    return board
  }

  @Test(
    "A boot and a life are logged whole, and their text says the same",
    arguments: ["owned", "nested"])
  func whole(smmu: String) throws {
    let records = Records()
    let board = try started(records, smmu: smmu)
    let driver = Driver(board)
    driver.begin()
    driver.map()
    try board.claim(0x5000_1000)
    #expect(board.faults == [])

    var roots: Set<LoggedTable> = []
    var stores: Set<LoggedTable> = []
    for (number, record) in records.all.enumerated() {
      #expect(record.sequence == UInt64(number))
      if case .root(let root) = record.event { roots.insert(root.kind) }
      if case .store(let store) = record.event, let kind = store.entry?.kind { stores.insert(kind) }
    }
    #expect(
      roots.isSuperset(of: [
        .stage2, .hypervisor, .deviceStage2, .smmuQueue, .itsQueue,
      ]))
    #expect(roots.contains(.streamDescriptor) || roots.contains(.streamEntry))
    #expect(
      stores.isSuperset(of: [.stage2, .hypervisor, .deviceStage2, .smmuQueue, .itsQueue]))
    let events = records.all.map(\.event)
    for event: TableEvent in [
      .run, .enter, .leave, .barrier, .take(.its), .release(.its), .take(.ownership),
      .its(BoardHardware.its(0), .enable), .its(BoardHardware.its(0), .tell),
    ] { #expect(events.contains(event), "\(event)") }
    #expect(events.contains { if case .its(_, .map) = $0 { true } else { false } })
    let smmus = events.compactMap { if case .smmu(_, let action) = $0 { action } else { nil } }
    #expect(smmus.contains(.sync) && smmus.contains(.tell))

    // What is read from the text leads to the same result.
    var checker = TableChecker()
    for record in records.all {
      let read = try #require(TableRecord(record.text), "\(record.text)")
      #expect(read == record)
      checker.take(read)
    }
    #expect(checker.faults == [])
  }

  @Test("A trap on another CPU is logged as its own")
  func cpus() throws {
    let records = Records()
    let board = try started(records)
    records.all = []
    _ = board.load(.double, BoardHardware.its(0) + 8, cpu: 1)
    #expect(records.all.first?.event == .enter && records.all.last?.event == .leave)
    #expect(records.all.contains { $0.event == .take(.its) })
    #expect(records.all.allSatisfy { $0.cpu == 1 })
  }

  @Test("A page that is taken without the lock is told by rule and event")
  func unlocked() throws {
    let board = try started(Records())
    board.stopsAtTableFault = false
    let page = FixedList<1, PageRange>([pages(0x5_0001)])
    _ = try board.monitor().state.shared.ownership.donate(page, expecting: .memory)
      .keepForever()
    let fault = try #require(board.tableLog.faults.first)
    #expect(fault.rule == .storeUnderLock)
    #expect(board.faults.first == fault.description)
  }

  @Test("A board on which a rule was broken stops at the next trap")
  func stops() async {
    await #expect(processExitsWith: .failure) {
      let board = try BoardHardware()
      _ = board.start()
      let page = FixedList<1, PageRange>([pages(0x5_0001)])
      _ = try board.monitor().state.shared.ownership.donate(page, expecting: .memory)
        .keepForever()
      _ = board.load(.double, BoardHardware.its(0) + 8)
    }
  }

  @Test("A lock that a trap leaves taken is told")
  func lock() throws {
    let board = try started(Records())
    board.stopsAtTableFault = false
    board.platform(1).willTake(.its)
    _ = board.load(.word, BoardHardware.image.base.rawValue, cpu: 1)
    #expect(board.tableLog.faults.map(\.rule) == [.locksAtExit])
  }
}
