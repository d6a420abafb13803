// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What a stage 2 is built from, and how many tables it takes: exact, and known before it is built.
public struct Stage2Plan: Sendable {
  /// The whole space, then the memory, then what is executed, then what is excluded; a later range is painted over
  /// the earlier ones.
  let ranges: FixedList<137, PageRange>
  /// How many table pages the map takes, its root included.
  public let tables: UInt64

  /// The most ranges that may be excluded.
  public static let excludedCapacity = 64

  /// Ranges of what is executed without being memory: what firmware runs in place.
  public typealias ExecutedRanges = FixedList<8, PageRange>

  /// Plans the map of `memoryMap` without `excluded`.
  ///
  /// - Throws: `outOfRange` where one of them is beyond the geometry, `tooManyRanges`.
  public init(
    _ geometry: TranslationGeometry, memoryMap: borrowing MemoryMap,
    executed: ExecutedRanges? = nil, excluded: Span<PageRange>
  ) throws(OwnershipError) {
    guard let whole = PageRange(first: PageFrameNumber(0), count: geometry.pageLimit) else {
      throw .unsupportedSize(bits: geometry.bits)
    }
    guard excluded.count <= Self.excludedCapacity else {
      throw .tooManyRanges(capacity: Self.excludedCapacity)
    }
    var ranges = FixedList<137, PageRange>(filler: whole)
    _ = ranges.append(whole)
    for index in 0..<memoryMap.count {
      if let range = memoryMap.range(index) { _ = ranges.append(range) }
    }
    if let executed {
      for index in executed.indices { _ = ranges.append(executed[index]) }
    }
    for index in excluded.indices { _ = ranges.append(excluded[index]) }
    for index in ranges.indices where !whole.contains(ranges[index].last) {
      throw .outOfRange(ranges[index].last)
    }
    self.ranges = ranges
    tables = geometry.rootTables + PageTree.tables(for: ranges.span, geometry, .blocks)
  }
}
