// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The stage 2 that the IOMMUs of a board walk: an identity map of what devices may reach, in 4 KiB tables.
///
/// What is taken stays in its entry without the bit that makes it valid, so that a change which can't be
/// confirmed is undone without a word about it kept elsewhere. Tables are never freed and blocks never
/// merged. Nothing here invalidates what IOMMUs have cached: that is for who drives them.
public struct DMATable: Sendable {
  /// What an IOMMU bears of a block whose entry becomes a table while devices use it.
  public enum Splitting: Hashable, Sendable {
    /// Its entry is replaced at once (SMMUv3: IDR3.BBML is 2). Everything is mapped in the largest blocks.
    case atOnce
    /// Its entry is invalid in between, and what devices do meanwhile fails. Memory, where that is DMA
    /// of the host, is mapped in pages; MMIO, where it is one device that writes to another, in blocks.
    case broken
  }

  let tree: PageTree
  /// How a block is split.
  public let splitting: Splitting

  /// Makes an empty table: devices reach nothing.
  ///
  /// - Throws: `poolExhausted`.
  public init<Memory: TableMemory & ~Copyable>(
    _ geometry: TranslationGeometry, splitting: Splitting, pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    tree = try PageTree(geometry, pool: &pool)
    self.splitting = splitting
    pool.memory.publishTables()
  }

  /// The address of the root table: STE.S2TTB.
  public var root: PhysicalAddress { tree.root }
  /// The shape of the table.
  public var geometry: TranslationGeometry { tree.geometry }

  /// How many pages of the pool mapping or unmapping all of `ranges` takes, at most.
  public func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) -> UInt64 {
    tree.missingTables(for: ranges, leaves(kind), in: pool.memory)
  }

  /// Maps pages that are not mapped; below the limit of the geometry.
  public func map<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, isReadable: Bool, isWritable: Bool, _ kind: PageKind,
    _ pool: inout PagePool<Memory>, _ reservation: inout Reservation
  ) {
    let lowest = leaves(kind) == .blocks ? 1 : PageTree.lastLevel
    var page = pages.numbers.lowerBound
    while page < pages.numbers.upperBound {
      let slot = tree.walk(to: page, in: pool.memory)
      let span: UInt64 = 1 << PageTree.shift(slot.level)
      guard slot.level >= lowest, slot.level > 0, page & (span - 1) == 0,
        pages.numbers.upperBound - page >= span
      else {
        // Of what was taken as a whole and is given back in part, the rest stays invalid.
        tree.grow(at: slot, &pool, &reservation)
        continue
      }
      let entry = Stage2Descriptor.deviceEntry(
        at: page, level: slot.level, isReadable: isReadable, isWritable: isWritable, kind)
      pool.memory.store(entry, at: slot.address)
      page += span
    }
    pool.memory.publishTables()
  }

  /// Takes pages from the table.
  ///
  /// - Parameter breaking: has every IOMMU forget the pages of a block, of which the entry is invalid, and
  ///   waits for it; called where a block is split and ``Splitting/broken``.
  /// - Throws: what `breaking` does; part of the pages may then be taken, and pages beside them.
  public func unmap<Memory: TableMemory & ~Copyable, Failure: Error>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>, _ reservation: inout Reservation,
    breaking: (PageRange) throws(Failure) -> Void
  ) throws(Failure) {
    var page = pages.numbers.lowerBound
    while page < pages.numbers.upperBound {
      let slot = tree.walk(to: page, in: pool.memory)
      let span: UInt64 = 1 << PageTree.shift(slot.level)
      let start = page & ~(span - 1)
      guard Stage2Descriptor.isValid(slot.entry) else {
        // What was taken before, and not mapped since, must not come back with what is taken now.
        if Stage2Descriptor.restored(slot.entry, slot.level) != nil {
          pool.memory.store(0, at: slot.address)
        }
        page = start + span
        continue
      }
      guard page == start, pages.numbers.upperBound - page >= span else {
        try split(slot, start, &pool, &reservation, breaking: breaking)
        continue
      }
      pool.memory.store(Stage2Descriptor.taken(slot.entry), at: slot.address)
      page += span
    }
    pool.memory.publishTables()
  }

  /// Maps again, as it was, what was taken of pages that were all mapped before; blocks that could not be
  /// split with them.
  public func restore<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>
  ) {
    var page = pages.numbers.lowerBound
    while page < pages.numbers.upperBound {
      let slot = tree.walk(to: page, in: pool.memory)
      if let entry = Stage2Descriptor.restored(slot.entry, slot.level) {
        pool.memory.store(entry, at: slot.address)
      }
      let span: UInt64 = 1 << PageTree.shift(slot.level)
      page = (page & ~(span - 1)) + span
    }
    pool.memory.publishTables()
  }

  /// What devices may do to the run of pages that begins at `first` and that one entry stands for, by a
  /// walk of the table; `first` is below the limit of the geometry.
  public func leaf<Memory: TableMemory & ~Copyable>(
    from first: PageFrameNumber, in memory: borrowing Memory
  ) -> (end: UInt64, isReadable: Bool, isWritable: Bool, output: PhysicalAddress?) {
    let slot = tree.walk(to: first.rawValue, in: memory)
    let span: UInt64 = 1 << PageTree.shift(slot.level)
    let start = first.rawValue & ~(span - 1)
    let end = min(start + span, tree.geometry.pageLimit)
    guard Stage2Descriptor.isValid(slot.entry) else { return (end, false, false, nil) }
    let inside = (first.rawValue - start) << PageFrameNumber.shift
    return (
      end, Stage2Descriptor.isReadable(slot.entry), Stage2Descriptor.isWritable(slot.entry),
      PhysicalAddress(slot.entry & Stage2Descriptor.outputMask + inside)
    )
  }

  private func leaves(_ kind: PageKind) -> PageTree.Leaves {
    splitting == .atOnce || kind == .mmio ? .blocks : .pages
  }

  /// Replaces a block by a table that says the same.
  private func split<Memory: TableMemory & ~Copyable, Failure: Error>(
    _ slot: PageTree.Slot, _ start: UInt64, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation, breaking: (PageRange) throws(Failure) -> Void
  ) throws(Failure) {
    if splitting == .broken {
      pool.memory.store(Stage2Descriptor.taken(slot.entry), at: slot.address)
      pool.memory.publishTables()
      let span: UInt64 = 1 << PageTree.shift(slot.level)
      if let block = PageRange(first: PageFrameNumber(start), count: span) { try breaking(block) }
    }
    let table = pool.take(from: &reservation)
    for index in 0..<UInt64(512) {
      let entry = Stage2Descriptor.child(index, of: slot.entry, level: slot.level + 1)
      pool.memory.store(entry, at: PhysicalAddress(table.rawValue + index * 8))
    }
    // The table is complete before a walk can reach it.
    pool.memory.publishTables()
    pool.memory.store(tree.link(to: table), at: slot.address)
    pool.memory.publishTables()
  }
}
