// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership

/// The IOMMUs of a board, of which all have one table: the SMMUv3s, or in tests a record.
///
/// Everything that devices do goes through the table, or nothing does: a driver that can't say that
/// refuses to begin. All calls come with the ownership lock held.
public protocol IOMMUDriver: ~Copyable {
  /// One more than the largest page number that devices can address; what lies beyond can't be reached,
  /// and is neither mapped nor unmapped.
  var pageLimit: UInt64 { get }

  /// Takes the IOMMUs over: devices reach nothing when this returns.
  ///
  /// - Throws: any error; the IOMMUs are then as they were, or let nothing pass.
  mutating func begin<Memory: TableMemory & ~Copyable>(
    _ pool: inout PagePool<Memory>
  ) throws(IOMMUError)

  /// How many pages of the pool mapping or unmapping all of `ranges` takes, at most; nothing changes.
  ///
  /// With that many at hand ``map(_:_:_:_:)`` can't fail. The ranges are below the limit.
  ///
  /// - Throws: `refused`.
  func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(IOMMUError) -> UInt64

  /// Lets devices reach pages that they do not reach, by their physical addresses.
  mutating func map<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ access: DMAAccess, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation)

  /// Takes pages from the table; until ``sync()`` returns, devices may reach them.
  ///
  /// Taking all pages up to the limit needs no page of the pool.
  ///
  /// - Throws: any error; part of the pages may then be taken.
  mutating func unmap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>, _ reservation: inout Reservation
  ) throws(IOMMUError)

  /// Undoes what ``unmap(_:_:_:)`` took of `pages` since the last ``sync()``: devices reach the same again.
  mutating func restore<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>)

  /// Waits until no device reaches, by what any IOMMU has cached or has under way, a page that was taken.
  ///
  /// - Throws: `notConfirmed`; nothing is known then about any page that was taken since the last time.
  mutating func sync() throws(IOMMUError)
}
