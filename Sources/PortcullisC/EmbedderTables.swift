// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The ledger's tables, in the memory that the caller gave for the state.
///
/// A leaf. Its addresses are offsets from the start of the pool: nothing but software walks them. An
/// address outside is a defect of the core, reads as zero and takes no store.
@safe struct EmbedderTables: TableMemory {
  private let words: UnsafeMutablePointer<UInt64>
  private let count: UInt64

  /// Takes `pages` pages from `base`, which nothing else uses as long as this value lives.
  @unsafe init(_ base: UnsafeMutableRawPointer, pages: UInt64) {
    count = pages << (PageFrameNumber.shift - 3)
    unsafe words = base.bindMemory(to: UInt64.self, capacity: Int(truncatingIfNeeded: count))
  }

  func load(_ address: PhysicalAddress) -> UInt64 {
    let index = address.rawValue >> 3
    guard index < count else { return 0 }
    // In bounds; the pool has zeroed the page before its first use as a table.
    return unsafe words[Int(truncatingIfNeeded: index)]
  }

  func store(_ value: UInt64, at address: PhysicalAddress) {
    let index = address.rawValue >> 3
    guard index < count else { return }
    // In bounds.
    unsafe words[Int(truncatingIfNeeded: index)] = value
  }

  /// No hardware walks these tables.
  func publishTables() {}

  /// Nothing but software reads them, and they are never the host's.
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}
