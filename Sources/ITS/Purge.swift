// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What is left to unmap in the hardware after the host has replaced a table: where to go on in each
/// ledger, nil for one with nothing to unmap.
struct Purge: Sendable {
  /// The slot of the ledger of devices.
  var devices: UInt64?
  /// The ICID.
  var collections: UInt64?
  /// The vPEID.
  var vpes: UInt64?

  /// Whether nothing is left.
  var isDone: Bool { devices == nil && collections == nil && vpes == nil }
}
