// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import Ownership

/// The owners of pages, asked with the lock of one device held: takes the lock of rank `ownership` itself.
package struct LockedOwnership<Machine: BoardPlatform>: PageAuthority {
  private let platform: Machine
  /// What is held already.
  private let rank: LockRank

  private var state: StatePlace<Machine> { platform.state }

  /// Those of `platform`, with a lock of `rank` held.
  package init(of platform: Machine, holding rank: LockRank) {
    self.platform = platform
    self.rank = rank
  }

  package func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    guard !state.shared.reserved.overlaps(pages) else {
      throw .refusedByHypervisor(pages.first)
    }
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    return try state.shared.ownershipLock.withLock(on: platform) {
      () throws(OwnershipError) -> Pin<1> in
      try state.shared.ownership.shareAndPin(list)
    }
  }

  package func unpinAndUnshare(_ pin: consuming Pin<1>) {
    var pin: Pin<1>? = consume pin
    state.shared.ownershipLock.withLock(on: platform) {
      guard let pin = pin.take() else { return }
      // Pages that somebody else has pinned stay shared, which is safe.
      state.shared.ownership.unpinAndUnshare(pin)
    }
  }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    // EL2 reads what an SMMU's queue and tables say; what is held for others hardware reads.
    guard rank != .smmu || !state.shared.reserved.overlaps(pages) else {
      throw .refusedByHypervisor(pages.first)
    }
    return try state.shared.ownershipLock.withLock(on: platform) {
      () throws(OwnershipError) -> UInt64 in
      try state.shared.ownership.hold(pages, in: &table)
    }
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    state.shared.ownershipLock.withLock(on: platform) {
      state.shared.ownership.release(slot, of: &table)
    }
  }

  package func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    try state.shared.ownershipLock.withLock(on: platform) { () throws(OwnershipError) in
      try state.shared.ownership.donate(pages, into: &set)
    }
  }

  package func giveBackUntouched(_ set: inout ClaimSet) -> Bool {
    return state.shared.ownershipLock.withLock(on: platform) {
      do throws(OwnershipError) {
        try state.shared.ownership.giveBackUntouched(&set)
        return true
      } catch {
        return false
      }
    }
  }
}
