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
}
