// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the ledger keeps of one page.
public struct PageRecord: Hashable, Sendable {
  /// The state of the page.
  public let state: PageState
  /// How many pins hold the page in its state; not zero in `sharedOwned` only.
  public internal(set) var pins: UInt32

  /// A page that the host owns and nobody holds: what an absent entry of the ledger means.
  public static let untouched = PageRecord(state: .owned, pins: 0)

  init(state: PageState, pins: UInt32) {
    self.state = state
    self.pins = pins
  }

  // The entry of the ledger: pins in [63:32], state in [5:4]. An untouched page is 0, which is what
  // a fresh table holds; bits [1:0] stay clear, so that no record looks like a link to a table.
  init(entry: UInt64) {
    state = PageState(rawValue: UInt8(truncatingIfNeeded: entry >> 4 & 3)) ?? .none
    pins = UInt32(truncatingIfNeeded: entry >> 32)
  }

  var entry: UInt64 { UInt64(pins) << 32 | UInt64(state.rawValue) << 4 }
}
