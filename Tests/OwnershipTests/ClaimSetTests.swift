// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

@Suite("Claims that end together") struct ClaimSetTests {
  /// Ranges that share tables, blocks and neither.
  static let ranges = [
    pages(0x43ffe, 4), pages(0x44010, 1), pages(0x46200, 0x200), pages(0x50000, 3),
    pages(0x44011, 1),
  ]
  static let frames = ranges.flatMap { range in
    [range.first.rawValue - 1] + Array(range.numbers) + [range.last.rawValue + 1]
  }
  private static let list = PhysicalAddress(0x5fff_0000)

  /// What can be seen of the frames; splitting a block may have cost table pages.
  private static func seen(_ subject: borrowing Subject) -> [AnyHashable] {
    let snapshot = snapshot(subject, frames)
    return snapshot.records.map { AnyHashable($0) }
      + snapshot.host.map { AnyHashable("\($0)") }
      + snapshot.linear.map { AnyHashable("\($0 as Any)") }
  }

  /// Writes something on each page, as a host has it.
  private static func fill(_ machine: SimulatedMachine) {
    for number in frames { machine.words[number << 12 + 8] = number }
  }

  @Test("All are given back as they were, with what the host had in them")
  func givenBack() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    Self.fill(machine)
    let before = Self.seen(subject)
    var set = ClaimSet(list: Self.list, capacity: 8)
    for range in Self.ranges { try subject.donate(range, into: &set) }
    #expect(set.count == 5)
    for range in Self.ranges {
      for number in range.numbers {
        let entry = hostEntry(subject, number)
        #expect(entry.address == nil && entry.owner == .hypervisor)
      }
    }
    try subject.giveBackUntouched(&set)
    #expect(set.count == 0)
    set.keepForever()
    #expect(Self.seen(subject) == before)
    for number in Self.frames { #expect(machine.words[number << 12 + 8] == number) }
    #expect(machine.violations.isEmpty)
    #expect(machine.preparedCount == 0)
  }

  @Test("A full set takes nothing more, and nothing has changed")
  func full() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var set = ClaimSet(list: Self.list, capacity: 2)
    try subject.donate(Self.ranges[0], into: &set)
    try subject.donate(Self.ranges[1], into: &set)
    let before = Self.seen(subject)
    #expect(throws: OwnershipError.tooManyRanges(capacity: 2)) {
      try subject.donate(Self.ranges[2], into: &set)
    }
    #expect(set.count == 2)
    #expect(Self.seen(subject) == before)
    // Nothing lies behind the list.
    #expect(machine.words[Self.list.rawValue + ClaimSet.size(capacity: 2)] == nil)
    try subject.giveBackUntouched(&set)
    set.keepForever()
  }

  @Test("A page that is refused, or in the set already, changes nothing", arguments: 0..<4)
  func refused(_ page: UInt64) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var set = ClaimSet(list: Self.list, capacity: 8)
    try subject.donate(Self.ranges[1], into: &set)
    let before = Self.seen(subject)
    machine.refusedFrame = frame(Self.ranges[0].first.rawValue + page)
    #expect(throws: OwnershipError.self) { try subject.donate(Self.ranges[0], into: &set) }
    machine.refusedFrame = nil
    #expect(
      throws: OwnershipError.wrongState(Self.ranges[1].first, .none)
    ) { try subject.donate(Self.ranges[1], into: &set) }
    #expect(set.count == 1)
    #expect(Self.seen(subject) == before)
    try subject.giveBackUntouched(&set)
    set.keepForever()
  }

  @Test("What can't be given back stays in the set, and can be given back later")
  func stuck() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let before = Self.seen(subject)
    var set = ClaimSet(list: Self.list, capacity: 8)
    for range in Self.ranges { try subject.donate(range, into: &set) }
    // The last range comes first.
    machine.refusedFrame = Self.ranges[2].last
    #expect(throws: OwnershipError.refusedByObserver(Self.ranges[2].last)) {
      try subject.giveBackUntouched(&set)
    }
    #expect(set.count == 3)
    for (index, range) in Self.ranges.enumerated() {
      let entry = hostEntry(subject, range.first.rawValue)
      #expect((entry.address == nil) == (index < 3))
    }
    machine.refusedFrame = nil
    try subject.giveBackUntouched(&set)
    set.keepForever()
    #expect(Self.seen(subject) == before)
  }

  @Test("What is kept for good stays the hypervisor's")
  func kept() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var set = ClaimSet(list: Self.list, capacity: 8)
    for range in Self.ranges { try subject.donate(range, into: &set) }
    set.keepForever()
    for range in Self.ranges {
      #expect(hostEntry(subject, range.last.rawValue).owner == .hypervisor)
      #expect(subject.pageRecord(of: range.first).state == .none)
    }
  }
}
