// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// EL2's own translation: one stage, 48 bits, 4 KiB pages, E2H = 0, TTBR0_EL2.
///
/// Nothing but what was mapped is reachable, and what can be mapped is in `EL2Attributes`. It can be
/// built with the MMU off: tables are reached by physical address through the pool alone. Guard
/// pages are addresses that nobody maps; each device range is followed by one.
public struct EL2Stage1Table<Cache: TranslationCache & ~Copyable>: ~Copyable {
  let tree: PageTree
  let cache: Cache
  let space: EL2AddressSpace
  // The next free page of the device window, counted from its start.
  private var windowNext: UInt64 = 0

  /// MAIR_EL2 (Arm ARM DDI 0487, D19.2.103): 0 is Normal Write-Back Read- and Write-Allocate, 1 is
  /// Device-nGnRnE.
  public static var memoryAttributes: UInt64 { 0x00ff }

  /// TCR_EL2 with E2H = 0 (D19.2.143) on a CPU with this ID_AA64MMFR0_EL1.PARange.
  ///
  /// T0SZ is 16, walks are Normal Write-Back Inner Shareable, the granule is 4 KiB; the top byte is
  /// not ignored, so that no pointer has two spellings.
  public static func controlValue(physicalAddressRange range: UInt64) -> UInt64 {
    let res1: UInt64 = 1 << 31 | 1 << 23
    let cacheability: UInt64 = 0b01 << 8 | 0b01 << 10  // IRGN0, ORGN0
    let shareability: UInt64 = 0b11 << 12  // SH0
    return res1 | min(range & 0xf, 5) << 16 | shareability | cacheability | 16
  }

  /// Makes an empty table.
  ///
  /// - Throws: `poolExhausted`.
  public init<Memory: TableMemory & ~Copyable>(
    _ space: EL2AddressSpace, pool: inout PagePool<Memory>, cache: consuming Cache
  ) throws(OwnershipError) {
    guard let geometry = TranslationGeometry(bits: EL2AddressSpace.geometry48) else {
      throw .unsupportedSize(bits: EL2AddressSpace.geometry48)
    }
    let tree = try PageTree(geometry, pool: &pool)
    self.tree = tree
    self.space = space
    self.cache = cache
  }

  /// The address of the root table, for TTBR0_EL2.
  public var root: PhysicalAddress { tree.root }

  /// Maps `pages` at `address`: for the image, its stacks and the pool at boot.
  ///
  /// - Throws: `virtualAddressOutOfRange` outside the space or inside the device window,
  ///   `alreadyMapped`, `outOfRange` beyond 48 bits of physical address, `poolExhausted`.
  public mutating func map<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, at address: VirtualAddress, _ attributes: EL2Attributes,
    pool: inout PagePool<Memory>
  ) throws(OwnershipError) {
    guard let target = EL2AddressSpace.pages(address, pages.count),
      let window = EL2AddressSpace.pages(space.window, space.windowPages),
      !target.overlaps(window)
    else { throw .virtualAddressOutOfRange(address) }
    guard tree.contains(pages.numbers) else { throw .outOfRange(pages.last) }
    try checkUnmapped(target, in: pool)
    guard let targetPages = PageRange(virtual: target) else {
      throw .virtualAddressOutOfRange(address)
    }
    let single: InlineArray<1, PageRange> = [targetPages]
    var reservation = try pool.reserve(
      tree.missingTables(for: single.span, .pages, in: pool.memory))
    write(pages, at: target.lowerBound, attributes, &pool, &reservation)
    pool.release(reservation)
  }

  /// The physical address and the attributes of `address`; nil where nothing is mapped.
  public func lookup<Memory: TableMemory & ~Copyable>(
    _ address: VirtualAddress, in memory: borrowing Memory
  ) -> (PhysicalAddress, EL2Attributes)? {
    let page = address.rawValue >> PageFrameNumber.shift
    guard page < EL2AddressSpace.pageLimit else { return nil }
    let slot = tree.walk(to: page, in: memory)
    guard slot.level == PageTree.lastLevel, slot.entry & 0b11 == 0b11,
      let attributes = EL2Attributes(entry: slot.entry)
    else { return nil }
    let base = slot.entry & Stage2Descriptor.outputMask
    let offset = address.rawValue & (PageFrameNumber.size - 1)
    return (PhysicalAddress(base | offset), attributes)
  }

  /// Whether an address lies in the window for claimed registers.
  func isWindow(_ address: VirtualAddress) -> Bool {
    (address.rawValue &- space.window.rawValue) >> PageFrameNumber.shift < space.windowPages
  }

  private func checkUnmapped<Memory: TableMemory & ~Copyable>(
    _ target: Range<UInt64>, in pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) {
    var cursor = PageTree.Cursor()
    for page in target {
      let slot = cursor.walk(tree, to: page, in: pool.memory)
      guard slot.entry == 0 else {
        throw .alreadyMapped(VirtualAddress(page << PageFrameNumber.shift))
      }
    }
  }

  private func write<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, at first: UInt64, _ attributes: EL2Attributes,
    _ pool: inout PagePool<Memory>, _ reservation: inout Reservation
  ) {
    var cursor = PageTree.Cursor()
    for index in 0..<pages.count {
      let slot = tree.reach(first + index, by: &cursor, &pool, &reservation)
      let output = (pages.first.rawValue + index) << PageFrameNumber.shift
      pool.memory.store(output | attributes.bits | 0b11, at: slot.address)
    }
    // An invalid entry is not cached: publishing is enough.
    pool.memory.publishTables()
  }

  /// The pages that `ranges` of device registers get next, with a guard page between them.
  private func windowTarget(_ ranges: Span<PageRange>) throws(OwnershipError) -> Range<UInt64> {
    var count: UInt64 = 0
    for index in ranges.indices { count += ranges[index].count + 1 }
    guard count <= space.windowPages - windowNext else {
      throw .windowExhausted(pages: count)
    }
    let first = (space.window.rawValue >> PageFrameNumber.shift) + windowNext
    return first..<first + count - 1
  }
}

