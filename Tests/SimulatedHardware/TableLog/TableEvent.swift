// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// What happened to a table, or to what hardware has cached of it.
package enum TableEvent: Hashable, Sendable {
  /// Hardware begins to read a table.
  case root(TableRoot)
  /// EL2 has changed a doubleword. A store that changes nothing is no event.
  case store(LoggedStore)
  /// A barrier behind which this CPU's stores are visible to walks and to devices that look into caches.
  case barrier
  /// These bytes are cleaned to memory, with a barrier.
  case clean(address: UInt64, size: UInt64)
  /// No CPU has the host's translations of these pages any more; nil for all.
  case invalidateStage2(PageRange?)
  /// No CPU has EL2's translations of `count` pages from `address` any more.
  case invalidateHypervisor(address: UInt64, count: UInt64)
  /// What an SMMU, by its physical address, was told or has carried out.
  case smmu(UInt64, SMMUAction)
  /// What an ITS, by its physical address, was told or has carried out.
  case its(UInt64, ITSAction)
  /// The CPU takes a lock.
  case take(LockRank)
  /// The CPU leaves it.
  case release(LockRank)
  /// A trap of the host, or a call, begins on the CPU.
  case enter
  /// It ends.
  case leave
  /// The start-up is over: any CPU may run, and the locks count.
  case run
  /// ITSes of the board do not look into caches.
  case uncached
}

/// A ``TableEvent`` with its place among all.
package struct TableRecord: Hashable, Sendable {
  /// The number of the event, from zero.
  package var sequence: UInt64
  /// The CPU.
  package var cpu: UInt64
  /// What happened.
  package var event: TableEvent

  /// Makes one.
  package init(_ sequence: UInt64, cpu: UInt64, _ event: TableEvent) {
    self.sequence = sequence
    self.cpu = cpu
    self.event = event
  }
}
