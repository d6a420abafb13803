// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The owner of EL2's own translation: `EL2Stage1Table`, or an embedder.
///
/// Memory is mapped readable, writable and never executable at the address that `linearAddress`
/// tells, which is always the same for a page; device registers are mapped as Device-nGnRnE at an
/// address that the commit chooses. A mapping is prepared for all of its ranges, then committed
/// range by range or aborted. Only `prepareMap` may fail. All calls come with the ownership lock
/// held.
public protocol HypervisorTranslation: ~Copyable {
  /// Where EL2 sees `pages` of memory while it may access them; nil where it never can.
  func linearAddress(of pages: PageRange) -> VirtualAddress?

  /// Gets ready to map all of `ranges`.
  ///
  /// - Returns: how many pages of the pool all the commits take.
  /// - Throws: any error, and then nothing has changed and nothing is prepared.
  mutating func prepareMap<Memory: TableMemory & ~Copyable>(
    _ ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64

  /// Maps a prepared range; the ranges come in the order in which they were prepared.
  ///
  /// - Returns: the address of the first page, to be kept by the caller.
  mutating func commitMap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ kind: PageKind, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) -> VirtualAddress

  /// Forgets a prepared mapping.
  mutating func abortMap(_ ranges: Span<PageRange>, _ kind: PageKind)

  /// Removes a mapping that a commit made; complete on all CPUs when this returns.
  mutating func unmap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, at address: VirtualAddress, _ pool: inout PagePool<Memory>)
}
