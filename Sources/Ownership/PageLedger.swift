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
      for frame in pages[index].numbers {
        setRecord(
          PageRecord(state: .none, pins: 0), of: PageFrameNumber(frame), &pool, &reservation)
      }
    }
    pool.release(reservation)
  }

  /// The record of `frame`; frames beyond the address space are nobody's and so not accessible.
  func record<Memory: TableMemory & ~Copyable>(
    of frame: PageFrameNumber, in pool: borrowing PagePool<Memory>
  ) -> PageRecord {
    guard frame.rawValue < tree.geometry.pageLimit else { return PageRecord(state: .none, pins: 0) }
    let slot = tree.walk(to: frame.rawValue, in: pool.memory)
    return slot.level == PageTree.lastLevel ? PageRecord(entry: slot.entry) : .untouched
  }

  /// How many pages of the pool `setRecord` takes for all of `ranges`.
  func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, in pool: borrowing PagePool<Memory>
  ) -> UInt64 {
    tree.missingTables(for: ranges, .pages, in: pool.memory)
  }

  /// Replaces the record of `frame`.
  func setRecord<Memory: TableMemory & ~Copyable>(
    _ record: PageRecord, of frame: PageFrameNumber, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    let slot = tree.reach(frame.rawValue, &pool, &reservation)
    pool.memory.store(record.entry, at: slot.address)
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

  /// Replaces the record of a frame that has one, which takes no page.
  func replaceRecord<Memory: TableMemory & ~Copyable>(
    _ record: PageRecord, of frame: PageFrameNumber, _ pool: borrowing PagePool<Memory>
  ) {
    let slot = tree.walk(to: frame.rawValue, in: pool.memory)
    if slot.level == PageTree.lastLevel { pool.memory.store(record.entry, at: slot.address) }
  }
}
