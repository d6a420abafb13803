// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

@Suite("Translation tables")
struct TranslationTests {
  @Test(
    "The walk starts where the address size asks for",
    arguments: [
      (32, 1, 1, 1), (39, 1, 1, 1), (40, 1, 2, 1), (42, 1, 8, 1), (43, 1, 16, 1), (44, 0, 1, 2),
      (48, 0, 1, 2),
    ])
  func geometry(_ bits: UInt64, _ level: UInt64, _ roots: UInt64, _ startField: UInt64) throws {
    let geometry = try #require(TranslationGeometry(bits: bits))
    #expect(geometry.startLevel == level && geometry.rootTables == roots)
    var pool = PagePool(
      pages: pages(0x1001, 600), memory: SimulatedMemory(machine: SimulatedMachine()))
    let table = try Stage2Table(
      geometry, memoryMap: MemoryMap(), excluded: [PageRange]().span, pool: &pool,
      cache: SimulatedCache(machine: SimulatedMachine()))
    #expect(table.root.isAligned(to: roots * 4096))
    let control = try geometry.controlValue(physicalAddressRange: 5)
    #expect(control & 0x3f == 64 - bits)
    #expect(control >> 6 & 3 == startField)
    #expect(control & ~0xff == 0x8005_3500)
    if bits == 48 {
      #expect(throws: OwnershipError.unsupportedSize(bits: 48)) {
        try geometry.controlValue(physicalAddressRange: 4)
      }
    }
  }

  @Test("Unsupported address sizes have no geometry")
  func refusedGeometry() {
    #expect(TranslationGeometry(bits: 31) == nil && TranslationGeometry(bits: 49) == nil)
    #expect(TranslationGeometry(reaching: frame(0xf_ffff))?.bits == 32)
    #expect(TranslationGeometry(reaching: frame(0x10_0000))?.bits == 33)
    #expect(TranslationGeometry(reaching: frame(0), minimum: 40)?.bits == 40)
    #expect(TranslationGeometry(reaching: frame(1 << 36)) == nil)
  }

  @Test(
    "The tables of a board are counted exactly before they are built",
    arguments: [(UInt64(1), UInt64(40)), (64, 40), (1024, 42), (1024, 48)])
  func plan(_ gibibytes: UInt64, _ bits: UInt64) throws {
    var map = MemoryMap()
    // A size that is no multiple of a block makes its last block a table.
    try map.add(pages(0x40000, gibibytes << 18 - 3))
    let geometry = try #require(TranslationGeometry(bits: bits))
    let excluded = [pages(0x40080, 0x480)]
    let plan = try Stage2Plan(geometry, memoryMap: map, excluded: excluded.span)
    var pool = PagePool(
      pages: pages(0x1000, plan.tables), memory: SimulatedMemory(machine: SimulatedMachine()))
    let table = try Stage2Table(
      geometry, memoryMap: map, excluded: excluded.span, pool: &pool,
      cache: SimulatedCache(machine: SimulatedMachine()))
    #expect(pool.freeCount == 0 && pool.usedCount == plan.tables)
    let last = 0x40000 + gibibytes << 18 - 4
    for (number, expected) in [
      (0x3ffff, PageKind.mmio), (0x40000, .memory), (last, .memory), (last + 1, .mmio),
    ] as [(UInt64, PageKind)] {
      let lookup = table.walk.lookup(IntermediatePhysicalAddress(number << 12 + 8), in: pool.memory)
      guard case .mapped(let address, let kind, _) = lookup else {
        Issue.record("\(number) is \(lookup)")
        continue
      }
      #expect(address.rawValue == number << 12 + 8 && kind == expected)
    }
    let inside = table.walk.lookup(IntermediatePhysicalAddress(0x40080_000), in: pool.memory)
    #expect(inside == .claimed(.hypervisor))
  }

  @Test("What is executed in place is no memory, may be executed, and is not what EL2 has")
  func executed() throws {
    var map = MemoryMap()
    try map.add(pages(0x40000, 0x40000))
    let geometry = try #require(TranslationGeometry(bits: 40))
    var executed = Stage2Plan.ExecutedRanges(filler: pages(0))
    #expect(executed.append(pages(0, 0x4000)) && executed.append(pages(0x8080, 2)))
    let excluded = [pages(0x100)]
    let plan = try Stage2Plan(
      geometry, memoryMap: map, executed: executed, excluded: excluded.span)
    var pool = PagePool(
      pages: pages(0x1000_0000, plan.tables), memory: SimulatedMemory(machine: SimulatedMachine()))
    let table = try Stage2Table(
      geometry, memoryMap: map, executed: executed, excluded: excluded.span, pool: &pool,
      cache: SimulatedCache(machine: SimulatedMachine()))
    #expect(pool.freeCount == 0 && pool.usedCount == plan.tables)
    for (number, executeNever) in [
      (0, 0), (0x3fff, 0), (0x4000, 1), (0x807f, 1), (0x8080, 0), (0x8081, 0), (0x8082, 1),
      (0x40000, 0),
    ] as [(UInt64, UInt64)] {
      var cursor = PageTree.Cursor()
      let entry = cursor.walk(table.walk.tree, to: number, in: pool.memory).entry
      #expect(Stage2Descriptor.isValid(entry))
      #expect(entry >> 54 & 1 == executeNever, "page \(number)")
      #expect(Stage2Descriptor.kind(entry) == (number < 0x40000 ? .mmio : .memory))
    }
    let inside = table.walk.lookup(IntermediatePhysicalAddress(0x100_000), in: pool.memory)
    #expect(inside == .claimed(.hypervisor))
  }

  @Test("Leaves of the host's table say what the architecture's tables say")
  func descriptors() {
    // Normal Write-Back, read-write, Inner Shareable, accessed, executable.
    let memory = Stage2Descriptor.entry(.mapped(.memory), at: 0x40000, level: 1)
    #expect(memory == 0x4000_0000 | 0x7fd)
    // Normal Non-cacheable, read-write, Outer Shareable, accessed, never executable.
    let mmio = Stage2Descriptor.entry(.mapped(.mmio), at: 0x8080, level: 3)
    #expect(mmio == 0x0040_0000_0808_0000 | 0x6d7)
    let page = Stage2Descriptor.child(3, of: 0x4020_0000 | 0x7fd, level: 3)
    #expect(page == 0x4020_3000 | 0x7ff)
  }

  @Test("Nothing of EL2 is both writable and executable, and registers are device memory")
  func attributes() {
    let readOnly: UInt64 = 1 << 7
    let executeNever: UInt64 = 1 << 54
    for attributes in [EL2Attributes.code, .readOnlyData, .data, .device] {
      #expect(attributes.bits & (readOnly | executeNever) != 0)
      #expect(attributes.bits >> 6 & 1 == 1 && attributes.bits >> 10 & 1 == 1)
      #expect(EL2Attributes(entry: attributes.bits | 0x1234_5003) == attributes)
    }
    #expect(EL2Attributes.code.bits & executeNever == 0)
    #expect(EL2Attributes.device.bits >> 2 & 7 == 1 && EL2Attributes.data.bits >> 2 & 7 == 0)
    #expect(EL2Attributes(entry: 1 << 10 | 1 << 6 | 0b11 << 8) == nil)
    #expect(
      EL2Stage1Table<SimulatedCache>.controlValue(physicalAddressRange: 2) == 0x8082_3510)
  }

  @Test("EL2 maps what is free, and nothing twice or out of place")
  func el2Map() throws {
    let machine = SimulatedMachine()
    var pool = PagePool(pages: pages(0x1000, 4), memory: SimulatedMemory(machine: machine))
    var table = try EL2Stage1Table(
      SmallBoard.space(), pool: &pool, cache: SimulatedCache(machine: machine))
    try table.map(pages(0x500, 2), at: VirtualAddress(0x8000), .code, pool: &pool)
    #expect(pool.freeCount == 0)
    let words = machine.words
    #expect(throws: OwnershipError.alreadyMapped(VirtualAddress(0x9000))) {
      try table.map(pages(0x600), at: VirtualAddress(0x9000), .data, pool: &pool)
    }
    #expect(throws: OwnershipError.poolExhausted(needed: 1, free: 0)) {
      try table.map(pages(0x600), at: VirtualAddress(0x20_0000), .data, pool: &pool)
    }
    for address in [
      SmallBoard.window.rawValue, SmallBoard.window.rawValue - 0x1000, 1 << 48, 0x8001, .max,
    ] {
      #expect(throws: OwnershipError.virtualAddressOutOfRange(VirtualAddress(address))) {
        try table.map(pages(0x600, 2), at: VirtualAddress(address), .data, pool: &pool)
      }
    }
    #expect(machine.words == words)
    let found = table.lookup(VirtualAddress(0x9abc), in: pool.memory)
    #expect(found?.0 == PhysicalAddress(0x501abc) && found?.1 == .code)
    let guardPage = table.lookup(VirtualAddress(0xa000), in: pool.memory) == nil
    #expect(guardPage)
  }

  @Test("Device ranges lie in the window one after the other, with a guard page between")
  func window() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    let claim = try subject.donate(list([pages(0x8080, 16), pages(0x9000, 2)]), expecting: .mmio)
    let other = try subject.donate(list([pages(0xa000)]), expecting: .mmio)
    #expect(claim[0] == MappedPages(pages: pages(0x8080, 16), address: SmallBoard.window))
    #expect(claim[1].address.rawValue == SmallBoard.window.rawValue + 17 << 12)
    #expect(other[0].address.rawValue == SmallBoard.window.rawValue + 20 << 12)
    for (page, isMapped) in [(15, true), (16, false), (18, true), (19, false), (20, true)]
      as [(UInt64, Bool)]
    {
      #expect((el2Entry(subject, SmallBoard.window.rawValue + page << 12) != nil) == isMapped)
    }
    _ = claim.keepForever()
    _ = other.keepForever()
  }
}

