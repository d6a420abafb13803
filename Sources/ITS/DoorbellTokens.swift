// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The stores to GITS_CWRITER that a CPU of the host has not finished.
///
/// A trap does a bounded amount of work. When commands are left, the host's store is not stepped
/// over: it runs again once the host has taken the interrupts that wait for it, and goes on. An
/// interrupt handler, or another CPU, may ring a doorbell of its own in between; the value of the
/// store that runs again is old then, and taking it anew would move the queue backwards. So each CPU
/// keeps what its unfinished stores have asked for already: two words a store, GITS_CWRITER's offset
/// with bit [63] set, and the count of commands up to it.
struct DoorbellTokens: Sendable {
  let base: PhysicalAddress
  let cpus: UInt64
  /// How many stores are unfinished.
  private(set) var count: UInt64 = 0

  /// How many stores a CPU may have unfinished: one more for each handler that interrupts another.
  static var depth: UInt64 { 4 }
  private static var isSet: UInt64 { 1 << 63 }

  /// The bytes that the tokens of `cpus` CPUs take.
  static func size(cpus: UInt64) -> UInt64 { cpus * depth * 16 }

  init(_ base: PhysicalAddress, cpus: UInt64) {
    self.base = base
    self.cpus = cpus
  }

  private func place(_ cpu: UInt64, _ index: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ (cpu &* Self.depth &+ index) &* 16)
  }

  /// Whether a store of `offset` by `cpu` was seen before, and is only going on.
  ///
  /// With `size` commands in the queue and `count` asked for in all, a token that is half a queue old
  /// belongs to a store that the host has given up, and is forgotten.
  mutating func find<Memory: BusMemory & ~Copyable>(
    _ offset: UInt64, cpu: UInt64, count: UInt64, size: UInt64, memory: borrowing Memory
  ) -> Bool {
    guard cpu < cpus else { return false }
    for index in 0..<Self.depth where memory.load(place(cpu, index)) == offset | Self.isSet {
      let asked = memory.load(PhysicalAddress(place(cpu, index).rawValue &+ 8))
      if count &- asked < size / 2 { return true }
      memory.store(0, at: place(cpu, index))
      self.count &-= 1
    }
    return false
  }

  /// Notes that the store of `offset` will run again; false where it must not.
  mutating func add<Memory: BusMemory & ~Copyable>(
    _ offset: UInt64, cpu: UInt64, count: UInt64, memory: borrowing Memory
  ) -> Bool {
    guard cpu < cpus else { return false }
    for index in 0..<Self.depth where memory.load(place(cpu, index)) == offset | Self.isSet {
      return true
    }
    for index in 0..<Self.depth where memory.load(place(cpu, index)) == 0 {
      memory.store(offset | Self.isSet, at: place(cpu, index))
      memory.store(count, at: PhysicalAddress(place(cpu, index).rawValue &+ 8))
      self.count &+= 1
      return true
    }
    return false
  }

  /// Notes that the store of `offset` has finished.
  mutating func remove<Memory: BusMemory & ~Copyable>(
    _ offset: UInt64, cpu: UInt64, memory: borrowing Memory
  ) {
    guard cpu < cpus else { return }
    for index in 0..<Self.depth where memory.load(place(cpu, index)) == offset | Self.isSet {
      memory.store(0, at: place(cpu, index))
      count &-= 1
    }
  }

  /// Forgets all of them: a new queue begins.
  mutating func removeAll<Memory: BusMemory & ~Copyable>(memory: borrowing Memory) {
    guard count > 0 else { return }
    count = 0
    for index in 0..<cpus * Self.depth { memory.store(0, at: place(0, index)) }
  }
}
