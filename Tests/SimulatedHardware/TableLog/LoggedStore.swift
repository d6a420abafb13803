// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// One doubleword that EL2 has changed.
package struct LoggedStore: Hashable, Sendable {
  /// Of which table; nil for memory that no hardware walks, or not yet.
  package var entry: LoggedEntry?
  /// The physical address.
  package var address: UInt64
  /// What it was.
  package var old: UInt64
  /// What it is from now on.
  package var new: UInt64

  /// Makes one.
  package init(_ entry: LoggedEntry?, at address: UInt64, _ old: UInt64, _ new: UInt64) {
    self.entry = entry
    self.address = address
    self.old = old
    self.new = new
  }
}
