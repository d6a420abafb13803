// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// One page on its way from one state to another.
public struct PageTransition: Hashable, Sendable {
  /// The page.
  public let frame: PageFrameNumber
  /// What stands behind it.
  public let kind: PageKind
  /// The state that it leaves.
  public let old: PageState
  /// The state that it enters.
  public let new: PageState
}

/// Somebody who follows every change of ownership, such as the mirror that an IOMMU works from.
///
/// Each page of a change is prepared, then each is committed, or each that was prepared is aborted.
/// All calls come with the ownership lock held. Pins change no state and are not told.
public protocol OwnershipObserver: ~Copyable {
  /// Gets ready, so that the commit cannot fail; false refuses the whole change.
  mutating func prepare(_ transition: PageTransition) -> Bool

  /// Follows the change. Where the host loses the page, no device of the host reaches it any more
  /// when this returns; only then does the hypervisor take the page into use.
  mutating func commit(_ transition: PageTransition)

  /// Forgets what `prepare` did.
  mutating func abort(_ transition: PageTransition)
}

/// Nobody follows.
public struct NoObserver: OwnershipObserver, Sendable {
  /// Makes the observer that sees nothing.
  public init() {}
  /// Agrees.
  public mutating func prepare(_ transition: PageTransition) -> Bool { true }
  /// Does nothing.
  public mutating func commit(_ transition: PageTransition) {}
  /// Does nothing.
  public mutating func abort(_ transition: PageTransition) {}
}
