// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// A tree of 4 KiB tables with 512 entries of 64 bits each, numbered as the architecture does:
/// level 3 holds the pages.
///
/// The ledger and all translation tables are such trees and differ only in what a leaf means. An entry
/// above level 3 with bits [1:0] = 0b11 points to a table (Arm ARM DDI 0487, D8.3.1); in a tree that no
/// hardware walks, with 0b10, which to hardware is invalid.
struct PageTree: Sendable {
  let root: PhysicalAddress
  let geometry: TranslationGeometry
  private let linkBits: UInt64

  static let lastLevel: UInt64 = 3
  private static let addressMask: UInt64 = 0x0000_ffff_ffff_f000

  /// An entry where a walk ended: not a table.
  struct Slot {
    let address: PhysicalAddress
    let level: UInt64
    let entry: UInt64
  }

  /// Where walks to pages one after the other have come to: within a table of the last level only the first is one.
  ///
  /// It lives as long as nothing takes a table out of the tree.
  struct Cursor {
    // Of the last level; at first no page has the number.
    private var table = PhysicalAddress(0)
    private var number = UInt64.max

    @inline(__always)
    mutating func walk<Memory: TableMemory & ~Copyable>(
      _ tree: borrowing PageTree, to page: UInt64, in memory: borrowing Memory
    ) -> Slot {
      if page >> 9 == number {
        let address = PhysicalAddress(table.rawValue + (page & 511) * 8)
        return Slot(address: address, level: lastLevel, entry: memory.load(address))
      }
      let slot = tree.walk(to: page, in: memory)
      if slot.level == lastLevel {
        table = PhysicalAddress(slot.address.rawValue & PageTree.addressMask)
        number = page >> 9
      }
      return slot
    }
  }

  /// Allocates the root of an empty tree.
  init<Memory: TableMemory & ~Copyable>(
    _ geometry: TranslationGeometry, isForHardware: Bool = true, pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    self.geometry = geometry
    linkBits = isForHardware ? 0b11 : 0b10
    root = try pool.takeRoot(geometry.rootTables)
  }

  /// log2 of the pages that one entry of `level` stands for.
  static func shift(_ level: UInt64) -> UInt64 { 9 * (lastLevel - level) }

  func link(to table: PhysicalAddress) -> UInt64 { table.rawValue | linkBits }

  private func table(_ entry: UInt64, _ level: UInt64) -> PhysicalAddress? {
    guard level < Self.lastLevel, entry & 0b11 == linkBits else { return nil }
    return PhysicalAddress(entry & Self.addressMask)
  }

  func contains(_ pages: Range<UInt64>) -> Bool { pages.upperBound <= geometry.pageLimit }

  /// Walks to the entry for `page` at `level`, or to where the tree ends above it.
  ///
  /// - Precondition: `page` is below the page limit of the geometry.
  func walk<Memory: TableMemory & ~Copyable>(
    to page: UInt64, downTo lowest: UInt64 = lastLevel, in memory: borrowing Memory
  ) -> Slot {
    var level = geometry.startLevel
    // The tables of a concatenated root are one array: its index is not cut to nine bits.
    var index = page >> Self.shift(level)
    var table = root
    while true {
      let address = PhysicalAddress(table.rawValue + index * 8)
      let entry = memory.load(address)
      guard level < lowest, let next = self.table(entry, level) else {
        return Slot(address: address, level: level, entry: entry)
      }
      table = next
      level += 1
      index = (page >> Self.shift(level)) & 511
    }
  }

  /// Links a new zeroed table where `slot` holds an entry that is neither valid nor of value.
  func grow<Memory: TableMemory & ~Copyable>(
    at slot: Slot, _ pool: inout PagePool<Memory>, _ reservation: inout Reservation
  ) {
    let table = pool.take(from: &reservation)
    // The zeroes must be visible before a walk can reach them.
    pool.memory.publishTables()
    pool.memory.store(link(to: table), at: slot.address)
  }

  /// Walks to the level-3 entry for `page`, adding the tables that are missing.
  func reach<Memory: TableMemory & ~Copyable>(
    _ page: UInt64, by cursor: inout Cursor, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) -> Slot {
    while true {
      let slot = cursor.walk(self, to: page, in: pool.memory)
      if slot.level == Self.lastLevel { return slot }
      grow(at: slot, &pool, &reservation)
    }
  }

