// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import Simulation
import SimulatedHardware
import Testing

/// Memory behind the CPUs' caches, which are written back only where that is asked for.
private struct CachedMemory: TableMemory {
  let memory: PhysicalMemory
  /// Whether what is asked for is done.
  let cleans: Bool

  func load(_ address: PhysicalAddress) -> UInt64 { memory.load(.double, at: address.rawValue) }
  func store(_ value: UInt64, at address: PhysicalAddress) {
    memory.store(.double, value, at: address.rawValue)
  }
  func publishTables() { memory.publish() }
  func clean(_ address: PhysicalAddress, size: UInt64) {
    if cleans { memory.clean(address.rawValue, size: size) }
  }
}

@Suite("What the host finds past the caches")
struct CleanTests {
  private typealias Cached = Ownership<
    CachedMemory, Stage2Table<SimulatedCache>, EL2Stage1Table<SimulatedCache>, NoObserver
  >

  static let range = pages(0x441ff, 3)
  static let secret: UInt64 = 0x5ec_4e70

  private static func make(_ memory: PhysicalMemory, cleans: Bool) throws -> Cached {
    try SmallBoard.division(poolPages: 100).owners(
      in: CachedMemory(memory: memory, cleans: cleans),
      cache: SimulatedCache(machine: SimulatedMachine()), observer: NoObserver())
  }

  /// EL2 writes to every line of the pages, such as to a table for a device that is not coherent.
  private static func fill(_ memory: PhysicalMemory, _ value: UInt64, reachesMemory: Bool) {
    let base = range.first.address.rawValue
    for offset in stride(from: 0, to: range.count << 12, by: 64) {
      memory.store(.double, value, at: base + offset)
    }
    if reachesMemory { memory.clean(base, size: range.count << 12) }
  }

  /// How many lines of the pages hold something else than `value` for who looks past the caches.
  private static func differing(_ memory: PhysicalMemory, from value: UInt64) -> Int {
    let base = range.first.address.rawValue
    return stride(from: 0, to: range.count << 12, by: 64).count {
      memory.load(.double, at: base + $0, by: .nonCoherentDevice) != value
    }
  }

  @Test(
    "Memory holds zeroes before the host has the pages back; without cleaning it holds EL2's words",
    arguments: [true, false])
  func givenBack(cleans: Bool) throws {
    let memory = PhysicalMemory()
    var subject = try Self.make(memory, cleans: cleans)
    var claim: Claim<8>? = try subject.donate(list([Self.range]), expecting: .memory)
    Self.fill(memory, Self.secret, reachesMemory: true)
    try subject.giveBack(&claim)
    let leaked = Self.differing(memory, from: 0)
    #expect(leaked == (cleans ? 0 : 3 * 64))
    // Caches hold zeroes either way: nobody else would have noticed.
    let cached = memory.load(.double, at: Self.range.first.address.rawValue)
    #expect(cached == 0)
  }

  @Test(
    "What is lent is in memory as EL2 has written it, and nothing older", arguments: [true, false])
  func lent(cleans: Bool) throws {
    let memory = PhysicalMemory()
    var subject = try Self.make(memory, cleans: cleans)
    let claim = try subject.donate(list([Self.range]), expecting: .memory)
    Self.fill(memory, Self.secret, reachesMemory: true)
    Self.fill(memory, 7, reachesMemory: false)
    try subject.lend(claim)
    let older = Self.differing(memory, from: 7)
    #expect(older == (cleans ? 0 : 3 * 64))
    _ = claim.keepForever()
  }
}
