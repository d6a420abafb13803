// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import IOMMU
package import Ownership
package import SMMUDriver

/// Who follows the owners of pages for the host's devices: the mirror, on a board whose SMMUs are EL2's own.
///
/// With `ownershipLock` held.
package struct DMAProtection<Machine: BoardPlatform>: ~Copyable, OwnershipObserver {
  package typealias Mirror = DMAMirror<SMMUGroup<Machine.SMMUs>>

  /// Nil where no SMMU is EL2's own.
  package var mirror: Mirror?
  /// The last fault that was logged.
  var lastFault: SMMUFault?

  package mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    try mirror?.prepare(transition, ranges, pool) ?? 0
  }

  package mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError) {
    try mirror?.revoke(transition, ranges, &pool, &reservation)
  }

  package mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    mirror?.commit(transition, ranges, &pool, &reservation)
  }

  package mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>) {
    mirror?.abort(transition, ranges)
  }
}