@Suite("Memory map")
struct MemoryMapTests {
  @Test("Ranges are sorted, joined and never overlap")
  func add() throws {
    var map = MemoryMap()
    for range in [pages(100, 10), pages(10, 10), pages(30, 10), pages(20, 10)] {
      try map.add(range)
    }
    #expect(map.count == 2)
    #expect(map.range(0) == pages(10, 30) && map.range(1) == pages(100, 10))
    #expect(throws: OwnershipError.overlap(frame(39))) { try map.add(pages(39, 5)) }
    #expect(map.count == 2 && map.range(2) == nil && map.range(-1) == nil)
    #expect(map.kind(of: frame(39)) == .memory && map.kind(of: frame(40)) == .mmio)
    #expect(map.firstMismatch(in: pages(10, 30), .memory) == nil)
    #expect(map.firstMismatch(in: pages(10, 31), .memory) == frame(40))
    #expect(map.firstMismatch(in: pages(0, 100), .mmio) == frame(10))
    #expect(map.firstMismatch(in: pages(40, 60), .mmio) == nil)
  }

  @Test("A map that is full refuses, and keeps what it has")
  func full() throws {
    var map = MemoryMap()
    for index in 0..<64 { try map.add(pages(UInt64(index) * 2)) }
    #expect(throws: OwnershipError.tooManyRanges(capacity: 64)) { try map.add(pages(1000)) }
    try map.add(pages(1))
    #expect(map.count == 63)
  }
}
