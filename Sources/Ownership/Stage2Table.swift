// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The host's stage 2: an identity map of everything that the host may reach, in 4 KiB tables.
///
/// It is complete from the start, in the largest blocks, so that a fault is an exception. A claimed
/// page is an invalid entry annotated with its owner; the block around it is split by
/// break-before-make, and stays split when the page is given back.
public struct Stage2Table<Cache: TranslationCache & ~Copyable>: ~Copyable {
  let tree: PageTree
  let cache: Cache

  /// Builds the map of the whole address space.
  ///
  /// `executed` is what the host may execute although it is no memory, `excluded` what the hypervisor itself lives
  /// in: the host never reaches it.
  ///
  /// - Throws: `outOfRange` for memory or exclusions beyond the geometry, `poolExhausted`; the pool
  ///   may then have handed out the root, and nothing else.
  public init<Memory: TableMemory & ~Copyable>(
    _ geometry: TranslationGeometry, memoryMap: borrowing MemoryMap,
    executed: Stage2Plan.ExecutedRanges? = nil, excluded: Span<PageRange>,
    pool: inout PagePool<Memory>, cache: consuming Cache
  ) throws(OwnershipError) {
    let plan = try Stage2Plan(
      geometry, memoryMap: memoryMap, executed: executed, excluded: excluded)
    let tree = try PageTree(geometry, pool: &pool)
    var reservation = try pool.reserve(plan.tables - geometry.rootTables)
    self.tree = tree
    self.cache = cache
    for index in plan.ranges.indices {
      let leaf: Stage2Descriptor.Leaf =
        if index == 0 {
          .mapped(.mmio)
        } else if index <= memoryMap.count {
          .mapped(.memory)
        } else if index <= memoryMap.count + (executed?.count ?? 0) {
          .executed
        } else {
          .annotated(.hypervisor)
        }
      paint(plan.ranges[index], leaf, &pool, &reservation)
    }
    pool.release(reservation)
  }

  /// The address of the root table, for VTTBR_EL2.BADDR.
  public var root: PhysicalAddress { tree.root }
  /// A walker of the table that needs neither it nor the lock.
  public var walk: Stage2Walk { Stage2Walk(tree: tree) }

  /// Makes `leaf` what the table says about `pages`, splitting what reaches beyond them.
  private func paint<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ leaf: Stage2Descriptor.Leaf, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    var page = pages.numbers.lowerBound
    let end = pages.numbers.upperBound
    var hasBroken = false
    var cursor = PageTree.Cursor()
    while page < end {
      let slot = cursor.walk(tree, to: page, in: pool.memory)
      let span: UInt64 = 1 << PageTree.shift(slot.level)
      guard slot.level > 0, page & (span - 1) == 0, end - page >= span else {
        split(slot, around: page, &pool, &reservation)
        continue
      }
      let entry = Stage2Descriptor.entry(leaf, at: page, level: slot.level)
      if Stage2Descriptor.isValid(slot.entry) && slot.entry != entry {
        if Stage2Descriptor.isValid(entry) {
          breakEntry(slot, around: page, in: pool.memory)
        } else {
          hasBroken = true
        }
      }
      pool.memory.store(entry, at: slot.address)
      page += span
    }
    pool.memory.publishTables()
    // One invalidation for all that was taken away: nothing has been put in its place.
    if hasBroken { cache.invalidateStage2(pages) }
  }

  /// Replaces a leaf above level 3 by a table that says the same (break-before-make, D8.14.1).
  private func split<Memory: TableMemory & ~Copyable>(
    _ slot: PageTree.Slot, around page: UInt64, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    let table = pool.take(from: &reservation)
    if slot.entry != 0 {
      for index in 0..<UInt64(512) {
        let entry = Stage2Descriptor.child(index, of: slot.entry, level: slot.level + 1)
        pool.memory.store(entry, at: PhysicalAddress(table.rawValue + index * 8))
      }
    }
    // The table is complete before the break, which other CPUs may notice, and stays short.
    pool.memory.publishTables()
    if Stage2Descriptor.isValid(slot.entry) { breakEntry(slot, around: page, in: pool.memory) }
    pool.memory.store(tree.link(to: table), at: slot.address)
    pool.memory.publishTables()
  }

  private func breakEntry<Memory: TableMemory & ~Copyable>(
    _ slot: PageTree.Slot, around page: UInt64, in memory: borrowing Memory
  ) {
    memory.store(Stage2Descriptor.changing, at: slot.address)
    memory.publishTables()
    let span: UInt64 = 1 << PageTree.shift(slot.level)
    if let pages = PageRange(first: PageFrameNumber(page & ~(span - 1)), count: span) {
      cache.invalidateStage2(pages)
    } else {
      cache.invalidateStage2All()
    }
  }
}

extension Stage2Table: HostTranslation where Cache: ~Copyable {
  /// Counts the tables that splitting takes.
  public mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    for index in ranges.indices where !tree.contains(ranges[index].numbers) {
      throw .outOfRange(ranges[index].last)
    }
    return tree.missingTables(for: ranges, .blocks, in: pool.memory)
  }

  /// Annotates the pages, or maps them again.
  public mutating func commit<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ pages: PageRange, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    switch change {
    case .revoke: paint(pages, .annotated(.hypervisor), &pool, &reservation)
    case .grant(let kind): paint(pages, .mapped(kind), &pool, &reservation)
    }
  }

  /// Nothing was changed by `prepare`.
  public mutating func abort(_ change: HostChange, _ ranges: Span<PageRange>) {}
}
