// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@Suite("Address ranges")
struct AddressRangeTests {
  @Test("A range that is empty or wraps is not made")
  func refused() {
    #expect(AddressRange(base: PhysicalAddress(0x1000), size: 0) == nil)
    #expect(AddressRange(base: PhysicalAddress(.max), size: 2) == nil)
    #expect(AddressRange(base: PhysicalAddress(.max), size: 1)?.last == PhysicalAddress(.max))
    #expect(AddressRange(base: PhysicalAddress(1), size: .max)?.last == PhysicalAddress(.max))
    #expect(AddressRange(base: PhysicalAddress(2), size: .max) == nil)
  }

  @Test("Ranges that touch do not overlap; ranges that share one byte do")
  func overlap() throws {
    let a = try #require(AddressRange(base: PhysicalAddress(0x1000), size: 0x1000))
    let b = try #require(AddressRange(base: PhysicalAddress(0x2000), size: 0x1000))
    let c = try #require(AddressRange(base: PhysicalAddress(0x1fff), size: 1))
    #expect(!a.overlaps(b) && !b.overlaps(a))
    #expect(a.overlaps(c) && c.overlaps(a) && a.contains(c) && !b.contains(c))
  }

  @Test("Page ranges round out, and stay in the 52-bit physical address space")
  func pages() throws {
    let unaligned = try #require(AddressRange(base: PhysicalAddress(0x1fff), size: 2))
    #expect(PageRange(covering: unaligned) == PageRange(first: PageFrameNumber(1), count: 2))
    #expect(PageRange(first: PageFrameNumber(PageRange.limit - 1), count: 1) != nil)
    #expect(PageRange(first: PageFrameNumber(PageRange.limit - 1), count: 2) == nil)
    #expect(PageRange(first: PageFrameNumber(.max), count: 1) == nil)
  }

  @Test(
    "What is left without some holes comes in order, however they lie",
    arguments: [
      ([], [0x1000...0x8fff]),
      ([0x9000...0x9fff, 0x0...0xfff], [0x1000...0x8fff]),
      ([0x0...0xffff], []),
      ([0x3000...0x3fff, 0x1000...0x1fff], [0x2000...0x2fff, 0x4000...0x8fff]),
      ([0x5000...0x6fff, 0x3000...0x5fff, 0x8000...0xffff], [0x1000...0x2fff, 0x7000...0x7fff]),
      ([0x3000...0x3fff, 0x3000...0x3fff], [0x1000...0x2fff, 0x4000...0x8fff]),
    ] as [([ClosedRange<UInt64>], [ClosedRange<UInt64>])])
  func pieces(_ holes: [ClosedRange<UInt64>], _ left: [ClosedRange<UInt64>]) throws {
    func range(_ bounds: ClosedRange<UInt64>) throws -> AddressRange {
      try #require(
        AddressRange(
          base: PhysicalAddress(bounds.lowerBound), size: UInt64(bounds.count)))
    }
    var found: [AddressRange] = []
    let list = try holes.map(range)
    try range(0x1000...0x8fff).forEachPiece(without: list.span) { found.append($0) }
    #expect(try found == left.map(range))
  }
}
