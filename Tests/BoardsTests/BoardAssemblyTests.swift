// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Boards

@Suite("Boards without a tree") struct BoardAssemblyTests {
  private static func range(_ base: UInt64, _ size: UInt64) throws -> AddressRange {
    try #require(AddressRange(base: PhysicalAddress(base), size: size))
  }

  private static func assembly(_ traits: ITSTraits = .none) throws -> BoardAssembly {
    var assembly = BoardAssembly(granule: .kib4)
    let isSet = assembly.setGIC(try range(0x800_0000, 0x1_0000), traits)
    #expect(isSet)
    return assembly
  }

  @Test("Parts are what they were added as; an ITS has the traits of the GIC too")
  func parts() throws {
    var assembly = try Self.assembly(.addresses32Bit)
    let areAdded = [
      assembly.addITS(try Self.range(0x808_0000, 0x2_0000), .nonCoherent, isUsed: true),
      assembly.addITS(try Self.range(0x80c_0000, 0x1_0000), .none, isUsed: true),
      assembly.addITS(try Self.range(0x810_0000, 0x2_0000), .none, isUsed: false),
      assembly.addRedistributors(try Self.range(0x900_0000, 0x4_0000), stride: nil, isUsed: true),
      assembly.addMemory(try Self.range(0x8000_0000, 0x1000_0000)),
    ]
    #expect(areAdded == [true, true, true, true, true])
    var diagnostics = FirstDiagnostics<Diagnostic>()
    let board = assembly.finish(reporting: &diagnostics)
    #expect(board.verdict == .protectable)
    #expect(board.itses.count == 2)
    #expect(board.itses[0].traits.contains(.nonCoherent))
    #expect(board.itses[0].traits.contains(.addresses32Bit))
    #expect(board.itses[0].translationFrame?.base == PhysicalAddress(0x809_0000))
    #expect(board.itses[1].translationFrame == nil)
    #expect(board.unused.count == 1)
    #expect(board.unused[0].range.size == 0x1_0000)
    #expect(board.redistributors.count == 1)
    #expect(board.memory.count == 1)
  }

  @Test("What overlaps is refused, and reported")
  func overlaps() throws {
    for base: UInt64 in [0x800_0000, 0x8000_0000] {
      var assembly = try Self.assembly()
      let areAdded = [
        assembly.addITS(try Self.range(base, 0x1_0000), .none, isUsed: true),
        assembly.addMemory(try Self.range(0x8000_0000, 0x1000_0000)),
      ]
      #expect(areAdded == [true, true])
      var diagnostics = FirstDiagnostics<Diagnostic>()
      #expect(assembly.finish(reporting: &diagnostics).verdict == .refused)
      var count = 0
      diagnostics.forEach { _ in count += 1 }
      #expect(count == 1)
    }
  }

  @Test("A part that cannot be is not added")
  func impossible() throws {
    var assembly = try Self.assembly()
    let areAdded = [
      assembly.setGIC(try Self.range(0x800_1000, 0x1_0000), .none),
      assembly.addITS(try Self.range(0x808_1000, 0x1_0000), .none, isUsed: true),
      assembly.addITS(try Self.range(1 << 52, 0x1_0000), .none, isUsed: true),
      assembly.addRedistributors(
        try Self.range(0x900_0000, 0x4_0000), stride: 0x1_0000, isUsed: true),
      assembly.addRedistributors(try Self.range(0, 1 << 33), stride: nil, isUsed: true),
      assembly.addMemory(try Self.range(1 << 52, 0x1000)),
    ]
    #expect(areAdded == [false, false, false, false, false, false])
    var diagnostics = FirstDiagnostics<Diagnostic>()
    #expect(assembly.finish(reporting: &diagnostics).verdict == .nothingToProtect)
  }
}
