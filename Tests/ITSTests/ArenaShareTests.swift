// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import ITS
import Testing

@Suite("The parts of a pool for several ITSes") struct ArenaShareTests {
  @Test(
    "Each part is aligned, all are equal, apart, inside, and as large as they can be",
    arguments: [1, 2, 3, 5, 8], [0x80, 0x100, 0x7f0, 0x1001] as [UInt64])
  func parts(count: Int, pages: UInt64) throws {
    let pool = try #require(PageRange(first: PageFrameNumber(0x8_0010), count: pages))
    let parts = try (0..<count).map {
      try #require(ITSSetup.arena($0, of: count, in: pool), "\($0)")
    }
    for (index, part) in parts.enumerated() {
      #expect(part.first.address.isAligned(to: 0x10000))
      #expect(part.count == parts[0].count)
      #expect(pool.contains(part.first) && pool.contains(part.last))
      for other in parts[..<index] { #expect(!part.overlaps(other)) }
    }
    #expect((parts[0].count + 16) * UInt64(count) > pages)
  }

  @Test("There is no part of a pool that is too small or misaligned, nor beyond the last")
  func none() throws {
    let small = try #require(PageRange(first: PageFrameNumber(0x8_0010), count: 31))
    #expect(ITSSetup.arena(0, of: 1, in: small) != nil)
    #expect(ITSSetup.arena(0, of: 2, in: small) == nil)
    #expect(ITSSetup.arena(1, of: 1, in: small) == nil)
    #expect(ITSSetup.arena(-1, of: 1, in: small) == nil)
    let misaligned = try #require(PageRange(first: PageFrameNumber(0x8_0011), count: 0x100))
    #expect(ITSSetup.arena(0, of: 1, in: misaligned) == nil)
  }
}
