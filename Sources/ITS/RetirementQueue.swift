// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// What the hardware has let go of.
enum RetiredTable: Hashable, Sendable {
  /// A translation table.
  case table(PageRange)
  /// The pin of a table in the host's memory, by its slot.
  case pin(UInt64)
}

/// Tables that the hardware has been told to forget, until it has.
///
///     unsealed ── SYNCs appended behind them ─→ sealed ── hardware past those SYNCs ─→ free
///
/// A table is freed only when GITS_CREADR has passed the command that unmapped it and a SYNC to every
/// Redistributor that it may have had interrupts under way to. Hardware that never gets there keeps
/// its tables for ever. A ring in one page of the arena, two words an entry: the count of commands to
/// wait for, and {first page, pages}; no pages for the slot of a pin.
struct RetirementQueue: Sendable {
  let base: PhysicalAddress
  private(set) var head: UInt64 = 0
  private(set) var sealed: UInt64 = 0
  private(set) var tail: UInt64 = 0

  /// How many tables can wait at once.
  static var capacity: UInt64 { 256 }
  /// The bytes that the ring takes.
  static var size: UInt64 { capacity * 16 }

  init(_ base: PhysicalAddress) { self.base = base }

  /// How many tables wait.
  var count: UInt64 { tail &- head }
  /// Whether no further table can wait.
  var isFull: Bool { count == Self.capacity }
  /// Whether no table waits.
  var isEmpty: Bool { count == 0 }
  /// Whether tables wait for SYNCs that have not been appended yet.
  var hasUnsealed: Bool { tail != sealed }

  private func place(_ index: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ (index % Self.capacity) &* 16)
  }

  /// Adds the table of a device whose unmapping has been appended.
  ///
  /// - Precondition: the queue is not full.
  mutating func append<Memory: BusMemory & ~Copyable>(
    _ table: PageRange, memory: borrowing Memory
  ) {
    append(table.first.rawValue << 20 | table.count, memory)
  }

  /// Adds the pin of a table whose unmapping has been appended.
  ///
  /// - Precondition: the queue is not full.
  mutating func append<Memory: BusMemory & ~Copyable>(
    pin slot: UInt64, memory: borrowing Memory
  ) {
    append(slot << 20, memory)
  }

  private mutating func append<Memory: BusMemory & ~Copyable>(
    _ word: UInt64, _ memory: borrowing Memory
  ) {
    precondition(!isFull, "a table would be lost")
    memory.store(word, at: PhysicalAddress(place(tail).rawValue &+ 8))
    tail &+= 1
  }

  /// Says behind how many commands all tables so far are free: the SYNCs are among them.
  mutating func seal<Memory: BusMemory & ~Copyable>(at count: UInt64, memory: borrowing Memory) {
    while sealed != tail {
      memory.store(count, at: place(sealed))
      sealed &+= 1
    }
  }

  /// Whether the hardware has let go of a table, when it has completed `count` commands.
  func isDue<Memory: BusMemory & ~Copyable>(
    completed count: UInt64, memory: borrowing Memory
  ) -> Bool {
    head != sealed && memory.load(place(head)) <= count
  }

  /// The next table that the hardware has let go of, when it has completed `count` commands.
  mutating func takeFirst<Memory: BusMemory & ~Copyable>(
    completed count: UInt64, memory: borrowing Memory
  ) -> RetiredTable? {
    guard isDue(completed: count, memory: memory) else { return nil }
    let table = memory.load(PhysicalAddress(place(head).rawValue &+ 8))
    head &+= 1
    if let pages = PageRange(first: PageFrameNumber(table >> 20), count: table & 0xf_ffff) {
      return .table(pages)
    }
    return .pin(table >> 20)
  }
}
