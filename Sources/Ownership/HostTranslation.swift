// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// A change of what the host may reach.
public enum HostChange: Hashable, Sendable {
  /// The host's translation of the pages goes away.
  case revoke
  /// The host reaches the pages again, with the attributes of their kind.
  case grant(PageKind)
}

/// The owner of the host's stage 2: `Stage2Table`, or an embedder that has tables of its own.
///
/// A change is prepared for all of its ranges, then either committed range by range or aborted.
/// Only `prepare` may fail. All calls come with the ownership lock held.
public protocol HostTranslation: ~Copyable {
  /// Gets ready for `change`, so that the commit of every range cannot fail.
  ///
  /// - Returns: how many pages of the pool all the commits take.
  /// - Throws: any error, and then nothing has changed and nothing is prepared.
  mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64

  /// Carries out a prepared change; a revocation is complete on all CPUs when this returns.
  mutating func commit<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ pages: PageRange, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation)

  /// Forgets a prepared change.
  mutating func abort(_ change: HostChange, _ ranges: Span<PageRange>)
}