extension EL2Stage1Table: HypervisorTranslation where Cache: ~Copyable {
  /// The address of memory in the linear part.
  public func linearAddress(of pages: PageRange) -> VirtualAddress? {
    guard pages.last.rawValue < space.linearPages else { return nil }
    return VirtualAddress(space.linearBase.rawValue + pages.first.address.rawValue)
  }

  /// Counts the tables, and checks that the addresses are free.
  public mutating func prepareMap<Memory: TableMemory & ~Copyable>(
    _ ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    for index in ranges.indices where !tree.contains(ranges[index].numbers) {
      throw .outOfRange(ranges[index].last)
    }
    switch kind {
    case .memory:
      let offset = space.linearBase.rawValue >> PageFrameNumber.shift
      for index in ranges.indices {
        let pages = ranges[index].numbers
        guard pages.upperBound <= space.linearPages else { throw .outOfRange(ranges[index].last) }
        try checkUnmapped(pages.lowerBound + offset..<pages.upperBound + offset, in: pool)
      }
      return tree.missingTables(for: ranges, offset: offset, .pages, in: pool.memory)
    case .mmio:
      let target = try windowTarget(ranges)
      guard let pages = PageRange(virtual: target) else {
        throw .windowExhausted(pages: space.windowPages)
      }
      // A guard page needs a table only where a neighbour needs it as well.
      let single: InlineArray<1, PageRange> = [pages]
      return tree.missingTables(for: single.span, .pages, in: pool.memory)
    }
  }

  /// Maps memory in the linear part, device registers at the next place in the window.
  public mutating func commitMap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ kind: PageKind, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) -> VirtualAddress {
    let first: UInt64
    let attributes: EL2Attributes
    switch kind {
    case .memory:
      first = (space.linearBase.rawValue >> PageFrameNumber.shift) + pages.first.rawValue
      attributes = .data
    case .mmio:
      first = (space.window.rawValue >> PageFrameNumber.shift) + windowNext
      windowNext += pages.count + 1
      attributes = .device
    }
    write(pages, at: first, attributes, &pool, &reservation)
    return VirtualAddress(first << PageFrameNumber.shift)
  }

  /// Nothing was changed by `prepareMap`.
  public mutating func abortMap(_ ranges: Span<PageRange>, _ kind: PageKind) {}

  /// Removes a mapping and waits until no CPU uses it; tables in which nothing is left go back to the pool.
  public mutating func unmap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, at address: VirtualAddress, _ pool: inout PagePool<Memory>
  ) {
    let first = address.rawValue >> PageFrameNumber.shift
    PageTree.pieces(first..<first + pages.count) { piece in
      var cursor = PageTree.Cursor()
      for page in piece {
        let slot = cursor.walk(tree, to: page, in: pool.memory)
        if slot.level == PageTree.lastLevel { pool.memory.store(0, at: slot.address) }
      }
      let tables = tree.unlinkEmpty(around: piece.lowerBound, in: pool.memory)
      pool.memory.publishTables()
      // Also what is cached of the levels above: by then no walk is in a table that was unlinked.
      cache.invalidateEL2(
        VirtualAddress(piece.lowerBound << PageFrameNumber.shift), count: UInt64(piece.count))
      for index in tables.indices { pool.giveBack(tables[index]) }
    }
  }
}

extension PageRange {
  /// Page numbers of a virtual space, for the count of tables, which doesn't tell the spaces apart.
  fileprivate init?(virtual pages: Range<UInt64>) {
    self.init(first: PageFrameNumber(pages.lowerBound), count: UInt64(pages.count))
  }
}
