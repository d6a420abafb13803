// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The one record of every page's state: who owns it, who shares it, how often it is pinned.
///
/// It is a tree of its own beside the translation tables, because an embedder may own the host's
/// stage 2, and because a pin count has no room in a descriptor. An absent entry says that the host
/// owns the page and nobody holds it, so that a ledger takes pages only where something happened, and gives
/// them back where nothing is left of it.
public struct PageLedger: Sendable {
  let tree: PageTree

  init<Memory: TableMemory & ~Copyable>(
    _ geometry: TranslationGeometry, pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    tree = try PageTree(geometry, isForHardware: false, pool: &pool)
  }

  /// Makes one that records `pages` as the hypervisor's own.
  ///
  /// - Parameter geometry: the address space in which pages are tracked; for `Stage2Table` its own.
  /// - Throws: `outOfRange`, `overlap`, `poolExhausted`.
  public init<Memory: TableMemory & ~Copyable>(
    _ geometry: TranslationGeometry, hypervisorPages pages: Span<PageRange>,
    pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    try checkDisjoint(pages, geometry)
    try self.init(geometry, pool: &pool)
    var reservation = try pool.reserve(tablesNeeded(for: pages, in: pool))
    for index in pages.indices {
      setRecords(PageRecord(state: .none, pins: 0), of: pages[index], &pool, &reservation)
    }
    pool.release(reservation)
  }

  /// The record of `frame`; frames beyond the address space are nobody's and so not accessible.
  func record<Memory: TableMemory & ~Copyable>(
    of frame: PageFrameNumber, in pool: borrowing PagePool<Memory>
  ) -> PageRecord {
    var cursor = PageTree.Cursor()
    return record(of: frame, by: &cursor, in: pool)
  }

  /// The same, of one frame of many.
  @inline(__always)
  func record<Memory: TableMemory & ~Copyable>(
    of frame: PageFrameNumber, by cursor: inout PageTree.Cursor,
    in pool: borrowing PagePool<Memory>
  ) -> PageRecord {
    guard frame.rawValue < tree.geometry.pageLimit else { return PageRecord(state: .none, pins: 0) }
    let slot = cursor.walk(tree, to: frame.rawValue, in: pool.memory)
    return slot.level == PageTree.lastLevel ? PageRecord(entry: slot.entry) : .untouched
  }

  /// The first page of `pages` whose record is wanted; nil where there is none.
  func first<Memory: TableMemory & ~Copyable>(
    in pages: PageRange, of pool: borrowing PagePool<Memory>, where isWanted: (PageRecord) -> Bool
  ) -> (frame: PageFrameNumber, record: PageRecord)? {
    var cursor = PageTree.Cursor()
    for number in pages.numbers {
      let frame = PageFrameNumber(number)
      let record = record(of: frame, by: &cursor, in: pool)
      if isWanted(record) { return (frame, record) }
    }
    return nil
  }

  /// How many pages of the pool `setRecords` takes for all of `ranges`.
  func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, in pool: borrowing PagePool<Memory>
  ) -> UInt64 {
    tree.missingTables(for: ranges, .pages, in: pool.memory)
  }

  /// Replaces the record of each page.
  func setRecords<Memory: TableMemory & ~Copyable>(
    _ record: PageRecord, of pages: PageRange, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    var cursor = PageTree.Cursor()
    for frame in pages.numbers {
      let slot = tree.reach(frame, by: &cursor, &pool, &reservation)
      pool.memory.store(record.entry, at: slot.address)
    }
  }

  /// Gives tables back to the pool that say of no page more than an absent entry does.
  func prune<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>
  ) {
    PageTree.pieces(pages.numbers) { piece in
      // Nobody walks the ledger without the lock.
      let tables = tree.unlinkEmpty(around: piece.lowerBound, in: pool.memory)
      for index in tables.indices { pool.giveBack(tables[index]) }
    }
  }

  /// Changes the record of each page that has one, which takes no page of the pool.
  func changeRecords<Memory: TableMemory & ~Copyable>(
    of pages: PageRange, _ pool: borrowing PagePool<Memory>, _ change: (inout PageRecord) -> Void
  ) {
    var cursor = PageTree.Cursor()
    for frame in pages.numbers {
      let slot = cursor.walk(tree, to: frame, in: pool.memory)
      guard slot.level == PageTree.lastLevel else { continue }
      var record = PageRecord(entry: slot.entry)
      change(&record)
      pool.memory.store(record.entry, at: slot.address)
    }
  }
}
