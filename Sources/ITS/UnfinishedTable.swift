// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// A MAPD that waits for its table to be zeroed.
struct UnfinishedTable: Sendable {
  /// The table.
  let pages: PageRange
  /// How many bytes are zero.
  var zeroed: UInt64
}
