// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why a change of ownership or of a translation was refused; nothing has changed then.
public enum OwnershipError: Error, Hashable, Sendable {
  /// The request names no page.
  case empty
  /// Two ranges of one request, or of one map, share this frame.
  case overlap(PageFrameNumber)
  /// The frame lies outside the address space that is managed.
  case outOfRange(PageFrameNumber)
  /// The frame is not of the kind that was asked for.
  case wrongKind(PageFrameNumber, PageKind)
  /// The frame is in a state from which the operation does not start.
  case wrongState(PageFrameNumber, PageState)
  /// The frame is pinned.
  case pinned(PageFrameNumber)
  /// The pin count of the frame is at its maximum.
  case tooManyPins(PageFrameNumber)
  /// The pool holds fewer free pages than the change needs.
  case poolExhausted(needed: UInt64, free: UInt64)
  /// The owner of the host's translation refused the range that starts here.
  case refusedByHost(PageFrameNumber)
  /// The owner of EL2's translation refused the range that starts here.
  case refusedByHypervisor(PageFrameNumber)
  /// The observer refused the frame.
  case refusedByObserver(PageFrameNumber)
  /// A fixed list is full; `capacity` is what it holds.
  case tooManyRanges(capacity: Int)
  /// Address sizes in bits that the tables or the implementation do not support.
  case unsupportedSize(bits: UInt64)
  /// EL2 already maps this virtual address.
  case alreadyMapped(VirtualAddress)
  /// The virtual address lies outside EL2's address space, or in a part kept for other use.
  case virtualAddressOutOfRange(VirtualAddress)
  /// The window of virtual addresses for devices has no room; `pages` were wanted.
  case windowExhausted(pages: UInt64)
  /// There is no claim to give back: it has been given back before.
  case nothingHeld
}
