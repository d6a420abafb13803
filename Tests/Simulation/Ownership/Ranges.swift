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

package func list(_ ranges: [PageRange]) -> FixedList<8, PageRange> {
  var list = FixedList<8, PageRange>(filler: ranges.first ?? pages(0))
  for range in ranges { _ = list.append(range) }
  return list
}
