// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SimulatedBoard
import Testing

@testable import Ownership

/// A ledger that counts how often each page is shared, and holds pages below a limit for the host's.
final class CountingSharer: PageSharer {
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

@Suite("Pages whose ledger is somebody else's") struct PageSharerTests {
  private static let list = PhysicalAddress(0x5fff_0000)

  @Test("A pin is one share, tells where the pages are, and ends with it")
  func pinned() throws {
    let sharer = CountingSharer()
    let pin = try sharer.shareAndPin(pages(0x44000, 16))
    #expect(pin.count == 1)
    let mapped = pin[0]
    #expect(mapped.pages == pages(0x44000, 16))
    #expect(mapped.address == VirtualAddress(0x44000 << 13))
    #expect(sharer.counts == Dictionary(uniqueKeysWithValues: (0x44000..<0x44010).map { ($0, 1) }))
    sharer.unpinAndUnshare(pin)
    #expect(sharer.counts.isEmpty)
  }

  @Test("What is not the host's is neither pinned nor held")
  func refused() {
    let sharer = CountingSharer()
    let memory = SimulatedMemory(machine: SimulatedMachine())
    var table = PinTable(list: Self.list, capacity: 2)
    let refusal = OwnershipError.refusedByHost(PageFrameNumber(0x4ffff))
    #expect(throws: refusal) {
      let pin = try sharer.shareAndPin(pages(0x4ffff, 2))
      sharer.unpinAndUnshare(pin)
    }
    #expect(throws: refusal) {
      _ = try sharer.hold(pages(0x4ffff, 2), in: &table, memory: memory)
    }
    #expect(sharer.counts.isEmpty)
    let count = table.count
    #expect(count == 0)
  }

  @Test("A slot is a share of its own, also of the same pages, and a full table takes no more")
  func held() throws {
    let sharer = CountingSharer()
    let memory = SimulatedMemory(machine: SimulatedMachine())
    var table = PinTable(list: Self.list, capacity: 2)
    let first = try sharer.hold(pages(0x44000, 1), in: &table, memory: memory)
    let second = try sharer.hold(pages(0x44000, 1), in: &table, memory: memory)
    #expect(first != second)
    #expect(sharer.counts == [0x44000: 2])
    #expect(throws: OwnershipError.tooManyRanges(capacity: 2)) {
      _ = try sharer.hold(pages(0x44001, 1), in: &table, memory: memory)
    }
    #expect(sharer.counts == [0x44000: 2])
    sharer.release(first, of: &table, memory: memory)
    #expect(sharer.counts == [0x44000: 1])
    sharer.release(first, of: &table, memory: memory)
    #expect(sharer.counts == [0x44000: 1], "a free slot holds nothing")
    let again = try sharer.hold(pages(0x44002, 1), in: &table, memory: memory)
    #expect(again == first)
    sharer.release(second, of: &table, memory: memory)
    sharer.release(again, of: &table, memory: memory)
    #expect(sharer.counts.isEmpty)
    let count = table.count
    #expect(count == 0)
  }
}
