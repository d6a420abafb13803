// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
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

  @Test("nodes are disabled in place, whatever their status was, and the rest is left")
  func disabled() throws {
    let source = try compile(
      """
      \(Self.body)
      a { status = "okay"; x = <1>; child { y = <2>; }; };
      b { x = <3>; };
      c { status = "ok"; x = <4>; };
      """)
    let blob = try DeviceTreeBlob(checking: source.span)
    var tree = HostTree(withheld: try #require(range(0x4000_0000, 0x20_0000)))
    for path in ["/b", "/a", "/a/child", "/a"] as [StaticString] {
      let found = blob.node(path: path)
      let isAdded = tree.disabled.append(try #require(found))
      #expect(isAdded)
    }
    var buffer = [UInt8](repeating: 0, count: source.count + 1024)
    var span = buffer.mutableSpan
    let size = try tree.write(from: blob, into: &span)
    let bytes = Array(buffer[..<size])
    let written = try DeviceTreeBlob(checking: bytes.span)
    for (path, status, name, value) in [
      ("/a", "disabled", "x", 1), ("/a/child", "disabled", "y", 2), ("/b", "disabled", "x", 3),
      ("/c", "ok", "x", 4),
    ] as [(StaticString, String, StaticString, UInt32)] {
      let found = written.node(path: path)
      let node = try #require(found)
      let text = written.property("status", of: node).map { value in
        String(decoding: (0..<value.count - 1).map { written.byte(value, $0) }, as: UTF8.self)
      }
      #expect(text == status)
      let word = written.property(name, of: node).flatMap { written.word($0) }
      #expect(word == value)
    }
  }
}
