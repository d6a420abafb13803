// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Streams whose entries EL2 is about to read, over as many traps as it takes.
struct StreamScan {
  /// Why they are read.
  enum Purpose: Hashable {
    /// CR0.SMMUEN was set: nothing goes by them yet.
    case enabling
    /// The command at hand of the queue says so.
    case command
  }

  /// The first that was not read.
  var next: UInt64
  /// One more than the last.
  let end: UInt64
  let purpose: Purpose
}
