// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The fixed range of pages that all tables come from.
///
/// A page comes back when its table is empty, unlinked, and in no TLB, and is handed out again. The
/// tables of the host's stage 2 and of devices never come back, so that a walk that takes no lock never
/// meets a table that has become something else.
public struct PagePool<Memory: TableMemory & ~Copyable>: ~Copyable {
  /// The words of the pool's pages, and of other pages of EL2, by physical address.
  public let memory: Memory
  /// The pages of the pool.
  public let pages: PageRange
  // Of the pages from the start on, how many were ever handed out; those that came back are a list, each
  // with the address of the next in its first word.
  private var handedOut: UInt64 = 0
  private var returned: UInt64 = 0
  private var firstReturned = PhysicalAddress(0)
  private var reserved: UInt64 = 0

  /// Makes a pool of `pages`, which EL2 owns and which hold nothing of value.
  public init(pages: PageRange, memory: consuming Memory) {
    self.pages = pages
    self.memory = memory
  }

  /// How many pages are neither handed out nor reserved.
  public var freeCount: UInt64 { pages.count - usedCount - reserved }
  /// How many pages are tables, or were skipped to align one.
  public var usedCount: UInt64 { handedOut - returned }

  /// Sets `count` pages aside.
  ///
  /// - Throws: `poolExhausted`, and nothing has changed.
  @inline(__always)  // of two that are equal the compiler makes one without a landing pad
  public mutating func reserve(_ count: UInt64) throws(OwnershipError) -> Reservation {
    guard count <= freeCount else { throw .poolExhausted(needed: count, free: freeCount) }
    reserved += count
    return Reservation(count)
  }

  /// Takes back what is left of a reservation.
  public mutating func release(_ reservation: consuming Reservation) {
    reserved -= reservation.remaining
    reservation.remaining = 0
    reservation.isOpen = false
  }

  /// Hands out one zeroed page.
  ///
  /// - Precondition: `reservation` has a page left; whoever reserved has counted exactly.
  mutating func take(from reservation: inout Reservation) -> PhysicalAddress {
    precondition(reservation.remaining > 0, "more tables than were counted")
    reservation.remaining -= 1
    reserved -= 1
    guard returned == 0 else {
      let page = firstReturned
      firstReturned = PhysicalAddress(memory.load(page))
      returned -= 1
      memory.store(0, at: page)
      return page
    }
    let page = PageFrameNumber(pages.first.rawValue + handedOut).address
    handedOut += 1
    zero(page)
    return page
  }

  /// Takes a page back that is all zero, and that nothing leads to any more: no table, and no TLB.
  mutating func giveBack(_ page: PhysicalAddress) {
    memory.store(firstReturned.rawValue, at: page)
    firstReturned = page
    returned += 1
  }

  /// Hands out `count` consecutive zeroed pages, aligned to their size: a concatenated root table.
  ///
  /// `count` is a power of two. Pages skipped for the alignment are lost.
  ///
  /// - Throws: `poolExhausted`, and nothing has changed.
  mutating func takeRoot(_ count: UInt64) throws(OwnershipError) -> PhysicalAddress {
    let start = pages.first.rawValue + handedOut
    let aligned = (start + count - 1) & ~(count - 1)
    let needed = aligned - start + count
    // What came back is not consecutive.
    let free = freeCount - min(freeCount, returned)
    guard needed <= free else { throw .poolExhausted(needed: needed, free: free) }
    handedOut += needed
    for page in 0..<count { zero(PageFrameNumber(aligned + page).address) }
    return PageFrameNumber(aligned).address
  }

  /// Zeroes a page that EL2 owns.
  func zero(_ page: PhysicalAddress) {
    memory.zero(page, size: PageFrameNumber.size)
  }
}
