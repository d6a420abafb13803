// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Somebody else who keeps the ledger of pages, such as an embedder.
///
/// What ``Ownership`` does for those who have none. The keeper's ledger is the truth: nothing is recorded
/// here but what a pin or a set of claims holds, so that no page of a pool is spent on an address that the
/// host chooses.
public protocol PageKeeper {
  /// Lets EL2 access pages of memory that stay the host's until as many calls of ``unshare(_:)``; shares
  /// nest.
  ///
  /// - Returns: where EL2 sees the first page.
  /// - Throws: `refusedByHost` where a page is not the host's own memory; nothing has changed then.
  func share(_ pages: PageRange) throws(OwnershipError) -> VirtualAddress
  /// Ends one share of the pages.
  func unshare(_ pages: PageRange)
  /// Takes pages of memory, which nobody shares, from the host; EL2 sees them with the content they have.
  ///
  /// - Throws: `refusedByHost`; nothing has changed then.
  func donate(_ pages: PageRange) throws(OwnershipError)
  /// Gives donated pages back to the host, with the content they have.
  func giveBack(_ pages: PageRange)
}

extension PageKeeper {
  /// Shares pages, which a pin stands for.
  ///
  /// - Throws: any error of ``share(_:)``.
  public func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    let mapped = MappedPages(pages: pages, address: try share(pages))
    var list = FixedList<1, MappedPages>(filler: mapped)
    _ = list.append(mapped)
    return Pin(list)
  }

  /// Ends what ``shareAndPin(_:)`` began.
  public func unpinAndUnshare(_ pin: consuming Pin<1>) {
    unshare(pin.mapped[0].pages)
    pin.isOpen = false
  }

  /// Shares pages, and returns the slot of `table` that stands for it.
  ///
  /// - Throws: `tooManyRanges` where no slot is free, or any error of ``share(_:)``.
  public func hold<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, in table: inout PinTable, memory: borrowing Memory
  ) throws(OwnershipError) -> UInt64 {
    let slot = try table.firstFree(memory)
    _ = try share(pages)
    table.fill(slot, pages, memory)
    return slot
  }

  /// Ends what a slot stands for.
  public func release<Memory: TableMemory & ~Copyable>(
    _ slot: UInt64, of table: inout PinTable, memory: borrowing Memory
  ) {
    if let pages = table.empty(slot, memory) { unshare(pages) }
  }

  /// Takes pages from the host and adds them to `set`.
  ///
  /// - Throws: `tooManyRanges` where the set is full, or any error of ``donate(_:)``.
  public func donate<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, into set: inout ClaimSet, memory: borrowing Memory
  ) throws(OwnershipError) {
    try set.checkRoom()
    try donate(pages)
    set.append(pages, memory)
  }

  /// Gives all pages of `set` back as they are; the set is empty afterwards.
  public func giveBackUntouched<Memory: TableMemory & ~Copyable>(
    _ set: inout ClaimSet, memory: borrowing Memory
  ) {
    while let pages = set.last(memory) {
      giveBack(pages)
      set.count -= 1
    }
  }
}
