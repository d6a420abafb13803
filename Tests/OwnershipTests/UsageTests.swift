// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

@Suite("How much owners and translations use") struct UsageTests {
  private static let slots = PhysicalAddress(0x5fff_0000)

  @Test("What is held and released over and over uses no more than the first time")
  func held() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let start = subject.usage
    #expect(start.claimed == 0 && start.shared == 0 && start.pins == 0)
    var table = PinTable(list: Self.slots, capacity: 4)
    var first: OwnershipUsage?
    for _ in 0..<50 {
      let one = try subject.hold(pages(0x44000, 3), in: &table)
      let two = try subject.hold(pages(0x44000, 3), in: &table)
      let during = subject.usage
      // The pages are shared once, and two hold them.
      #expect(during.shared == 3 && during.pins == 6 && during.claimed == 0)
      subject.release(one, of: &table)
      let half = subject.usage
      #expect(half.shared == 3 && half.pins == 3)
      subject.release(two, of: &table)
      let after = subject.usage
      #expect(after.shared == 0 && after.pins == 0)
      #expect(after.tables + after.freeTables == start.tables + start.freeTables)
      // Tables that were needed once stay, and serve again.
      if let first { #expect(after == first) } else { first = after }
    }
  }

  @Test("What is taken from the host counts until it is given back")
  func claimed() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var claim: Claim<8>? = try subject.donate(list([pages(0x44000, 5)]), expecting: .memory)
    let during = subject.usage
    #expect(during.claimed == 5)
    try subject.giveBack(&claim)
    let after = subject.usage
    #expect(after.claimed == 0)
  }

  @Test("What is refused counts nothing")
  func refused() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let before = subject.usage
    machine.refusedFrame = frame(0x44001)
    #expect(throws: OwnershipError.self) { try subject.share([pages(0x44000, 3)].span) }
    let after = subject.usage
    #expect(after == before)
  }
}
