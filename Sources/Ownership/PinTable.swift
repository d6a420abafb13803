// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Pins of memory that the host shares, each in a slot of its own and released by the slot's number.
///
/// For what a device may hold many of, one for each of its tables. The slots lie in memory of the
/// hypervisor that the caller sets aside, two words each: first page and count, which is zero in a free
/// slot. Slots may overlap. Like a ``Pin`` the value can't be copied.
public struct PinTable: ~Copyable {
  private let list: PhysicalAddress
  /// How many slots there are.
  public let capacity: UInt64
  /// How many are taken.
  public private(set) var count: UInt64 = 0

  /// The bytes that `capacity` slots take.
  public static func size(capacity: UInt64) -> UInt64 { capacity * 16 }

  /// Makes a table of free slots in zeroed memory.
  public init(list: PhysicalAddress, capacity: UInt64) {
    self.list = list
    self.capacity = capacity
  }

  private func place(_ slot: UInt64) -> PhysicalAddress {
    PhysicalAddress(list.rawValue &+ slot &* 16)
  }

  /// The pages that a slot holds; nil where it is free, or there is none.
  public func pages<Memory: TableMemory & ~Copyable>(
    in slot: UInt64, memory: borrowing Memory
  ) -> PageRange? {
    guard slot < capacity else { return nil }
    let count = memory.load(PhysicalAddress(place(slot).rawValue &+ 8))
    return PageRange(first: PageFrameNumber(memory.load(place(slot))), count: count)
  }

  /// The first page, in the order of the slots, that a slot holds of `wanted`; nil where none does.
  public func firstHeld<Memory: TableMemory & ~Copyable>(
    of wanted: PageRange, memory: borrowing Memory
  ) -> PageFrameNumber? {
    var left = count
    var slot: UInt64 = 0
    while left > 0, slot < capacity {
      if let pages = pages(in: slot, memory: memory) {
        if pages.overlaps(wanted) { return max(pages.first, wanted.first) }
        left -= 1
      }
      slot += 1
    }
    return nil
  }

  /// The first free slot.
  ///
  /// - Throws: `tooManyRanges` where none is free.
  func firstFree<Memory: TableMemory & ~Copyable>(
    _ memory: borrowing Memory
  ) throws(OwnershipError) -> UInt64 {
    for slot in 0..<capacity
    where memory.load(PhysicalAddress(place(slot).rawValue &+ 8)) == 0 { return slot }
    throw .tooManyRanges(capacity: Int(truncatingIfNeeded: capacity))
  }

  /// Has a free slot hold `pages`.
  mutating func fill<Memory: TableMemory & ~Copyable>(
    _ slot: UInt64, _ pages: PageRange, _ memory: borrowing Memory
  ) {
    memory.store(pages.first.rawValue, at: place(slot))
    memory.store(pages.count, at: PhysicalAddress(place(slot).rawValue &+ 8))
    count += 1
  }

  /// Frees a slot, and returns what it held; nil where it was free.
  mutating func empty<Memory: TableMemory & ~Copyable>(
    _ slot: UInt64, _ memory: borrowing Memory
  ) -> PageRange? {
    guard let pages = pages(in: slot, memory: memory) else { return nil }
    memory.store(0, at: PhysicalAddress(place(slot).rawValue &+ 8))
    count -= 1
    return pages
  }
}

extension Ownership
where
  Memory: ~Copyable, Host: ~Copyable, Hypervisor: ~Copyable, Observer: ~Copyable
{
  /// Shares pages of the host's memory that are not shared yet, pins all of them, and returns the slot of
  /// `table` that stands for it.
  ///
  /// - Throws: `tooManyRanges` where no slot is free, `wrongState` for a page that is not the host's, or
  ///   any other `OwnershipError`; nothing has changed then.
  public mutating func hold(
    _ pages: PageRange, in table: inout PinTable
  ) throws(OwnershipError) -> UInt64 {
    let slot = try table.firstFree(pool.memory)
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    try hold(list.span)
    table.fill(slot, pages, pool.memory)
    return slot
  }

  /// Ends what a slot stands for; pages that another pin holds stay shared.
  public mutating func release(_ slot: UInt64, of table: inout PinTable) {
    guard let pages = table.empty(slot, pool.memory) else { return }
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    letGo(list.span)
  }
}
