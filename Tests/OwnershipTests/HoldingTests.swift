// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SimulatedBoard
import Testing

@testable import Ownership

@Suite("Memory that is held")
struct HoldingTests {
  private static let slots = PhysicalAddress(0x5fff_0000)

  private func table() -> PinTable { PinTable(list: Self.slots, capacity: 16) }

  @Test("F-18: holds in ever new places take no more of the pool than one of them")
  func everNew() throws {
    let machine = SimulatedMachine()
    // What a hold of three areas takes: a table of the ledger and one of EL2 for each, and one above for EL2.
    var subject = try SmallBoard.make(machine, free: 9)
    let start = subject.usage
    var table = table()
    for round in 0..<3 {
      for area in UInt64(0x40200 >> 9)..<(0x5fa00 >> 9) {
        let first = area << 9 + 510
        let slot = try subject.hold(pages(first, 515), in: &table)
        #expect(subject.pageRecord(of: frame(first + 514)).pins == 1)
        subject.release(slot, of: &table)
        try #require(subject.usage == start, "round \(round)")
      }
    }
    #expect(machine.violations == [])
  }

  @Test("Claims in ever new places give back what EL2 and the ledger took for them")
  func claims() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var table = table()
    let slot = try subject.hold(pages(0x44000), in: &table)
    var used: [UInt64] = []
    for area in UInt64(0x50000 >> 9)..<(0x50000 >> 9 + 8) {
      var claim: Claim<8>? = try subject.donate(list([pages(area << 9)]), expecting: .memory)
      try subject.giveBack(&claim)
      used.append(subject.usage.tables)
    }
    // The block of the host's stage 2 stays split.
    #expect(used == used.indices.map { used[0] + UInt64($0) })
    subject.release(slot, of: &table)
    #expect(machine.violations == [])
  }

}
