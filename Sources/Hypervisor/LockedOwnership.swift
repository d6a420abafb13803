// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership

/// The owners of pages, asked with the lock of one device held: takes the lock of rank `ownership` itself.
struct LockedOwnership<Machine: BoardPlatform> {
  private let state: StatePlace<Machine>
  /// What is held already.
  private let rank: LockRank

  init(of platform: Machine, holding rank: LockRank) {
    state = platform.state
    self.rank = rank
  }

  /// Shares pages and pins them in a slot of `table`.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    var held = HeldLocks(holding: rank)
    return try state.shared.ownershipLock.withLock(&held) {
      (_) throws(OwnershipError) -> UInt64 in
      try state.shared.ownership.hold(pages, in: &table)
    }
  }

  /// Ends what ``hold(_:in:)`` began.
  func release(_ slot: UInt64, of table: inout PinTable) {
    var held = HeldLocks(holding: rank)
    state.shared.ownershipLock.withLock(&held) { _ in
      state.shared.ownership.release(slot, of: &table)
    }
  }
}
