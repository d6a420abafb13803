// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import IOMMU
internal import Ownership
internal import SMMUDriver

/// Who follows the owners of pages for the host's devices: the mirror, on a board whose SMMUs are EL2's own.
///
/// With `ownershipLock` held.
struct DMAProtection: ~Copyable, OwnershipObserver {
  typealias Mirror = DMAMirror<SMMUGroup<MetalSMMUs>>

  /// Nil where no SMMU is EL2's own.
  var mirror: Mirror?
  /// The last fault that was logged.
  var lastFault: SMMUFault?

  mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    try mirror?.prepare(transition, ranges, pool) ?? 0
  }

  mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError) {
    try mirror?.revoke(transition, ranges, &pool, &reservation)
  }

  mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    mirror?.commit(transition, ranges, &pool, &reservation)
  }

  mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>) {
    mirror?.abort(transition, ranges)
  }
}
