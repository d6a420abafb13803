// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Traps

@Suite("The registry of regions")
struct RegistryTests {
  static func layout(
    _ base: UInt64, pages: UInt64 = 1, stride: UInt64 = 0, count: UInt64 = 1
  ) throws(RegistryError) -> RegionLayout {
    try RegionLayout(base: PhysicalAddress(base), pages: pages, stride: stride, count: count)
  }

  static func region(_ layout: RegionLayout, at va: UInt64 = 0x1000) -> Region<TestDevice> {
    Region(layout, mappedAt: VirtualAddress(va), device: .watched)
  }

  @Test("A strided region holds its frames and not the gaps")
  func strided() throws {
    var registry = RegionRegistry<TestDevice>()
    try registry.register(Self.region(Self.layout(0x4000_0000, pages: 16)))
    try registry.register(
      Self.region(Self.layout(0x80a_0000, pages: 16, stride: 0x2_0000, count: 3)))
    registry.freeze()
    func index(_ address: UInt64) -> Int? { registry.index(of: PhysicalAddress(address)) }
    #expect(index(0x809_ffff) == nil)
    for frame in UInt64(0)..<3 {
      #expect(index(0x80a_0000 + frame * 0x2_0000) == 1)
      #expect(index(0x80a_ffff + frame * 0x2_0000) == 1)
      #expect(index(0x80b_0000 + frame * 0x2_0000) == nil)
      #expect(index(0x80b_ffff + frame * 0x2_0000) == nil)
    }
    #expect(index(0x810_0000) == nil && index(0) == nil && index(.max) == nil)
    #expect(index(0x4000_ffff) == 0 && index(0x4001_0000) == nil)
  }

  @Test("An access to a strided frame tells the frame, its offset and EL2's address")
  func frames() throws {
    var registry = RegionRegistry<TestDevice>()
    try registry.register(
      Self.region(
        Self.layout(0x80a_0000, pages: 16, stride: 0x2_0000, count: 3), at: 0xb000_0000))
    registry.freeze()
    let context = TestContext()
    var slots = [UInt64](repeating: 0, count: 31)
    let outcome = try slots.withUnsafeMutableBufferPointer { buffer in
      registry.handleAbort(
        esr: dataAbort(), far: 0x70, hpfar: 0x80ef << 4,
        registers: RegisterFile(try #require(buffer.baseAddress)),
        host: SimulatedRegisters(), context: context)
    }
    #expect(outcome == .completed)
    #expect(
      context.accesses == [
        Access(
          offset: 0xf070, frame: 2, distance: 0x4_f070, address: VirtualAddress(0xb004_f070),
          width: .word)
      ])
  }

  @Test("A layout that cannot be is refused")
  func layouts() {
    let base = PhysicalAddress(0x1000)
    #expect(throws: RegistryError.misaligned(PhysicalAddress(0x1800))) { try Self.layout(0x1800) }
    #expect(throws: RegistryError.empty(base)) { try Self.layout(0x1000, pages: 0) }
    #expect(throws: RegistryError.empty(base)) { try Self.layout(0x1000, count: 0) }
    #expect(throws: RegistryError.outOfRange(base)) { try Self.layout(0x1000, pages: 1 << 40) }
    #expect(throws: RegistryError.outOfRange(base)) { try Self.layout(0x1000, pages: .max) }
    #expect(throws: RegistryError.outOfRange(base)) {
      try Self.layout(0x1000, stride: 0x1000, count: .max)
    }
    #expect(throws: RegistryError.outOfRange(base)) {
      try Self.layout(0x1000, stride: 1 << 51, count: 4)
    }
    #expect(throws: RegistryError.outOfRange(PhysicalAddress(1 << 52))) {
      try Self.layout(1 << 52)
    }
    for stride: UInt64 in [0, 0x1000, 0x3000, 0x6000] {
      #expect(throws: RegistryError.stride(stride)) {
        try Self.layout(0x1000, pages: 2, stride: stride, count: 2)
      }
    }
    #expect(throws: Never.self) { try Self.layout(1 << 52 - 0x1000) }
  }

  @Test("Regions that share a page are refused, whichever comes first")
  func overlap() throws {
    let comb = try Self.layout(0x10_0000, pages: 1, stride: 0x4000, count: 4)
    let apart = [
      try Self.layout(0xf_f000), try Self.layout(0x10_1000, pages: 3),
      try Self.layout(0x10_d000), try Self.layout(0x10_2000, stride: 0x4000, count: 4),
      try Self.layout(0x10_1000, pages: 1, stride: 0x2000, count: 2),
    ]
    let shared = [
      try Self.layout(0x10_0000), try Self.layout(0x10_c000), try Self.layout(0xf_f000, pages: 2),
      try Self.layout(0x10_1000, pages: 4), try Self.layout(0, pages: 0x1000),
      try Self.layout(0x10_2000, stride: 0x2000, count: 2),
      try Self.layout(0xf_8000, stride: 0x8000, count: 2),
    ]
    for (others, expected) in [(apart, false), (shared, true)] {
      for other in others {
        #expect(comb.overlaps(other) == expected && other.overlaps(comb) == expected)
        var registry = RegionRegistry<TestDevice>()
        try registry.register(Self.region(comb))
        let error = Self.refusal(of: other, by: &registry)
        #expect(error == (expected ? .overlap(other.base, with: 0) : nil))
        let count = registry.count
        #expect(count == (expected ? 1 : 2))
      }
    }
  }

  static func add(
    _ layout: RegionLayout, to registry: inout RegionRegistry<TestDevice>
  ) throws(RegistryError) {
    try registry.register(region(layout))
  }

  static func refusal(
    of layout: RegionLayout, by registry: inout RegionRegistry<TestDevice>
  ) -> RegistryError? {
    do throws(RegistryError) { try add(layout, to: &registry) } catch { return error }
    return nil
  }

  @Test("A full and a frozen registry take no more, and lose nothing")
  func full() throws {
    var registry = RegionRegistry<TestDevice>()
    for index in 0..<UInt64(RegionRegistry<TestDevice>.capacity) {
      try registry.register(Self.region(Self.layout(0x1000 + index * 0x1000)))
    }
    let more = try Self.layout(0x100_0000)
    #expect(Self.refusal(of: more, by: &registry) == .full(more.base))
    registry.freeze()
    #expect(Self.refusal(of: more, by: &registry) == .frozen(more.base))
    for index in 0..<RegionRegistry<TestDevice>.capacity {
      #expect(registry.index(of: PhysicalAddress(0x1800 + UInt64(index) * 0x1000)) == index)
    }
    #expect(registry.index(of: PhysicalAddress(0)) == nil)
    #expect(registry.index(of: more.base) == nil)
    let end = RegionRegistry<TestDevice>.capacity
    let ends = (registry[end - 1] != nil, registry[end] != nil, registry[-1] != nil)
    #expect(ends == (true, false, false))
  }

  @Test("An EL2 address that wraps or isn't a page's is refused")
  func virtual() throws {
    var registry = RegionRegistry<TestDevice>()
    let layout = try Self.layout(0x1000, pages: 2)
    for address: UInt64 in [0x1800, 0xffff_ffff_ffff_f000] {
      do throws(RegistryError) {
        try registry.register(Self.region(layout, at: address))
        Issue.record("registered")
      } catch {
        #expect(error == .virtualAddress(VirtualAddress(address)))
      }
    }
  }
}
