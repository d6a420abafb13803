// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Claims of memory that are made one after another and end together: all are kept, or all are given
/// back.
///
/// The list of the ranges lies in memory of the hypervisor that the caller sets aside, two words a
/// range, for it may be long. Like a ``Claim`` the value can't be copied, and must not be dropped while
/// it holds pages.
public struct ClaimSet: ~Copyable {
  let list: PhysicalAddress
  /// How many ranges fit.
  public let capacity: UInt64
  /// How many ranges are held.
  public internal(set) var count: UInt64 = 0

  /// The bytes that a list of `capacity` ranges takes.
  public static func size(capacity: UInt64) -> UInt64 { capacity * 16 }

  /// Makes an empty set with its list at `list`.
  public init(list: PhysicalAddress, capacity: UInt64) {
    self.list = list
    self.capacity = capacity
  }

  /// The place of range `index` in the list.
  func place(_ index: UInt64) -> PhysicalAddress {
    PhysicalAddress(list.rawValue &+ index &* 16)
  }

  /// - Throws: `tooManyRanges` where the set is full.
  func checkRoom() throws(OwnershipError) {
    guard count < capacity else {
      throw .tooManyRanges(capacity: Int(truncatingIfNeeded: capacity))
    }
  }

  /// Adds a range, for which there is room.
  mutating func append<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ memory: borrowing Memory
  ) {
    memory.store(pages.first.rawValue, at: place(count))
    memory.store(pages.count, at: PhysicalAddress(place(count).rawValue &+ 8))
    count += 1
  }

  /// The range that was added last; nil where there is none.
  func last<Memory: TableMemory & ~Copyable>(_ memory: borrowing Memory) -> PageRange? {
    guard count > 0 else { return nil }
    let first = PageFrameNumber(memory.load(place(count - 1)))
    return PageRange(
      first: first, count: memory.load(PhysicalAddress(place(count - 1).rawValue &+ 8)))
  }

  /// Ends the set without giving anything back: the pages are the hypervisor's until reset.
  public consuming func keepForever() { count = 0 }

  deinit { assert(count == 0, "a set of claims was dropped") }
}

extension Ownership
where
  Memory: ~Copyable, Host: ~Copyable, Hypervisor: ~Copyable, Observer: ~Copyable
{
  /// Takes pages of memory from the host, maps them at EL2 and adds them to `set`.
  ///
  /// - Throws: `tooManyRanges` where the set is full, or any error of a donation; nothing has changed
  ///   then.
  public mutating func donate(
    _ pages: PageRange, into set: inout ClaimSet
  ) throws(OwnershipError) {
    try set.checkRoom()
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    let claim = try donate(list, expecting: .memory)
    _ = claim.keepForever()
    set.append(pages, pool.memory)
  }

  /// Gives all pages of `set` back as they are: what the host had in them is there again.
  ///
  /// Only for pages that the hypervisor has not written to; the set is empty afterwards.
  ///
  /// - Throws: a refusal; the pages that are still held stay in the set.
  public mutating func giveBackUntouched(_ set: inout ClaimSet) throws(OwnershipError) {
    while set.count > 0 {
      guard let pages = set.last(pool.memory) else { throw .empty }
      var list = FixedList<1, PageRange>(filler: pages)
      _ = list.append(pages)
      var reservation = try plan(.giveBack, list.span, .memory)
      if let address = hypervisor.linearAddress(of: pages) {
        hypervisor.unmap(pages, at: address, &pool)
      }
      commit(.giveBack, list.span, .memory, &reservation)
      pool.release(reservation)
      set.count -= 1
    }
  }
}
