// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import DeviceTree
import Testing

@Suite("The host's tree")
struct HostTreeTests {
  static let body = """
    chosen { bootargs = "old";
      module@1 { compatible = "multiboot,module", "multiboot,kernel"; bootargs = "new";
        reg = <0 0x46000000 0 0x1000>; }; };
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };
    """

  func write(_ hole: AddressRange, room: Int = 1024) throws -> [UInt8] {
    let source = try compile(Self.body)
    let blob = try DeviceTreeBlob(checking: source.span)
    var sink = Collector()
    let board = Board.read(blob, granule: .kib4, reporting: &sink)
    let tree = HostTree(
      withheld: hole, ramdisk: range(0x4800_0000, 0x1234),
      bootArguments: board.kernel?.bootArguments)
    var buffer = [UInt8](repeating: 0, count: source.count + room)
    var span = buffer.mutableSpan
    let size = try tree.write(from: blob, into: &span)
    return Array(buffer[..<size])
  }

  @Test(
    "withheld memory is cut out",
    arguments: [
      (0x4000_0000, 0x20_0000, [(0x4020_0000, 0xfe0_0000)]),
      (0x4100_0000, 0x20_0000, [(0x4000_0000, 0x100_0000), (0x4120_0000, 0xee0_0000)]),
      (0x4fe0_0000, 0x20_0000, [(0x4000_0000, 0xfe0_0000)]),
      (0x1000_0000, 0x20_0000, [(0x4000_0000, 0x1000_0000)]),
    ] as [(UInt64, UInt64, [(UInt64, UInt64)])])
  func cut(base: UInt64, size: UInt64, expected: [(UInt64, UInt64)]) throws {
    let hole = try #require(range(base, size))
    let bytes = try write(hole)
    let board = try read(bytes).board
    try #require(board.memory.count == expected.count)
    for (index, piece) in expected.enumerated() {
      #expect(board.memory[index] == range(piece.0, piece.1))
    }
    #expect(board.modules.isEmpty)
    let blob = try DeviceTreeBlob(checking: bytes.span)
    let chosenFound = blob.node(path: "/chosen")
    let chosen = try #require(chosenFound)
    let startFound = blob.property("linux,initrd-start", of: chosen)
    let start = try #require(startFound)
    let endFound = blob.property("linux,initrd-end", of: chosen)
    let end = try #require(endFound)
    let argumentsFound = blob.property("bootargs", of: chosen)
    let arguments = try #require(argumentsFound)
    // The macros take no value that borrows.
    let values = (blob.word(start, at: 4), blob.word(end, at: 4), blob.byte(arguments, 0))
    #expect(values.0 == 0x4800_0000)
    #expect(values.1 == 0x4800_1234)
    #expect(arguments.count == 4 && values.2 == UInt8(ascii: "n"))
  }

  @Test("a buffer too small and an unaligned hole are errors")
  func errors() throws {
    let hole = try #require(range(0x4000_0000, 0x1000))
    #expect(throws: HostTreeError.noSpace) { try write(hole, room: -8) }
    let odd = try #require(range(0x4000_0800, 0x1000))
    #expect(throws: HostTreeError.misaligned(odd)) { try write(odd) }
  }
}
