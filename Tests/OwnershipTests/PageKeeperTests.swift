// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

/// A ledger that counts how often each page is shared, and holds pages below a limit for the host's.
final class CountingKeeper: PageKeeper {
  var counts: [UInt64: Int] = [:]
  static let limit: UInt64 = 0x50000

  func share(_ pages: PageRange) throws(OwnershipError) -> VirtualAddress {
    guard pages.last.rawValue < Self.limit else { throw .refusedByHost(pages.first) }
    for number in pages.numbers { counts[number, default: 0] += 1 }
    return VirtualAddress(pages.first.rawValue << 13)
  }

  func unshare(_ pages: PageRange) {
    for number in pages.numbers {
      counts[number, default: 0] -= 1
      if counts[number] == 0 { counts[number] = nil }
    }
  }
}

extension CountingKeeper {
  func donate(_ pages: PageRange) throws(OwnershipError) {
    _ = try share(pages)
  }

  func giveBack(_ pages: PageRange) { unshare(pages) }
}

@Suite("Pages whose ledger is somebody else's") struct PageKeeperTests {
  private static let list = PhysicalAddress(0x5fff_0000)

  @Test("A pin is one share, tells where the pages are, and ends with it")
  func pinned() throws {
    let keeper = CountingKeeper()
    let pin = try keeper.shareAndPin(pages(0x44000, 16))
    #expect(pin.count == 1)
    let mapped = pin[0]
    #expect(mapped.pages == pages(0x44000, 16))
    #expect(mapped.address == VirtualAddress(0x44000 << 13))
    #expect(keeper.counts == Dictionary(uniqueKeysWithValues: (0x44000..<0x44010).map { ($0, 1) }))
    keeper.unpinAndUnshare(pin)
    #expect(keeper.counts.isEmpty)
  }

  @Test("What is not the host's is neither pinned nor held")
  func refused() {
    let keeper = CountingKeeper()
    let memory = SimulatedMemory(machine: SimulatedMachine())
    var table = PinTable(list: Self.list, capacity: 2)
    let refusal = OwnershipError.refusedByHost(PageFrameNumber(0x4ffff))
    #expect(throws: refusal) {
      let pin = try keeper.shareAndPin(pages(0x4ffff, 2))
      keeper.unpinAndUnshare(pin)
    }
    #expect(throws: refusal) {
      _ = try keeper.hold(pages(0x4ffff, 2), in: &table, memory: memory)
    }
    #expect(keeper.counts.isEmpty)
    let count = table.count
    #expect(count == 0)
  }

  @Test("A slot is a share of its own, also of the same pages, and a full table takes no more")
  func held() throws {
    let keeper = CountingKeeper()
    let memory = SimulatedMemory(machine: SimulatedMachine())
    var table = PinTable(list: Self.list, capacity: 2)
    let first = try keeper.hold(pages(0x44000, 1), in: &table, memory: memory)
    let second = try keeper.hold(pages(0x44000, 1), in: &table, memory: memory)
    #expect(first != second)
    #expect(keeper.counts == [0x44000: 2])
    #expect(throws: OwnershipError.tooManyRanges(capacity: 2)) {
      _ = try keeper.hold(pages(0x44001, 1), in: &table, memory: memory)
    }
    #expect(keeper.counts == [0x44000: 2])
    keeper.release(first, of: &table, memory: memory)
    #expect(keeper.counts == [0x44000: 1])
    keeper.release(first, of: &table, memory: memory)
    #expect(keeper.counts == [0x44000: 1], "a free slot holds nothing")
    let again = try keeper.hold(pages(0x44002, 1), in: &table, memory: memory)
    #expect(again == first)
    keeper.release(second, of: &table, memory: memory)
    keeper.release(again, of: &table, memory: memory)
    #expect(keeper.counts.isEmpty)
    let count = table.count
    #expect(count == 0)
  }

  @Test("A set takes what is the host's, as much as it has room for, and gives all of it back")
  func claimed() throws {
    let keeper = CountingKeeper()
    let memory = SimulatedMemory(machine: SimulatedMachine())
    var set = ClaimSet(list: Self.list, capacity: 2)
    try keeper.donate(pages(0x44000, 2), into: &set, memory: memory)
    #expect(throws: OwnershipError.refusedByHost(PageFrameNumber(0x50000))) {
      try keeper.donate(pages(0x50000, 1), into: &set, memory: memory)
    }
    try keeper.donate(pages(0x45000, 1), into: &set, memory: memory)
    #expect(throws: OwnershipError.tooManyRanges(capacity: 2)) {
      try keeper.donate(pages(0x46000, 1), into: &set, memory: memory)
    }
    #expect(keeper.counts == [0x44000: 1, 0x44001: 1, 0x45000: 1])
    keeper.giveBackUntouched(&set, memory: memory)
    #expect(keeper.counts.isEmpty)
    let count = set.count
    #expect(count == 0)
  }
}