  /// Unlinks the tables on the way to `page` in which nothing is left, from the lowest up; the root stays.
  ///
  /// - Returns: the tables. A walk may still be in one of them, by what a TLB has cached of the way.
  func unlinkEmpty<Memory: TableMemory & ~Copyable>(
    around page: UInt64, in memory: borrowing Memory
  ) -> FixedList<3, PhysicalAddress> {
    var unlinked = FixedList<3, PhysicalAddress>(filler: root)
    var level = Self.lastLevel
    while level > geometry.startLevel {
      level -= 1
      let parent = walk(to: page, downTo: level, in: memory)
      guard parent.level == level, let table = self.table(parent.entry, level) else { continue }
      for index in 0..<UInt64(512)
      where memory.load(PhysicalAddress(table.rawValue + index * 8)) != 0 { return unlinked }
      memory.store(0, at: parent.address)
      _ = unlinked.append(table)
    }
    return unlinked
  }

  /// The ranges that `pages` has in each table of the last level.
  static func pieces(_ pages: Range<UInt64>, _ body: (Range<UInt64>) -> Void) {
    var first = pages.lowerBound
    while first < pages.upperBound {
      let end = min((first >> 9 + 1) << 9, pages.upperBound)
      body(first..<end)
      first = end
    }
  }

  /// What a leaf of the tree may stand for.
  enum Leaves {
    /// Every page has its entry at level 3.
    case pages
    /// A range that covers a whole entry of level 1 or 2 is kept in that entry.
    case blocks
  }

  /// The exact number of tables to add before `ranges`, moved by `offset` pages, can be written.
  ///
  /// A table that several ranges need is counted with the first of them.
  func missingTables<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, offset: UInt64 = 0, _ leaves: Leaves, in memory: borrowing Memory
  ) -> UInt64 {
    // Most that are asked for are a few pages side by side.
    if ranges.count == 1 {
      let first = ranges[0].numbers.lowerBound + offset
      let last = ranges[0].numbers.upperBound - 1 + offset
      if first >> 9 == last >> 9, leaves == .pages || last - first < 511 {
        return Self.lastLevel - walk(to: first, in: memory).level
      }
    }
    var missing: UInt64 = 0
    for index in ranges.indices {
      missing += Self.tables(
        from: geometry.startLevel + 1, ranges, index, offset: offset, leaves
      ) { page, level in
        let parent = walk(to: page, downTo: level - 1, in: memory)
        return parent.level == level - 1 && table(parent.entry, parent.level) != nil
      }
    }
    return missing
  }

  /// The number of tables below the root of an empty tree that `ranges` need, written in order.
  static func tables(for ranges: Span<PageRange>, _ geometry: TranslationGeometry, _ leaves: Leaves)
    -> UInt64
  {
    var count: UInt64 = 0
    for index in ranges.indices {
      count += tables(from: geometry.startLevel + 1, ranges, index, offset: 0, leaves) { _, _ in
        false
      }
    }
    return count
  }

  /// The tables that range `index` needs, the earlier ranges do not, and `exists` does not know.
  private static func tables(
    from top: UInt64, _ ranges: Span<PageRange>, _ index: Int, offset: UInt64, _ leaves: Leaves,
    exists: (_ page: UInt64, _ level: UInt64) -> Bool
  ) -> UInt64 {
    let pages = ranges[index].numbers
    var count: UInt64 = 0
    for level in top...lastLevel {
      // A table of `level` stands for what one entry of the level above does.
      let shift = shift(level - 1)
      let first = (pages.lowerBound + offset) >> shift
      let last = (pages.upperBound - 1 + offset) >> shift
      // With blocks, whatever lies between the first and the last is covered whole.
      let isSparse = leaves == .blocks && level > 1
      var node = first
      while node <= last {
        if isNew(level, node, ranges, index, offset, leaves) && !exists(node << shift, level) {
          count += 1
        }
        node = isSparse && node < last ? last : node + 1
      }
    }
    return count
  }

  /// Whether range `index` is the first that takes the table `node` of `level`.
  private static func isNew(
    _ level: UInt64, _ node: UInt64, _ ranges: Span<PageRange>, _ index: Int, _ offset: UInt64,
    _ leaves: Leaves
  ) -> Bool {
    guard needs(level, node, ranges[index].numbers, offset, leaves) else { return false }
    for earlier in 0..<index where needs(level, node, ranges[earlier].numbers, offset, leaves) {
      return false
    }
    return true
  }

  /// Whether writing `pages` takes the table `node` of `level`.
  private static func needs(
    _ level: UInt64, _ node: UInt64, _ pages: Range<UInt64>, _ offset: UInt64, _ leaves: Leaves
  ) -> Bool {
    let shift = shift(level - 1)
    let start = node << shift
    let end = start + (1 << shift)
    let first = pages.lowerBound + offset
    let last = pages.upperBound + offset
    guard first < end, start < last else { return false }
    // Level 0 has no blocks with 4 KiB tables (D8.3.1).
    let isWhole = first <= start && end <= last
    return leaves == .pages || !isWhole || level - 1 == 0
  }
}
