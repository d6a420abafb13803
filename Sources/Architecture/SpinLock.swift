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
  /// All Redistributors: their registers, and the tables that they hold. Never taken with that of an ITS
  /// held today; the place is the one it would have.
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

/// The locks that one CPU holds.
///
/// Each CPU has its own, and hands it to every lock it takes.
public struct HeldLocks: Sendable {
  private var ranks: UInt8 = 0

  /// Makes the record of a CPU that holds no lock.
  public init() {}

  /// Makes the record of a CPU that holds the lock of `rank` alone.
  public init(holding rank: LockRank) { add(rank) }

  /// Whether a lock of `rank` may be taken: all that are held come before it.
  public func permits(_ rank: LockRank) -> Bool { ranks >> rank.rawValue == 0 }

  mutating func add(_ rank: LockRank) { ranks |= 1 << rank.rawValue }
  mutating func remove(_ rank: LockRank) { ranks &= ~(1 << rank.rawValue) }
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
  ///
  /// Taking locks in the wrong order stops a debug build.
  public func withLock<Result: ~Copyable, Failure: Error>(
    _ held: inout HeldLocks, _ body: (inout HeldLocks) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    assert(held.permits(rank), "lock order")
    let ticket = acquire()
    held.add(rank)
    defer {
      held.remove(rank)
      release(ticket)
    }
    return try body(&held)
  }

  /// Waits for the lock, and returns what it is released with.
  ///
  /// For a value that releases it when it ends, on a CPU that holds no lock; others use ``withLock(_:_:)``.
  @inline(__always)
  public func acquire() -> UInt32 {
    let ticket = nextTicket.wrappingAdd(1, ordering: .relaxed).oldValue
    while nowServing.load(ordering: .acquiring) != ticket {}
    return ticket
  }

  /// Ends what ``acquire()`` began.
  @inline(__always)
  public func release(_ ticket: UInt32) { nowServing.store(ticket &+ 1, ordering: .releasing) }
}
