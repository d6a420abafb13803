// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The memory that one ITS's queue, tables and translation tables come from.
///
/// The pages are EL2's for good, so that whatever the hardware still does with a table that was
/// freed too early by a mistake, it does not do it to anyone else. A bitmap in the first pages says
/// which are taken: bit 0 of word 0 is the arena's first page.
struct PageArena: Sendable {
  /// The pages, the bitmap's included.
  let pages: PageRange
  /// How many are free.
  private(set) var freeCount: UInt64
  /// Where the next search begins: behind what was handed out last, so that a search is short and a page
  /// that was freed is not used at once.
  private(set) var next: UInt64 = 0

  private var words: UInt64 { (pages.count + 63) / 64 }

  /// Takes over pages whose content does not matter.
  init<Memory: BusMemory & ~Copyable>(_ pages: PageRange, memory: borrowing Memory) {
    self.pages = pages
    freeCount = pages.count
    for index in 0..<words {
      // What lies beyond the end of the arena is never free.
      let rest = pages.count - index * 64
      memory.store(rest >= 64 ? 0 : .max << rest, at: word(index))
    }
    let bitmap = (words * 8 + PageFrameNumber.size - 1) >> PageFrameNumber.shift
    setBits(0, min(bitmap, pages.count), taken: true, memory)
    freeCount -= min(bitmap, pages.count)
  }

  private func word(_ index: UInt64) -> PhysicalAddress {
    PhysicalAddress(pages.first.address.rawValue &+ index &* 8)
  }

  /// Takes `count` consecutive pages; nil where there are none.
  ///
  /// Their address is a multiple of `alignment` pages, a power of two; their content is whatever it was.
  ///
  /// - Complexity: linear in the pages of the arena, which is fixed.
  mutating func take<Memory: BusMemory & ~Copyable>(
    _ count: UInt64, alignment: UInt64 = 1, memory: borrowing Memory
  ) -> PageRange? {
    guard count > 0, count <= freeCount else { return nil }
    guard
      let start = find(count, alignment, from: next, memory)
        ?? (next > 0 ? find(count, alignment, from: 0, memory) : nil)
    else { return nil }
    setBits(start, count, taken: true, memory)
    freeCount -= count
    next = start + count
    return PageRange(first: PageFrameNumber(pages.first.rawValue + start), count: count)
  }

  /// The first of `count` free pages at or behind `start`; nil where there are none up to the end.
  private func find<Memory: BusMemory & ~Copyable>(
    _ count: UInt64, _ alignment: UInt64, from start: UInt64, _ memory: borrowing Memory
  ) -> UInt64? {
    var start = start
    while true {
      let frame = (pages.first.rawValue + start + alignment - 1) & ~(alignment - 1)
      start = frame - pages.first.rawValue
      guard start + count <= pages.count else { return nil }
      guard let taken = lastTaken(start, count, memory) else { return start }
      start = taken + 1
    }
  }

  /// Takes zeroed memory of `size` bytes; `alignment` in pages.
  mutating func takeZeroed<Memory: BusMemory & ~Copyable>(
    _ size: UInt64, alignment: UInt64 = 1, memory: borrowing Memory
  ) -> PhysicalAddress? {
    guard let pages = take(PageRange.pages(for: size), alignment: alignment, memory: memory) else {
      return nil
    }
    pages.zero(memory)
    return pages.address
  }

  /// Takes pages back that ``take(_:alignment:memory:)`` has handed out.
  mutating func giveBack<Memory: BusMemory & ~Copyable>(
    _ range: PageRange, memory: borrowing Memory
  ) {
    setBits(range.first.rawValue - pages.first.rawValue, range.count, taken: false, memory)
    freeCount += range.count
  }

  /// The last page from `start` on, among `count`, that is taken; nil where all are free.
  private func lastTaken<Memory: BusMemory & ~Copyable>(
    _ start: UInt64, _ count: UInt64, _ memory: borrowing Memory
  ) -> UInt64? {
    var end = start + count
    while end > start {
      let index = (end - 1) / 64
      let first = max(start, index * 64)
      let bits = memory.load(word(index)) & Self.mask(first - index * 64, end - index * 64)
      if bits != 0 { return index * 64 + 63 - UInt64(bits.leadingZeroBitCount) }
      end = first
    }
    return nil
  }

  private func setBits<Memory: BusMemory & ~Copyable>(
    _ start: UInt64, _ count: UInt64, taken: Bool, _ memory: borrowing Memory
  ) {
    var first = start
    while first < start + count {
      let index = first / 64
      let end = min(start + count, (index + 1) * 64)
      let mask = Self.mask(first - index * 64, end - index * 64)
      let old = memory.load(word(index))
      memory.store(taken ? old | mask : old & ~mask, at: word(index))
      first = end
    }
  }

  /// Bits `first` to `end`, without the latter; `first < end <= 64`.
  private static func mask(_ first: UInt64, _ end: UInt64) -> UInt64 {
    (.max >> (64 - (end - first))) << first
  }
}

extension PageRange {
  /// The first address.
  var address: PhysicalAddress { first.address }
  /// The size in bytes.
  var size: UInt64 { count << PageFrameNumber.shift }

  /// As many pages as `bytes` need.
  static func pages(for bytes: UInt64) -> UInt64 {
    (bytes + PageFrameNumber.size - 1) >> PageFrameNumber.shift
  }
}
