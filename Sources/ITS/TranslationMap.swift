// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// Which bytes of which pages hold the Interrupt Translation Tables of a host that hands its ITS over.
///
/// A table begins at a multiple of 256 bytes (IHI 0069, 5.3.8, MAPD), so that two tables have a byte in
/// common exactly where they have such a unit in common: the one that begins later begins within the
/// other. A hash table with open addressing, one word a page: frame [63:16], units in use [15:0]; zero in
/// a free slot.
struct TranslationMap: Sendable {
  /// What was found at the units of one page.
  enum Finding: Sendable {
    /// No table has been in this page so far.
    case newPage
    /// The page is known, the units were free.
    case free
    /// Another table is there.
    case taken
    /// There are more pages than fit.
    case full
  }

  private static var unit: UInt64 { 256 }
  private let base: PhysicalAddress
  private let mask: UInt64

  /// Twice as many slots as pages, so that a search is short and ends.
  private static func slots(pages: UInt64) -> UInt64 { pages * 2 }

  /// The bytes that a map of `pages` pages, a power of two, takes.
  static func size(pages: UInt64) -> UInt64 { slots(pages: pages) * 8 }

  /// Makes an empty map in zeroed memory.
  init(_ base: PhysicalAddress, pages: UInt64) {
    self.base = base
    mask = Self.slots(pages: pages) - 1
  }

  /// Notes the part of a table of `size` bytes at `address` that lies in `frame`.
  ///
  /// `address` is a multiple of 256, and the table reaches into the page.
  func occupy<Memory: BusMemory & ~Copyable>(
    _ frame: PageFrameNumber, from address: UInt64, size: UInt64, memory: borrowing Memory
  ) -> Finding {
    let start = frame.address.rawValue
    let first = max(address, start) - start
    let last = min(address + size - start, PageFrameNumber.size) - 1
    let units = Self.units(from: first / Self.unit, to: last / Self.unit)

    // Fibonacci hashing, as in the ledger of devices.
    var slot = (frame.rawValue &* 0x9e37_79b9_7f4a_7c15) >> 32 & mask
    for _ in 0...mask {
      let place = PhysicalAddress(base.rawValue + slot * 8)
      let found = memory.load(place)
      if found == 0 {
        memory.store(frame.rawValue << 16 | units, at: place)
        return .newPage
      }
      if found >> 16 == frame.rawValue {
        guard found & units == 0 else { return .taken }
        memory.store(found | units, at: place)
        return .free
      }
      slot = (slot + 1) & mask
    }
    return .full
  }

  /// Bits `first` to `last`, both below sixteen.
  private static func units(from first: UInt64, to last: UInt64) -> UInt64 {
    (2 << last) - (1 << first)
  }
}
