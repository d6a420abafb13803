// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import GIC

/// The Redistributors of the board as RDbase names them, and which of them have been a target.
///
/// With GITS_TYPER.PTA set a command's RDbase is a physical address that the ITS writes to, so that
/// nothing but the Redistributors that EL2 itself has found may pass. One word each: RDbase in
/// bits [35:0], bit [63] once a collection has been mapped to it.
public struct RedistributorDirectory: Sendable {
  private let base: PhysicalAddress
  private let capacity: UInt64
  /// How many there are.
  public private(set) var count: UInt64 = 0
  /// How many have been a target.
  private(set) var usedCount: UInt64 = 0
  /// Whether entry n is n, as processor numbers mostly are.
  private var isDense = true

  private static var used: UInt64 { 1 << 63 }

  /// The bytes that `capacity` Redistributors take.
  static func size(capacity: UInt64) -> UInt64 { capacity * 8 }

  init(_ base: PhysicalAddress, capacity: UInt64) {
    self.base = base
    self.capacity = capacity
  }

  @inline(__always)
  private func place(_ index: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ index &* 8)
  }

  /// Adds a Redistributor: where it is, and its GICR_TYPER; false where there are too many.
  ///
  /// With `byAddress`, GITS_TYPER.PTA, its RDbase is the address without the low 16 bits; without it the
  /// processor number.
  public mutating func add<Memory: BusMemory & ~Copyable>(
    _ base: PhysicalAddress, _ redistributor: GICRTyper, byAddress: Bool, memory: borrowing Memory
  ) -> Bool {
    add(byAddress ? base.rawValue >> 16 : redistributor.processorNumber, memory: memory)
  }

  /// Adds an RDbase; false where there are too many.
  mutating func add<Memory: BusMemory & ~Copyable>(
    _ target: UInt64, memory: borrowing Memory
  ) -> Bool {
    guard count < capacity else { return false }
    memory.store(target, at: place(count))
    isDense = isDense && target == count
    count += 1
    return true
  }

  /// The RDbase of entry `index`, below `count`.
  func target<Memory: BusMemory & ~Copyable>(_ index: UInt64, memory: borrowing Memory) -> UInt64 {
    memory.load(place(index)) & ~Self.used
  }

  /// Whether a collection was ever mapped to entry `index`.
  func isUsed<Memory: BusMemory & ~Copyable>(_ index: UInt64, memory: borrowing Memory) -> Bool {
    memory.load(place(index)) & Self.used != 0
  }

  /// The entry with an RDbase; nil where no Redistributor has it.
  @inline(__always)
  func find<Memory: BusMemory & ~Copyable>(
    _ target: UInt64, memory: borrowing Memory
  ) -> UInt64? {
    if isDense { return target < count ? target : nil }
    return search(target, memory)
  }

  private func search<Memory: BusMemory & ~Copyable>(
    _ target: UInt64, _ memory: borrowing Memory
  ) -> UInt64? {
    for index in 0..<count where self.target(index, memory: memory) == target { return index }
    return nil
  }

  /// Notes that entry `index` is a target from now on.
  mutating func markUsed<Memory: BusMemory & ~Copyable>(
    _ index: UInt64, memory: borrowing Memory
  ) {
    let entry = memory.load(place(index))
    guard entry & Self.used == 0 else { return }
    memory.store(entry | Self.used, at: place(index))
    usedCount += 1
  }
}
