// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMUDriver

/// The mirror of page states, of which a test may have one transition get lost: a defect that comparing
/// the tables has to notice.
package struct SMMUWorldMirror: OwnershipObserver, ~Copyable {
  /// The mirror.
  package var mirror: DMAMirror<SMMUGroup<SMMUWorld.Machine>>
  let forgotten: PageTransition?

  package mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    guard transition != forgotten else { return 0 }
    return try mirror.prepare(transition, ranges, pool)
  }

  package mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError) {
    guard transition != forgotten else { return }
    try mirror.revoke(transition, ranges, &pool, &reservation)
  }

  package mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    guard transition != forgotten else { return }
    mirror.commit(transition, ranges, &pool, &reservation)
  }

  package mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>) {
    guard transition != forgotten else { return }
    mirror.abort(transition, ranges)
  }
}
