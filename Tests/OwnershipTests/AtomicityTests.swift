// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

/// A set of regions to claim, chosen so that they share tables, blocks and neither.
struct RegionSet: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let kind: PageKind
  let ranges: [PageRange]

  static let all = [
    RegionSet(
      testDescription: "three device frames of 16 pages, two in one block", kind: .mmio,
      ranges: [pages(0x8080, 16), pages(0x80a0, 16), pages(0x1_0000_00, 16)]),
    RegionSet(
      testDescription: "memory across the edge of a 2 MiB block", kind: .memory,
      ranges: [pages(0x43ffe, 4), pages(0x44010, 1), pages(0x50000, 3)]),
    RegionSet(
      testDescription: "a whole 2 MiB block and single pages around it", kind: .memory,
      ranges: [pages(0x46200, 0x200), pages(0x461ff, 1), pages(0x46400, 1)]),
  ]

  /// The pages of the set and those beside each range.
  var frames: [UInt64] {
    ranges.flatMap { range in
      [range.first.rawValue - 1] + Array(range.numbers) + [range.last.rawValue + 1]
    }
  }
}

@Suite("All or nothing")
struct AtomicityTests {
  static func needed(_ set: RegionSet) throws -> UInt64 {
    var subject = try SmallBoard.make(SimulatedMachine())
    let before = subject.freeTablePages
    let claim = try subject.donate(list(set.ranges), expecting: set.kind)
    _ = claim.keepForever()
    return before - subject.freeTablePages
  }

