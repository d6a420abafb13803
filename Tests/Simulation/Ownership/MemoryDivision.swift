// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SimulatedHardware

/// Whose the memory of a board is at the start.
package struct MemoryDivision {
  /// All memory.
  package var memory: [PageRange]
  /// What is EL2's.
  package var hypervisor: PageRange
  /// Of that, where tables come from.
  package var pool: PageRange
  /// The size of the host's addresses; EL2 maps as many of its own to all memory.
  package var addressBits: UInt64
  /// How many pages EL2 can map elsewhere.
  package var windowPages: UInt64

  package init(
    memory: [PageRange], hypervisor: PageRange, pool: PageRange, addressBits: UInt64 = 40,
    windowPages: UInt64 = 1 << 18
  ) {
    self.memory = memory
    self.hypervisor = hypervisor
    self.pool = pool
    self.addressBits = addressBits
    self.windowPages = windowPages
  }

  /// Which pages are memory.
  package func map() throws(OwnershipError) -> MemoryMap {
    var map = MemoryMap()
    for range in memory { try map.add(range) }
    return map
  }

  /// The addresses of EL2.
  package var space: EL2AddressSpace {
    guard
      let space = EL2AddressSpace(
        linearBase: VirtualAddress(1 << addressBits), linearPages: 1 << (addressBits - 12),
        window: VirtualAddress(1 << 46), windowPages: windowPages)
    else { fatalError("bad address space in a test") }
    return space
  }

  /// The addresses of the host.
  package var geometry: TranslationGeometry {
    guard let geometry = TranslationGeometry(bits: addressBits) else {
      fatalError("bad geometry in a test")
    }
    return geometry
  }

  /// The owners of all pages: EL2 has its own, the host all others.
  ///
  /// EL2 maps its own at `address` as well, where that is given. In `log` both tables are walked from here on.
  // Swift 6.3's optimizer crashes on specialisations of it.
  @_optimize(none)
  package func owners<
    Memory: TableMemory, Cache: TranslationCache, Observer: OwnershipObserver & ~Copyable
  >(
    in memory: Memory, cache: Cache, observer: consuming Observer,
    mappedAt address: VirtualAddress? = nil, log: TableLog? = nil
  ) throws(OwnershipError) -> Ownership<Memory, Stage2Table<Cache>, EL2Stage1Table<Cache>, Observer>
  {
    let map = try map()
    var pool = PagePool(pages: pool, memory: memory)
    let excluded = [hypervisor]
    let host = try Stage2Table(
      geometry, memoryMap: map, excluded: excluded.span, pool: &pool, cache: cache)
    var el2 = try EL2Stage1Table(space, pool: &pool, cache: cache)
    if let address { try el2.map(hypervisor, at: address, .data, pool: &pool) }
    let ledger = try PageLedger(geometry, hypervisorPages: excluded.span, pool: &pool)
    pool.memory.publishTables()
    log?.walk(
      .stage2, from: host.root.rawValue, level: geometry.startLevel, bits: geometry.bits)
    log?.walk(.hypervisor, from: el2.root.rawValue, level: 0, bits: 48)
    return Ownership(
      ledger, memoryMap: map, pool: pool, host: host, hypervisor: el2, observer: observer)
  }
}
