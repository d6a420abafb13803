// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Ownership

/// What EL2 does with pages of the host for an ITS.
package enum PageEvent: Hashable, Sendable {
  /// It asked for pages of the host's memory.
  case claimed(PageRange, isGranted: Bool)
  /// It gave back all that it had claimed since it began to claim.
  case gaveBack
  /// It shares pages with the host, and has pinned them.
  case pinned(PageRange)
  /// It lets them go.
  case unpinned(PageRange)
}

/// The owners of pages on a board, where somebody may look on.
package struct WatchedPages: PageAuthority {
  let pages: LockedOwnership<SimulatedPlatform>
  let hardware: BoardHardware

  package func shareAndPin(_ range: PageRange) throws(OwnershipError) -> Pin<1> {
    let pin = try pages.shareAndPin(range)
    hardware.onPages?(.pinned(range))
    return pin
  }

  package func unpinAndUnshare(_ pin: consuming Pin<1>) {
    hardware.onPages?(.unpinned(pin[0].pages))
    pages.unpinAndUnshare(pin)
  }

  package func hold(_ range: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try pages.hold(range, in: &table)
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    pages.release(slot, of: &table)
  }

  package func claim(_ range: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    do throws(OwnershipError) {
      try pages.claim(range, into: &set)
    } catch {
      hardware.onPages?(.claimed(range, isGranted: false))
      throw error
    }
    hardware.onPages?(.claimed(range, isGranted: true))
  }

  package func giveBackUntouched(_ set: inout ClaimSet) -> Bool {
    let isDone = pages.giveBackUntouched(&set)
    if isDone { hardware.onPages?(.gaveBack) }
    return isDone
  }
}