  @Test("A refusal at any page of any region leaves everything as it was", arguments: RegionSet.all)
  func refusal(_ set: RegionSet) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let before = snapshot(subject, set.frames)
    let words = machine.words
    var points = 0
    for range in set.ranges {
      for number in range.numbers {
        machine.refusedFrame = frame(number)
        machine.events = []
        let error = #expect(throws: OwnershipError.self) {
          let claim = try subject.donate(list(set.ranges), expecting: set.kind)
          _ = claim.keepForever()
        }
        #expect(error == .refusedByObserver(frame(number)))
        // The pages prepared before, and no others, are aborted.
        #expect(machine.preparedCount == 0 && machine.events.count == 2 * points)
        let after = snapshot(subject, number == range.first.rawValue ? set.frames : [number])
        if number == range.first.rawValue { #expect(after == before) }
        #expect(machine.words == words)
        points += 1
      }
    }
    #expect(points == set.ranges.map { Int($0.count) }.reduce(0, +))
    machine.refusedFrame = nil
    let claim = try subject.donate(list(set.ranges), expecting: set.kind)
    _ = claim.keepForever()
    #expect(hostEntry(subject, set.ranges[0].first.rawValue).owner == .hypervisor)
  }

  @Test(
    "A page that can't be taken from the host's devices leaves everything as it was",
    arguments: RegionSet.all)
  func irrevocable(_ set: RegionSet) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let before = snapshot(subject, set.frames)
    let words = machine.words
    for range in set.ranges {
      machine.irrevocableFrame = range.last
      #expect(throws: OwnershipError.refusedByObserver(range.last)) {
        let claim = try subject.donate(list(set.ranges), expecting: set.kind)
        _ = claim.keepForever()
      }
      let after = snapshot(subject, set.frames)
      #expect(after == before)
      #expect(machine.words == words && machine.preparedCount == 0)
    }
    machine.irrevocableFrame = nil
    let claim = try subject.donate(list(set.ranges), expecting: set.kind)
    _ = claim.keepForever()
    #expect(hostEntry(subject, set.ranges[0].first.rawValue).owner == .hypervisor)
  }

  @Test("A recall that the observer can't follow leaves the pages lent")
  func irrevocableLoan() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let range = pages(SmallBoard.memoryPage, 3)
    let claim = try subject.donate(list([range]), expecting: .memory)
    try subject.lend(claim)
    machine.irrevocableFrame = range.last
    #expect(throws: OwnershipError.refusedByObserver(range.last)) { try subject.recall(claim) }
    #expect(subject.pageRecord(of: range.first).state == .sharedBorrowed)
    #expect(hostEntry(subject, range.last.rawValue).address == range.last.address)
    machine.irrevocableFrame = nil
    try subject.recall(claim)
    #expect(subject.pageRecord(of: range.last).state == PageState.none)
    #expect(machine.preparedCount == 0)
    _ = claim.keepForever()
  }

  @Test("The pages that the observer asks for are reserved with the others, and come back")
  func observerPages() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine, free: 20)
    machine.observerPages = 21
    #expect(throws: OwnershipError.self) {
      let claim = try subject.donate(list([pages(SmallBoard.memoryPage)]), expecting: .memory)
      _ = claim.keepForever()
    }
    #expect(subject.freeTablePages == 20 && machine.preparedCount == 0)
    machine.observerPages = 10
    let claim = try subject.donate(list([pages(SmallBoard.memoryPage)]), expecting: .memory)
    _ = claim.keepForever()
    #expect(subject.freeTablePages > 10)
  }

  @Test("Too small a pool, of every size, leaves everything as it was", arguments: RegionSet.all)
  func exhaustion(_ set: RegionSet) throws {
    let needed = try Self.needed(set)
    #expect(needed > 3)
    for free in 0..<needed {
      let machine = SimulatedMachine()
      var subject = try SmallBoard.make(machine, free: free)
      let before = snapshot(subject, set.frames)
      let words = machine.words
      let error = #expect(throws: OwnershipError.self) {
        let claim = try subject.donate(list(set.ranges), expecting: set.kind)
        _ = claim.keepForever()
      }
      #expect(error == .poolExhausted(needed: needed, free: free))
      let after = snapshot(subject, set.frames)
      #expect(after == before)
      #expect(machine.words == words && machine.preparedCount == 0)
    }
    var subject = try SmallBoard.make(SimulatedMachine(), free: needed)
    let claim = try subject.donate(list(set.ranges), expecting: set.kind)
    _ = claim.keepForever()
    #expect(subject.freeTablePages == 0)
  }

  @Test("A page in the wrong state, anywhere in a set, leaves everything as it was")
  func wrongState() throws {
    let set = RegionSet.all[1]
    for range in set.ranges {
      for number in range.numbers {
        var subject = try SmallBoard.make(SimulatedMachine())
        try subject.share([pages(number)].span)
        let before = snapshot(subject, set.frames)
        #expect(throws: OwnershipError.wrongState(frame(number), .sharedOwned)) {
          let claim = try subject.donate(list(set.ranges), expecting: set.kind)
          _ = claim.keepForever()
        }
        let after = snapshot(subject, set.frames)
        #expect(after == before)
      }
    }
  }

  @Test("A refused return keeps the claim, and everything else", arguments: RegionSet.all)
  func refusedReturn(_ set: RegionSet) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var claim: Claim<8>? = try subject.donate(list(set.ranges), expecting: set.kind)
    let before = snapshot(subject, set.frames)
    machine.refusedFrame = set.ranges[set.ranges.count - 1].last
    #expect(throws: OwnershipError.refusedByObserver(set.ranges[set.ranges.count - 1].last)) {
      try subject.giveBack(&claim)
    }
    let after = snapshot(subject, set.frames)
    #expect(after == before)
    machine.refusedFrame = nil
    try subject.giveBack(&claim)
    let records = snapshot(subject, set.frames).records
    #expect(records.allSatisfy { $0 == .untouched })
  }

  @Test(
    "Requests that contradict themselves or leave the space are refused",
    arguments: [
      ([], OwnershipError.empty),
      ([pages(0x44444), pages(0x44444)], .overlap(frame(0x44444))),
      ([pages(0x44440, 8), pages(0x44000), pages(0x44447, 2)], .overlap(frame(0x44447))),
      ([pages(1 << 28)], .outOfRange(frame(1 << 28))),
      ([pages((1 << 28) - 1, 2)], .outOfRange(frame(1 << 28))),
      ([pages(PageRange.limit - 1)], .outOfRange(frame(PageRange.limit - 1))),
      ([pages(0, PageRange.limit)], .outOfRange(frame(1 << 28))),
    ])
  func nonsense(_ ranges: [PageRange], _ expected: OwnershipError) throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    for kind in [PageKind.memory, .mmio] {
      #expect(throws: expected) {
        let claim = try subject.donate(list(ranges), expecting: kind)
        _ = claim.keepForever()
      }
    }
    #expect(throws: expected) { try subject.share(ranges.span) }
  }
}
