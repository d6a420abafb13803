// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

package typealias Subject = Ownership<
  SimulatedMemory, Stage2Table<SimulatedCache>, EL2Stage1Table<SimulatedCache>, RecordingObserver
>

package func frame(_ number: UInt64) -> PageFrameNumber { PageFrameNumber(number) }

package func pages(_ first: UInt64, _ count: UInt64 = 1) -> PageRange {
  guard let range = PageRange(first: PageFrameNumber(first), count: count) else {
    fatalError("bad range in a test")
  }
  return range
}

/// Pages by the address of the first, and their size in bytes.
package func pages(at base: UInt64, size: UInt64) -> PageRange { pages(base >> 12, size >> 12) }

package func list(_ ranges: [PageRange]) -> FixedList<8, PageRange> { FixedList(ranges) }

extension FixedList where Element == PageRange {
  /// Makes a list of ranges that it has room for.
  package init(_ ranges: [PageRange]) {
    self.init(filler: ranges.first ?? pages(0))
    for range in ranges where !append(range) { fatalError("too many ranges in a test") }
  }
}

extension PageRange {
  /// The numbers of the pages.
  package var frameNumbers: Range<UInt64> { first.rawValue..<last.rawValue + 1 }
}

extension [PageRange] {
  /// Whether a page is in one of the ranges.
  package func contains(_ page: PageFrameNumber) -> Bool { contains { $0.contains(page) } }

  /// Takes out the range that came last of those that are equal to it.
  mutating func removeLast(_ pages: PageRange) {
    if let index = lastIndex(of: pages) { remove(at: index) }
  }
}
