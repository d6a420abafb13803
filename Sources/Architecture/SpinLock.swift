// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The order in which locks are taken: from above to below, and never the same rank twice.
///
/// This is the one place where the order is written down.
public enum LockRank: UInt8, Sendable {
  /// The power states of the CPUs.
  case psci
  /// One ITS: its queues, tables and ledgers. A trap takes the lock of one ITS at a time.
  case its
  /// All Redistributors: their registers, and the tables that they hold. Not taken with that of an ITS held; the place
  /// is the one it would have.
  case redistributor
  /// One SMMU as the host sees it: its registers, and the queues that it reads. A trap takes the lock of one at
  /// a time, and holds no other of a device.
  case smmu
  /// The owners of pages, both translations and the pool; with them the IOMMUs, which follow, and all that EL2
  /// asks of an IOMMU or reads of it. What an IOMMU has recorded is logged without it.
  case ownership
  /// The log: everything else may log while it is held.
  case log
  /// The trace: whatever is held, what happens may be recorded.
  case trace
}

/// The locks that one CPU holds: the last one taken has the latest rank.
public struct HeldLocks: Sendable {
  private var ranks: UInt8 = 0

  /// Makes the record of a CPU that holds no lock.
  public init() {}

  /// Takes note of a lock that is taken; false where the order forbids it, for one of its rank or a later one is held.
  public mutating func take(_ rank: LockRank) -> Bool {
    let isPermitted = ranks >> rank.rawValue == 0
    ranks |= 1 << rank.rawValue
    return isPermitted
  }

  /// Takes note of a lock that is released; false where it is not the last that was taken.
  public mutating func release(_ rank: LockRank) -> Bool {
    let wasLast = ranks >> rank.rawValue == 1
    ranks &= ~(1 << rank.rawValue)
    return wasLast
  }

  /// Whether a lock of `rank` is held.
  public func contains(_ rank: LockRank) -> Bool { ranks >> rank.rawValue & 1 == 1 }
}

/// A CPU that takes locks, and is told of each.
///
/// Where code is tried it keeps ``HeldLocks`` and checks the order; where it is shipped it does nothing.
public protocol LockHolder {
  /// This CPU is about to wait for a lock.
  func willTake(_ rank: LockRank)
  /// This CPU is about to release one.
  func willRelease(_ rank: LockRank)
}

/// A lock that CPUs get in the order in which they ask for it.
///
/// Its atomics need Normal cacheable memory on hardware: take it with the MMU on.
public struct SpinLock: ~Copyable, Sendable {
  private let nextTicket = Atomic<UInt32>(0)
  private let nowServing = Atomic<UInt32>(0)
  /// Where the lock stands in the order.
  public let rank: LockRank

  /// Makes a lock that nobody holds.
  public init(_ rank: LockRank) { self.rank = rank }

  /// Waits for the lock and runs `body` with it held; `body` may take locks of later ranks.
  public func withLock<Result: ~Copyable, Failure: Error>(
    on cpu: borrowing some LockHolder, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let ticket = acquire(on: cpu)
    defer { release(ticket, on: cpu) }
    return try body()
  }

  /// Waits for the lock, and returns what it is released with; others use ``withLock(on:_:)``.
  @inline(__always)
  public func acquire(on cpu: borrowing some LockHolder) -> UInt32 {
    cpu.willTake(rank)
    let ticket = nextTicket.wrappingAdd(1, ordering: .relaxed).oldValue
    while nowServing.load(ordering: .acquiring) != ticket {}
    return ticket
  }

  /// Ends what ``acquire(on:)`` began.
  @inline(__always)
  public func release(_ ticket: UInt32, on cpu: borrowing some LockHolder) {
    cpu.willRelease(rank)
    nowServing.store(ticket &+ 1, ordering: .releasing)
  }
}
