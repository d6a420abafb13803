// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Pages of a pool that have been set aside, so that a change which began cannot run out of them.
///
/// It is made by `PagePool.reserve` and ends with `PagePool.release`. One that is dropped instead
/// is a defect: it stops a debug build, and in a release build its pages are never handed out again.
public struct Reservation: ~Copyable {
  /// How many pages are left.
  public internal(set) var remaining: UInt64
  var isOpen = true

  init(_ count: UInt64) { remaining = count }

  deinit { assert(!isOpen, "a reservation was dropped") }
}
