// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Somebody else who knows whose every page is, such as an embedder, and shares the host's on request.
///
/// What ``Ownership`` does with its ledger for those who have none. The ledger of a sharer is the truth:
/// nothing is recorded here but what a pin holds, so that no page of a pool is spent on an address that
/// the host chooses. Shares nest, and a page stays the host's as long as one is left.
public protocol PageSharer {
  /// Lets EL2 access pages of memory that stay the host's until as many calls of ``unshare(_:)``.
  ///
  /// - Returns: where EL2 sees the first page.
  /// - Throws: `refusedByHost` where a page is not the host's own memory; nothing has changed then.
  func share(_ pages: PageRange) throws(OwnershipError) -> VirtualAddress
  /// Ends one share of the pages.
  func unshare(_ pages: PageRange)
}

extension PageSharer {
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
}
