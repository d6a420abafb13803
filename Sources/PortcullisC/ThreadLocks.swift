// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder

/// The CPU that runs this, as a debug build checks the order of its locks: there a thread stands for it.
///
/// A leaf: the byte is the thread's own.
struct ThreadLocks: LockHolder {
  func willTake(_ rank: LockRank) { assert(Self.held.take(rank), "lock order") }
  func willRelease(_ rank: LockRank) { assert(Self.held.release(rank), "not the last lock taken") }

  private static var held: HeldLocks {
    unsafeAddress { unsafe UnsafePointer(place) }
    unsafeMutableAddress { unsafe place }
  }

  private static var place: UnsafeMutablePointer<HeldLocks> {
    // All of it is a byte, zero where nothing is held.
    unsafe UnsafeMutableRawPointer(portcullis_locks_of_thread()).assumingMemoryBound(
      to: HeldLocks.self)
  }
}
