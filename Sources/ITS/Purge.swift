// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import GIC

/// What is left to unmap in the hardware after the host has replaced a table: where to go on in each
/// ledger, nil for one with nothing to unmap.
struct Purge: Sendable {
  /// The slot of the ledger of devices.
  var devices: UInt64?
  /// The ICID.
  var collections: UInt64?
  /// The vPEID.
  var vpes: UInt64?

  /// All that was mapped in a table of this kind is left.
  mutating func add(_ kind: GITSTableBase.Kind) {
    switch kind {
    case .devices: devices = 0
    case .collections: collections = 0
    case .vpes: vpes = 0
    case .none: break
    }
  }

  /// Whether nothing is left.
  var isDone: Bool { devices == nil && collections == nil && vpes == nil }
}
