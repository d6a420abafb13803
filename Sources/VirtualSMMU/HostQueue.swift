// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// A queue in the host's memory: its registers, and the pin that holds its page while it is on.
struct HostQueue {
  /// SMMU_*_BASE as the host sees it.
  var register = SMMUQueueBase(rawValue: 0)
  /// Where the producer is; bit [31] of the event queue tells of an overflow.
  var produced = SMMUQueuePointer(rawValue: 0)
  /// Where the consumer is.
  var consumed = SMMUQueuePointer(rawValue: 0)
  /// The slot of the pin; nil while the queue is off, or not the host's memory.
  var slot: UInt64?
  /// log2 of the most entries.
  let limit: UInt64
  /// The bytes of an entry.
  let size: UInt64

  /// log2 of the entries; more than there may be counts as that.
  var log2: UInt64 { min(register.log2, limit) }
  /// The address, which has no bits below the size of the queue.
  var base: UInt64 { register.base & ~(size << log2 &- 1) }
  /// The page that the queue lies in; nil where the address can't be.
  var page: PageRange? {
    PageRange(first: PageFrameNumber(containing: PhysicalAddress(base)), count: 1)
  }

  /// Whether nothing waits.
  var isEmpty: Bool { produced.isEmpty(consumed: consumed, log2: log2) }
  /// Whether there is no room.
  var isFull: Bool { produced.isFull(consumed: consumed, log2: log2) }

  /// The bits of an index and its lap.
  var positions: UInt32 { 1 << UInt32(truncatingIfNeeded: log2 &+ 1) &- 1 }

  /// Where the entry is that a pointer stands at.
  func place(_ pointer: SMMUQueuePointer) -> PhysicalAddress {
    PhysicalAddress(base &+ UInt64(pointer.index(log2: log2)) &* size)
  }

  /// The pointer behind another one, its flag kept.
  func advanced(_ pointer: SMMUQueuePointer) -> SMMUQueuePointer {
    SMMUQueuePointer(
      rawValue: pointer.advanced(log2: log2).rawValue | pointer.rawValue & 1 << 31)
  }
}
