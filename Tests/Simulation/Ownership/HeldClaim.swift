// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SimulatedHardware

/// Pages that EL2 holds; kept for good where the value is dropped.
package final class HeldClaim {
  var claim: Claim<4>?
  /// The pages.
  package let ranges: [PageRange]
  /// What stands behind them.
  package let kind: PageKind
  /// Whether the host may access them, too.
  package internal(set) var isLent = false
  /// Whether they are never given back.
  package internal(set) var isForEver = false

  init(_ claim: consuming Claim<4>, _ ranges: [PageRange], _ kind: PageKind) {
    self.claim = consume claim
    self.ranges = ranges
    self.kind = kind
  }

  deinit { if let left = claim.take() { _ = left.keepForever() } }
}

extension Ownership
where Memory: ~Copyable, Host: ~Copyable, Hypervisor: ~Copyable, Observer: ~Copyable {
  /// Takes pages from the host, to be held.
  package mutating func donate(
    _ ranges: [PageRange], _ kind: PageKind = .memory
  ) throws(OwnershipError) -> HeldClaim {
    HeldClaim(try donate(FixedList<4, PageRange>(ranges), expecting: kind), ranges, kind)
  }

  /// Shares and pins pages, and adds them to those that are held.
  mutating func hold(
    _ pages: PageRange, in table: inout PinTable, noting held: inout [PageRange]
  ) throws(OwnershipError) -> UInt64 {
    let slot = try hold(pages, in: &table)
    held.append(pages)
    return slot
  }

  /// Ends that; `memory` is what the table of pins is in.
  mutating func release(
    _ slot: UInt64, of table: inout PinTable, in memory: ProcessorMemory,
    noting held: inout [PageRange]
  ) {
    if let pages = table.pages(in: slot, memory: memory) { held.removeLast(pages) }
    release(slot, of: &table)
  }
}
