// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Hypervisor
import Testing

@testable import Boards

/// Where EL2 sees a region in these tests, which is not where it is.
private let window: UInt64 = 0x7000_0000_0000
/// Where it is.
private let base: UInt64 = 0x80a_0000

/// GICR_TYPER of the Redistributors of a region, by their offset in it; what is not there aborts.
private final class Frames: DeviceMemory, @unchecked Sendable {
  let typers: [UInt64: UInt64]
  var reads: [UInt64] = []
  var isMisread = false

  init(_ typers: [UInt64: UInt64]) { self.typers = typers }

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    let offset = address.rawValue &- window
    isMisread = isMisread || width != .double || offset & 0xffff != 8
    reads.append(offset & ~0xffff)
    return typers[offset & ~0xffff]
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    isMisread = true
    return false
  }
  func orderAccesses() {}
}

/// GICR_TYPER of the processor of a number, with GICv4's frames and as the last, or not.
private func typer(_ processor: UInt64, isVirtual: Bool = false, isLast: Bool = false) -> UInt64 {
  1 | (isVirtual ? 1 << 1 : 0) | (isLast ? 1 << 4 : 0) | processor << 8 | processor << 32
}

/// A region, and what is found in it.
struct ScannedRegion: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let size: UInt64
  var stride: UInt64?
  /// GICR_TYPER by offset.
  let typers: [UInt64: UInt64]
  /// The offsets at which one is found, in order.
  let found: [UInt64]
  /// How the search ends.
  var end = RedistributorScan.End.last

  static let all: [ScannedRegion] = [
    ScannedRegion(
      testDescription: "two frames each, the last one says so", size: 0x10_0000,
      typers: [0: typer(0), 0x2_0000: typer(1), 0x4_0000: typer(2, isLast: true)],
      found: [0, 0x2_0000, 0x4_0000]),
    ScannedRegion(
      testDescription: "four frames each", size: 0x10_0000,
      typers: [0: typer(0, isVirtual: true), 0x4_0000: typer(1, isVirtual: true, isLast: true)],
      found: [0, 0x4_0000]),
    ScannedRegion(
      testDescription: "two frames after four", size: 0x10_0000,
      typers: [0: typer(0, isVirtual: true), 0x4_0000: typer(1), 0x6_0000: typer(2, isLast: true)],
      found: [0, 0x4_0000, 0x6_0000]),
    ScannedRegion(
      testDescription: "a stride of the tree", size: 0x10_0000, stride: 0x8_0000,
      typers: [0: typer(0, isVirtual: true), 0x8_0000: typer(1, isLast: true)],
      found: [0, 0x8_0000]),
    ScannedRegion(
      testDescription: "a stride of the tree that would have frames overlap", size: 0x6_0000,
      stride: 0x1_0000,
      typers: [0: typer(0), 0x2_0000: typer(1), 0x4_0000: typer(2, isLast: true)],
      found: [0, 0x2_0000, 0x4_0000]),
    ScannedRegion(
      testDescription: "a stride beyond the region", size: 0x4_0000,
      stride: 0xffff_ffff_ffff_0000, typers: [0: typer(0)], found: [0], end: .beyond),
    ScannedRegion(
      testDescription: "F-02: none says that it is the last: more lie behind the region",
      size: 0x4_0000, typers: [0: typer(0), 0x2_0000: typer(1), 0x4_0000: typer(2)],
      found: [0, 0x2_0000], end: .beyond),
    ScannedRegion(
      testDescription: "a region that ends within a Redistributor", size: 0x5_0000,
      typers: [0: typer(0), 0x2_0000: typer(1), 0x4_0000: typer(2)], found: [0, 0x2_0000],
      end: .beyond),
    ScannedRegion(
      testDescription: "four frames that end beyond the region", size: 0x6_0000,
      typers: [0: typer(0, isVirtual: true), 0x4_0000: typer(1, isVirtual: true)],
      found: [0, 0x4_0000], end: .beyond),
    ScannedRegion(
      testDescription: "a region of one frame", size: 0x1_0000, typers: [0: typer(0)], found: [],
      end: .beyond),
    ScannedRegion(
      testDescription: "the first does not answer", size: 0x10_0000, typers: [:], found: [],
      end: .silent),
    ScannedRegion(
      testDescription: "the third does not answer", size: 0x10_0000,
      typers: [0: typer(0), 0x2_0000: typer(1)], found: [0, 0x2_0000], end: .silent),
  ]

  /// The region at ``base``.
  func region() throws -> RedistributorRegion {
    RedistributorRegion(
      node: .root, range: try #require(AddressRange(base: PhysicalAddress(base), size: size)),
      stride: stride)
  }
}

@Suite("The search for Redistributors") struct RedistributorScanTests {
  private enum Failure: Error { case enough }

  @Test("Each is found once, where it is", arguments: ScannedRegion.all)
  func scan(_ region: ScannedRegion) throws {
    let frames = Frames(region.typers)
    var places: [UInt64] = []
    var values: [UInt64] = []
    let end = RedistributorScan.forEach(
      try region.region(), at: VirtualAddress(window), through: frames
    ) { (place, typer) in
      places.append(place.rawValue)
      values.append(typer.rawValue)
    }
    #expect(end == region.end)
    #expect(places == region.found.map { base + $0 })
    #expect(values == region.found.compactMap { region.typers[$0] })
    // What doesn't answer was asked once, and nothing behind it.
    #expect(frames.reads.dropLast(region.end == .silent ? 1 : 0) == region.found[...])
    #expect(!frames.isMisread)
  }

  @Test("Who looks may stop, and nothing more is read then")
  func stops() throws {
    let region = ScannedRegion.all[0]
    let frames = Frames(region.typers)
    var count = 0
    #expect(throws: Failure.enough) {
      _ = try RedistributorScan.forEach(
        region.region(), at: VirtualAddress(window), through: frames
      ) { (_, _) throws(Failure) in
        count += 1
        if count == 2 { throw .enough }
      }
    }
    #expect(frames.reads == [0, 0x2_0000])
  }
}
