// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The records that nobody has taken yet, in memory of EL2.
///
///       taken                    written
///         │                         │
///     ────▼─────────────────────────▼────
///      free │ records             │ free
///
/// When it is full the newest are dropped and counted: what led up to a flood is worth more than the
/// flood, and a trace without a gap can be run again from its start. The count follows as a record of
/// its own as soon as there is room. Guarded by the lock of rank `trace`.
public struct TraceRing: Sendable {
  private let base: PhysicalAddress
  /// The most records that wait.
  public let capacity: UInt64
  private var taken: UInt64 = 0
  private var written: UInt64 = 0
  private var lost: UInt64 = 0
  private var lostSince: UInt64 = 0

  /// Makes an empty ring in `size` bytes from `base`, a multiple of eight.
  public init(_ base: PhysicalAddress, size: UInt64) {
    self.base = base
    capacity = size / UInt64(TraceRecord.size)
  }

  /// How many records wait.
  public var count: UInt64 { written &- taken }

  private func place(_ count: UInt64, _ word: Int) -> PhysicalAddress {
    PhysicalAddress(
      base.rawValue &+ count % capacity &* UInt64(TraceRecord.size) &+ UInt64(word) &* 8)
  }

  /// Appends a record, or counts it as lost.
  public mutating func append<Memory: TableMemory & ~Copyable>(
    _ record: TraceRecord, memory: borrowing Memory
  ) {
    // The last slot is for the count of what was lost.
    guard count &+ (lost > 0 ? 2 : 1) < capacity else {
      if lost == 0 { lostSince = record.time }
      lost &+= 1
      return
    }
    if lost > 0 { store(lossRecord, memory) }
    lost = 0
    store(record, memory)
  }

  private mutating func store<Memory: TableMemory & ~Copyable>(
    _ record: TraceRecord, _ memory: borrowing Memory
  ) {
    let words = record.words
    for index in 0..<8 { memory.store(words[index].littleEndian, at: place(written, index)) }
    written &+= 1
  }

  private var lossRecord: TraceRecord {
    TraceRecord(time: lostSince, cpu: 0, its: 0, .lost(lost))
  }

  /// The words of the oldest record; behind the last one that was written stands the count of those
  /// that were lost.
  public func first<Memory: TableMemory & ~Copyable>(
    memory: borrowing Memory
  ) -> InlineArray<8, UInt64>? {
    guard count > 0 else { return lost > 0 ? lossRecord.words : nil }
    var words = InlineArray<8, UInt64>(repeating: 0)
    for index in 0..<8 { words[index] = UInt64(littleEndian: memory.load(place(taken, index))) }
    return words
  }

  /// Takes the oldest record, as ``first(memory:)`` has it.
  public mutating func takeFirst<Memory: TableMemory & ~Copyable>(
    memory: borrowing Memory
  ) -> InlineArray<8, UInt64>? {
    let words = first(memory: memory)
    if count > 0 { taken &+= 1 } else { lost = 0 }
    return words
  }
}
