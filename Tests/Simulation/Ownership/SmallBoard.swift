// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SimulatedHardware

/// A board with 512 MiB of memory at 1 GiB, the hypervisor in its last 2 MiB, the pool there.
package struct SmallBoard {
  package static let hypervisor = pages(0x5fe00, 0x200)
  package static let memory = pages(0x40000, 0x20000)
  /// Frames of both kinds, with owners of both kinds.
  package static let memoryPage: UInt64 = 0x44444
  package static let mmioPage: UInt64 = 0x8080
  package static let linear = VirtualAddress(1 << 40)
  package static let window = VirtualAddress(1 << 46)

  /// Whose the memory is, with so many pages of the pool.
  package static func division(poolPages: UInt64 = 0x200) -> MemoryDivision {
    MemoryDivision(
      memory: [memory], hypervisor: hypervisor, pool: pages(hypervisor.first.rawValue, poolPages))
  }

  package static func map() throws -> MemoryMap { try division().map() }
  package static func space() -> EL2AddressSpace { division().space }
  package static func geometry() -> TranslationGeometry { division().geometry }

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
    try build(machine, poolPages: poolPages, observer: RecordingObserver(machine: machine))
  }

  /// The same with another observer.
  package static func build<Observer: OwnershipObserver & ~Copyable>(
    _ machine: SimulatedMachine, poolPages: UInt64, observer: consuming Observer
  ) throws -> Ownership<
    SimulatedMemory, Stage2Table<SimulatedCache>, EL2Stage1Table<SimulatedCache>, Observer
  > {
    try division(poolPages: poolPages).owners(
      in: SimulatedMemory(machine: machine), cache: SimulatedCache(machine: machine),
      observer: observer, mappedAt: VirtualAddress(0x20_0000), log: machine.tableLog)
  }
}
