// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership

/// Who decides on pages of the host's memory, asked with the lock of one device held.
///
/// An image keeps the ledger of its pages itself, a hypervisor that links the library keeps its own. What is asked of
/// either is the same.
public protocol PageAuthority {
  /// Shares pages with EL2 and pins them.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1>
  /// Ends what ``shareAndPin(_:)`` began.
  func unpinAndUnshare(_ pin: consuming Pin<1>)

  /// Shares pages and pins them in a slot of `table`.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64
  /// Ends what ``hold(_:in:)`` began.
  func release(_ slot: UInt64, of table: inout PinTable)

  /// Takes pages from the host, with the content they have, and adds them to `set`.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError)
  /// Gives all pages of `set` back as they are; false where they could not be.
  func giveBackUntouched(_ set: inout ClaimSet) -> Bool
}
