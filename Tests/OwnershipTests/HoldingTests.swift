// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

@Suite("Memory that is held")
struct HoldingTests {
  private static let slots = PhysicalAddress(0x5fff_0000)

  private func table() -> PinTable { PinTable(list: Self.slots, capacity: 16) }

  @Test(
    "F-19: of holds that overlap, each page is shared until the last that has it ends",
    arguments: [
      (pages(0x44000, 4), pages(0x44001, 1)), (pages(0x44001, 1), pages(0x44000, 4)),
      (pages(0x44000, 3), pages(0x44002, 3)), (pages(0x44002, 3), pages(0x44000, 3)),
      (pages(0x441fe, 4), pages(0x44200, 1)), (pages(0x44000, 2), pages(0x44000, 2)),
    ], [false, true])
  func overlap(_ both: (PageRange, PageRange), isReversed: Bool) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let start = subject.usage
    var table = table()
    let first = try subject.hold(both.0, in: &table)
    let second = try subject.hold(both.1, in: &table)
    let all = Set(both.0.numbers).union(both.1.numbers)
    let during = subject.usage
    #expect(during.shared == UInt64(all.count) && during.pins == both.0.count + both.1.count)
    subject.release(isReversed ? second : first, of: &table)
    let rest = isReversed ? both.0 : both.1
    for number in all {
      let record = subject.pageRecord(of: frame(number))
      let isHeld = rest.contains(frame(number))
      #expect(record.pins == (isHeld ? 1 : 0) && (record.state == .sharedOwned) == isHeld)
      let el2 = el2Entry(subject, SmallBoard.linear.rawValue + number << 12)
      #expect((el2 != nil) == isHeld)
    }
    subject.release(isReversed ? first : second, of: &table)
    let after = subject.usage
    #expect(after == start)
    #expect(machine.violations == [] && machine.preparedCount == 0)
  }

  @Test("A pin and a hold may overlap, too")
  func pins() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let start = subject.usage
    var table = table()
    let pin = try subject.shareAndPin(list([pages(0x44000, 2), pages(0x44010, 2)]))
    let slot = try subject.hold(pages(0x44001, 16), in: &table)
    let isAlone = subject.unpinAndUnshare(pin)
    #expect(!isAlone)
    #expect(subject.pageRecord(of: frame(0x44000)) == .untouched)
    #expect(subject.pageRecord(of: frame(0x44011)) == .untouched)
    #expect(subject.pageRecord(of: frame(0x44010)).pins == 1)
    subject.release(slot, of: &table)
    let after = subject.usage
    #expect(after == start)
    #expect(machine.violations == [])
  }

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

  @Test("Too small a pool, and a refusal at any page, leave everything as it was")
  func refused() throws {
    let frames = Array(UInt64(0x441fc)..<0x44208)
    for free in UInt64(0)..<8 {
      for refusal in [nil, 0x441fe, 0x44200, 0x44203] as [UInt64?] {
        let machine = SimulatedMachine()
        var subject = try SmallBoard.make(machine, free: free + 4)
        var table = table()
        let earlier = try subject.hold(pages(0x44201), in: &table)
        let before = snapshot(subject, frames, windowPages: 0)
        machine.refusedFrame = refusal.map { frame($0) }
        do throws(OwnershipError) {
          let slot = try subject.hold(pages(0x441fe, 6), in: &table)
          #expect(refusal == nil)
          let during = subject.usage
          #expect(during.shared == 6 && during.pins == 7)
          subject.release(slot, of: &table)
        } catch {
          #expect(refusal != nil || free < 2, "\(error)")
        }
        let after = snapshot(subject, frames, windowPages: 0)
        #expect(after == before)
        machine.refusedFrame = nil
        subject.release(earlier, of: &table)
        #expect(subject.usage.shared == 0 && subject.usage.pins == 0)
        #expect(machine.violations == [] && machine.preparedCount == 0)
      }
    }
  }

  @Test("A page that is the hypervisor's, or lent, is held by nobody")
  func notTheHosts() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    var table = table()
    let start = subject.usage
    let claim = try subject.donate(list([pages(0x44002)]), expecting: .memory)
    #expect(throws: OwnershipError.wrongState(frame(0x44002), .none)) {
      _ = try subject.hold(pages(0x44000, 4), in: &table)
    }
    try subject.lend(claim)
    #expect(throws: OwnershipError.wrongState(frame(0x44002), .sharedBorrowed)) {
      _ = try subject.hold(pages(0x44000, 4), in: &table)
    }
    #expect(subject.usage.shared == start.shared && subject.usage.pins == 0)
    _ = claim.keepForever()
  }
}
