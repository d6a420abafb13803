// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What becomes of every page of a change: all of them were in `old`, which was checked page by page.
public struct PageTransition: Hashable, Sendable {
  /// What stands behind the pages.
  public let kind: PageKind
  /// The state that they leave.
  public let old: PageState
  /// The state that they enter.
  public let new: PageState

  /// Makes a transition.
  public init(kind: PageKind, old: PageState, new: PageState) {
    self.kind = kind
    self.old = old
    self.new = new
  }
}

/// Somebody who follows every change of ownership, such as the mirror that an IOMMU works from.
///
/// A change is prepared; then the host's pages are revoked, or it is committed. `revoke` may fail, since
/// it has to do with hardware that may not answer, and so it is the last step at which a change can end
/// without a trace; `commit` comes after everything else and can't. All calls come with the ownership
/// lock held. Pins change no state and are not told.
public protocol OwnershipObserver: ~Copyable {
  /// Gets ready for `transition` of all `ranges`, so that nothing but hardware can fail afterwards.
  ///
  /// - Returns: how many pages of the pool the change takes, at most.
  /// - Throws: any error, which refuses the change; nothing is prepared then.
  mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64

  /// Takes pages that the host loses from the host's devices, for good when this returns; only then does
  /// anybody else take them into use.
  ///
  /// - Throws: any error; the pages stay the host's, and the host's devices reach what they reached.
  mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError)

  /// Follows a change by which the host loses nothing: it has happened.
  mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation)

  /// Forgets what `prepare` did; also after a `revoke` that failed.
  mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>)
}

/// Nobody follows.
public struct NoObserver: OwnershipObserver, Sendable {
  /// Makes the observer that sees nothing.
  public init() {}
  /// Agrees.
  public mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 { 0 }
  /// Has nothing to take.
  public mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError) {}
  /// Does nothing.
  public mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {}
  /// Does nothing.
  public mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>) {}
}
