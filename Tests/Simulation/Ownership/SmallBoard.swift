// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

/// A board with 512 MiB of memory at 1 GiB, the hypervisor in its last 2 MiB, the pool there.
package struct SmallBoard {
  package static let hypervisor = pages(0x5fe00, 0x200)
  package static let memory = pages(0x40000, 0x20000)
  /// Frames of both kinds, with owners of both kinds.
  package static let memoryPage: UInt64 = 0x44444
  package static let mmioPage: UInt64 = 0x8080
  package static let linear = VirtualAddress(1 << 40)
  package static let window = VirtualAddress(1 << 46)

  package static func map() throws -> MemoryMap {
    var map = MemoryMap()
    try map.add(memory)
    return map
  }

  package static func space() -> EL2AddressSpace {
    guard
      let space = EL2AddressSpace(
        linearBase: linear, linearPages: 1 << 28, window: window, windowPages: 1 << 18)
    else { fatalError("bad address space in a test") }
    return space
  }

  package static func geometry() -> TranslationGeometry {
    guard let geometry = TranslationGeometry(bits: 40) else {
      fatalError("bad geometry in a test")
    }
    return geometry
  }

  /// A board with `free` pages left in the pool after boot.
  package static func make(_ machine: SimulatedMachine, free: UInt64 = 100) throws -> Subject {
    let subject = try build(machine: machine, poolPages: bootPages.get() + free)
    machine.events = []
    machine.violations = []
    return subject
  }

  /// How many pages of the pool the boot of this board takes.
  package static let bootPages = Result {
    try build(machine: SimulatedMachine(), poolPages: 400).usedTablePages
  }

  package static func build(machine: SimulatedMachine, poolPages: UInt64) throws -> Subject {
    var pool = PagePool(
      pages: pages(hypervisor.first.rawValue, poolPages), memory: SimulatedMemory(machine: machine))
    let excluded = [hypervisor]
    let host = try Stage2Table(
      geometry(), memoryMap: map(), excluded: excluded.span, pool: &pool,
      cache: SimulatedCache(machine: machine))
    var el2 = try EL2Stage1Table(space(), pool: &pool, cache: SimulatedCache(machine: machine))
    try el2.map(hypervisor, at: VirtualAddress(0x20_0000), .data, pool: &pool)
    let ledger = try PageLedger(geometry(), hypervisorPages: excluded.span, pool: &pool)
    return try Ownership(
      ledger, memoryMap: map(), pool: pool, host: host, hypervisor: el2,
      observer: RecordingObserver(machine: machine))
  }
}
