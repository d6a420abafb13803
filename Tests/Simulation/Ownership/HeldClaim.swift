// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

/// Pages that EL2 holds; kept for good where the value is dropped.
package final class HeldClaim {
  var claim: Claim<4>?
  /// The pages.
  package let ranges: [PageRange]
  /// What stands behind them.
  package let kind: PageKind
  /// Whether the host may access them, too.
  package internal(set) var isLent = false
  /// Whether they are never given back.
  package internal(set) var isForEver = false

  init(_ claim: consuming Claim<4>, _ ranges: [PageRange], _ kind: PageKind) {
    self.claim = consume claim
    self.ranges = ranges
    self.kind = kind
  }

  deinit { if let left = claim.take() { _ = left.keepForever() } }
}
