// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing
import Traps

@testable import Boards
@testable import Hypervisor

/// Redistributors by their address: GICR_TYPER of each.
private final class TyperMemory: DeviceMemory, RefusingContext, @unchecked Sendable {
  var typers: [UInt64: UInt64] = [:]

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    typers[address.rawValue &- 8]
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool { false }
  func orderAccesses() {}
}

@Suite("Claims of Redistributors") struct RedistributorClaimTests {
  /// What a request names: base, pages, stride, count, first number, frame.
  struct Frames: Hashable, Sendable {
    let base: UInt64
    let pages: UInt64
    let stride: UInt64
    let count: UInt64
    let first: UInt16
    let frame: UInt8
  }

  static let virtual: UInt64 = 0x5800_0000_0000

  /// Puts Redistributors at offsets of one region after the other, and makes the requests for them.
  private func requests(
    _ regions: [(base: UInt64, size: UInt64, stride: UInt64?)],
    _ typers: [UInt64: UInt64], isUsed: Bool = true
  ) throws -> RegionRequests<ProtectedDevice<TyperMemory>> {
    var board = Boards.Board(granule: .kib4)
    let memory = TyperMemory()
    for (index, region) in regions.enumerated() {
      let range = try #require(
        AddressRange(base: PhysicalAddress(region.base), size: region.size))
      let isAdded = board.redistributors.append(
        RedistributorRegion(
          node: .root, range: range, stride: region.stride, isUsed: isUsed))
      #expect(isAdded)
      for (address, typer) in typers where address &- region.base < region.size {
        memory.typers[Self.virtual + UInt64(index) << 32 + (address - region.base)] = typer
      }
    }
    var requests = RegionRequests<ProtectedDevice<TyperMemory>>()
    try RedistributorClaim.append(
      board.redistributors, at: { VirtualAddress(Self.virtual + UInt64($0) << 32) },
      through: memory, to: &requests
    ) { .mediatedRedistributors(first: $0, frame: $1) }
    return requests
  }

  /// The frames that are asked for.
  private func frames(
    _ regions: [(base: UInt64, size: UInt64, stride: UInt64?)],
    _ typers: [UInt64: UInt64]
  ) throws -> [Frames] {
    let requests = try requests(regions, typers)
    return requests.indices.compactMap { index in
      let request = requests[index]
      guard case .mediatedRedistributors(let first, let frame) = request.device else { return nil }
      let region = regions.firstIndex {
        request.layout.base.rawValue &- $0.base < $0.size
      }
      let isMapped =
        request.address?.rawValue
        == region.map {
          Self.virtual + UInt64($0) << 32 + request.layout.base.rawValue - regions[$0].base
        }
      #expect(isMapped)
      #expect(request.widths == .word.union(.double) && request.kinds == .readWrite)
      return Frames(
        base: request.layout.base.rawValue, pages: request.layout.frameSize >> 12,
        stride: request.layout.stride, count: request.layout.count, first: first, frame: frame)
    }
  }

  @Test("GICv3: the RD frames of a region, and not the SGI frames")
  func gicv3() throws {
    let found = try frames(
      [(0x80a_0000, 0xf6_0000, nil)],
      [0x80a_0000: 1, 0x80c_0000: 1, 0x80e_0000: 1, 0x810_0000: 1 | 1 << 4])
    #expect(
      found == [
        Frames(base: 0x80a_0000, pages: 16, stride: 0x2_0000, count: 4, first: 0, frame: 0)
      ])
  }

  @Test("GICv4: the RD frames, and the VLPI frames with the reserved ones")
  func gicv4() throws {
    let found = try frames(
      [(0x80a_0000, 0xf6_0000, nil)], [0x80a_0000: 3, 0x80e_0000: 3 | 1 << 4])
    #expect(
      found == [
        Frames(base: 0x80a_0000, pages: 16, stride: 0x4_0000, count: 2, first: 0, frame: 0),
        Frames(base: 0x80c_0000, pages: 32, stride: 0x4_0000, count: 2, first: 0, frame: 2),
      ])
  }

  @Test("A stride of the tree, several regions, and one Redistributor alone")
  func regions() throws {
    let found = try frames(
      [(0x80a_0000, 0x10_0000, 0x4_0000), (0x900_0000, 0x2_0000, nil)],
      [0x80a_0000: 1, 0x80e_0000: 1 | 1 << 4, 0x900_0000: 1 | 1 << 4])
    #expect(
      found == [
        Frames(base: 0x80a_0000, pages: 16, stride: 0x4_0000, count: 2, first: 0, frame: 0),
        Frames(base: 0x900_0000, pages: 16, stride: 0, count: 1, first: 2, frame: 0),
      ])
  }

  @Test("A stride that is no power of two, and kinds that change, make more runs")
  func runs() throws {
    let found = try frames(
      [(0x80a_0000, 0x20_0000, 0x3_0000)],
      [0x80a_0000: 1, 0x80d_0000: 1, 0x810_0000: 1 | 1 << 4])
    #expect(found.map(\.base) == [0x80a_0000, 0x80d_0000, 0x810_0000])
    #expect(found.map(\.first) == [0, 1, 2])
    let mixed = try frames(
      [(0x80a_0000, 0x20_0000, nil)], [0x80a_0000: 1, 0x80c_0000: 3, 0x810_0000: 1 | 1 << 4])
    #expect(mixed.map(\.base) == [0x80a_0000, 0x80c_0000, 0x80e_0000, 0x810_0000])
    #expect(mixed.map(\.first) == [0, 1, 1, 2])
  }

  @Test("A Redistributor that does not answer is told by its region")
  func silent() {
    #expect(throws: RedistributorClaimError.silent(PhysicalAddress(0x80a_0000))) {
      _ = try frames([(0x80a_0000, 0xf6_0000, nil)], [0x80a_0000: 1])
    }
  }

  @Test(
    "F-02: a region whose last Redistributor does not say GICR_TYPER.Last has more behind it",
    arguments: [0x4_0000, 0x5_0000, 0x2_0000, 0x1_0000] as [UInt64])
  func endless(size: UInt64) {
    #expect(throws: RedistributorClaimError.endless(PhysicalAddress(0x80a_0000))) {
      _ = try frames(
        [(0x80a_0000, size, nil)], [0x80a_0000: 1, 0x80c_0000: 1, 0x80e_0000: 1 | 1 << 4])
    }
  }

  @Test(
    "F-01: a region of a GIC that is not used is taken whole, whether it answers or not",
    arguments: [[0x80a_0000: 1, 0x80c_0000: 1 | 1 << 4], [0x80a_0000: 1], [:]]
      as [[UInt64: UInt64]])
  func unused(typers: [UInt64: UInt64]) throws {
    let found = try requests([(0x80a_0000, 0xf6_0000, nil)], typers, isUsed: false)
    #expect(found.count == 1)
    #expect(found[0].device == nil && found[0].layout.extent == 0xf6_0000)
    #expect(found[0].address == VirtualAddress(Self.virtual))
  }

  @Test("F-02: one that is not used has none behind it either")
  func unusedEndless() {
    #expect(throws: RedistributorClaimError.endless(PhysicalAddress(0x80a_0000))) {
      _ = try requests(
        [(0x80a_0000, 0x4_0000, nil)], [0x80a_0000: 1, 0x80c_0000: 1], isUsed: false)
    }
  }

  @Test("More runs than a claim has regions are refused")
  func tooMany() {
    var typers: [UInt64: UInt64] = [:]
    for index in 0..<140 as Range<UInt64> { typers[0x80a_0000 + index * 0x3_0000] = 1 }
    #expect(throws: RedistributorClaimError.tooMany(PhysicalAddress(0x80a_0000 + 128 * 0x3_0000))) {
      _ = try frames([(0x80a_0000, 0x20_0000 * 140, 0x3_0000)], typers)
    }
  }
}
