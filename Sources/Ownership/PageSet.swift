// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// A set of pages of memory, a bit for each, in tables of a pool.
///
/// A table of 4 KiB says of 128 MiB which pages are in the set. It is taken with the first of them, and given back
/// with the last.
public struct PageSet: ~Copyable {
  // The leaves are words of 64 pages, so that the tree's page numbers are those of words.
  private let tree: PageTree
  /// How many pages are in the set.
  public private(set) var count: UInt64 = 0

  /// Makes an empty set for pages up to `last`.
  ///
  /// - Throws: `poolExhausted`, `unsupportedSize`.
  public init<Memory: TableMemory & ~Copyable>(
    reaching last: PageFrameNumber, pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    let word = PageFrameNumber(last.rawValue >> Self.shift)
    guard let geometry = TranslationGeometry(reaching: word) else {
      throw .unsupportedSize(bits: UInt64(64 - last.rawValue.leadingZeroBitCount))
    }
    tree = try PageTree(geometry, isForHardware: false, pool: &pool)
  }

  /// log2 of the pages in a word.
  private static var shift: UInt64 { 6 }

  /// The first of `pages` that is in the set; nil for none.
  public func first<Memory: TableMemory & ~Copyable>(
    in pages: PageRange, _ pool: borrowing PagePool<Memory>
  ) -> PageFrameNumber? {
    count == 0 ? nil : first(in: pages, isMember: true, pool)
  }

  /// The first of `pages` that is not in the set; nil where all are.
  public func firstMissing<Memory: TableMemory & ~Copyable>(
    in pages: PageRange, _ pool: borrowing PagePool<Memory>
  ) -> PageFrameNumber? { first(in: pages, isMember: false, pool) }

  /// Adds pages.
  ///
  /// - Throws: `wrongState` with the first that is in the set already, `outOfRange`, `poolExhausted`; nothing has
  ///   changed then.
  public mutating func insert<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    guard let words = words(of: pages), tree.contains(words.numbers) else {
      throw .outOfRange(pages.last)
    }
    if let page = first(in: pages, pool) { throw .wrongState(page, .none) }
    var list = FixedList<1, PageRange>(filler: words)
    _ = list.append(words)
    var reservation = try pool.reserve(tree.missingTables(for: list.span, .pages, in: pool.memory))
    var cursor = PageTree.Cursor()
    for word in words.numbers {
      let slot = tree.reach(word, by: &cursor, &pool, &reservation)
      pool.memory.store(slot.entry | Self.mask(of: pages, in: word), at: slot.address)
    }
    pool.release(reservation)
    count += pages.count
  }

  /// Removes pages.
  ///
  /// - Throws: `wrongState` with the first that is not in the set; nothing has changed then.
  public mutating func remove<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    if let page = firstMissing(in: pages, pool) { throw .wrongState(page, .owned) }
    guard let words = words(of: pages) else { throw .outOfRange(pages.last) }
    var cursor = PageTree.Cursor()
    for word in words.numbers {
      let slot = cursor.walk(tree, to: word, in: pool.memory)
      pool.memory.store(slot.entry & ~Self.mask(of: pages, in: word), at: slot.address)
    }
    count -= pages.count
    PageTree.pieces(words.numbers) { piece in
      let tables = tree.unlinkEmpty(around: piece.lowerBound, in: pool.memory)
      for index in tables.indices { pool.giveBack(tables[index]) }
    }
  }

  /// The words in which `pages` have their bits.
  private func words(of pages: PageRange) -> PageRange? {
    let first = pages.first.rawValue >> Self.shift
    return PageRange(
      first: PageFrameNumber(first), count: pages.last.rawValue >> Self.shift - first + 1)
  }

  /// The bits of `pages` in a word that has one.
  private static func mask(of pages: PageRange, in word: UInt64) -> UInt64 {
    let start = word << shift
    let low = max(pages.first.rawValue, start) - start
    let high = min(pages.last.rawValue, start + 63) - start
    return UInt64.max >> (63 - high) & UInt64.max << low
  }

  private func first<Memory: TableMemory & ~Copyable>(
    in pages: PageRange, isMember: Bool, _ pool: borrowing PagePool<Memory>
  ) -> PageFrameNumber? {
    var page = pages.first.rawValue
    while page <= pages.last.rawValue {
      let word = word(page >> Self.shift, pool)
      let found = (isMember ? word : ~word) >> (page & 63)
      if found != 0 {
        let first = page + UInt64(found.trailingZeroBitCount)
        return first <= pages.last.rawValue ? PageFrameNumber(first) : nil
      }
      page = (page >> Self.shift + 1) << Self.shift
    }
    return nil
  }

  private func word<Memory: TableMemory & ~Copyable>(
    _ number: UInt64, _ pool: borrowing PagePool<Memory>
  ) -> UInt64 {
    guard number < tree.geometry.pageLimit else { return 0 }
    let slot = tree.walk(to: number, in: pool.memory)
    return slot.level == PageTree.lastLevel ? slot.entry : 0
  }
}
