// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Testing

@Suite("Memory in the host's tree")
struct HostTreeMemoryTests {
  static let twoCells = "#address-cells = <2>; #size-cells = <2>;"
  static let oneCell = "#address-cells = <1>; #size-cells = <1>;"

  /// The host's tree of `body` without 2 MiB at `hole`, and at another one.
  func write(
    _ body: String, cells: String = twoCells, hole: UInt64 = 0x4000_0000, other: UInt64? = nil
  ) throws -> [UInt8] {
    let source = try compile(body, cells: cells)
    let blob = try DeviceTreeBlob(checking: source.span)
    var tree = HostTree(withheld: try #require(range(hole, 0x20_0000)))
    if let other {
      let isAdded = tree.withhold(try #require(range(other, 0x20_0000)))
      #expect(isAdded)
    }
    var buffer = [UInt8](repeating: 0, count: source.count + 4096)
    var span = buffer.mutableSpan
    let size = try tree.write(from: blob, into: &span)
    return Array(buffer[..<size])
  }

  /// The words of a property, or nil.
  func words(_ bytes: [UInt8], _ path: StaticString, _ name: StaticString) throws -> [UInt32]? {
    let blob = try DeviceTreeBlob(checking: bytes.span)
    guard let node = blob.node(path: path), let value = blob.property(name, of: node) else {
      return nil
    }
    return (0..<value.count / 4).compactMap { blob.word(value, at: 4 * $0) }
  }

  @Test("memory of one cell each is split with one cell each")
  func oneCellSplit() throws {
    let bytes = try write(
      "memory { device_type = \"memory\"; reg = <0x40000000 0x10000000>; };",
      cells: Self.oneCell, hole: 0x4100_0000)
    #expect(
      try words(bytes, "/memory", "reg") == [0x4000_0000, 0x100_0000, 0x4120_0000, 0xee0_0000])
  }

  @Test("two holes make three pieces, whichever comes first", arguments: [true, false])
  func twoHoles(isFirst: Bool) throws {
    let (first, second) = (0x4100_0000, 0x4200_0000) as (UInt64, UInt64)
    let bytes = try write(
      "memory { device_type = \"memory\"; reg = <0x40000000 0x10000000>; };",
      cells: Self.oneCell, hole: isFirst ? first : second, other: isFirst ? second : first)
    #expect(
      try words(bytes, "/memory", "reg")
        == [0x4000_0000, 0x100_0000, 0x4120_0000, 0xe0_0000, 0x4220_0000, 0xde0_0000])
  }

  @Test("a piece that one cell cannot address is an error, not memory elsewhere")
  func oneCellOverflow() throws {
    #expect(throws: HostTreeError.self) {
      try write(
        "memory { device_type = \"memory\"; reg = <0xff000000 0x10000000>; };",
        cells: Self.oneCell, hole: 0xffe0_0000)
    }
  }

  @Test("linux,usable-memory is cut like reg")
  func usableMemory() throws {
    let bytes = try write(
      """
      memory { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>;
        linux,usable-memory = <0 0x40100000 0 0x1000000>; };
      """)
    #expect(try words(bytes, "/memory", "reg") == [0, 0x4020_0000, 0, 0xfe0_0000])
    #expect(try words(bytes, "/memory", "linux,usable-memory") == [0, 0x4020_0000, 0, 0xf0_0000])
  }

  @Test(
    "a memory node of which nothing is left is removed, and the next is still cut",
    arguments: ["", "linux,usable-memory = <0 0x40100000 0 0x100000>;"])
  func removed(usable: String) throws {
    let size = usable.isEmpty ? "0x200000" : "0x300000"
    let bytes = try write(
      """
      first { }; \(gic)
      memory@1 { device_type = "memory"; reg = <0 0x40000000 0 \(size)>; \(usable) child { }; };
      memory@2 { device_type = "memory"; reg = <0 0x40000000 0 0x100000>; };
      memory@3 { device_type = "memory"; reg = <0 0x40100000 0 0x200000>; };
      last { };
      """)
    #expect(try words(bytes, "/memory@1", "reg") == nil)
    #expect(try words(bytes, "/memory@2", "reg") == nil)
    #expect(try words(bytes, "/memory@3", "reg") == [0, 0x4020_0000, 0, 0x10_0000])
    let (board, _, lines) = try read(bytes)
    #expect(board.memory.count == 1)
    #expect(lines.isEmpty)
  }

  @Test("memory below a bus is an error")
  func nested() throws {
    #expect(throws: HostTreeError.self) {
      try write(
        """
        bus { #address-cells = <2>; #size-cells = <2>; ranges;
          memory { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; }; };
        """)
    }
  }

  @Test("64 entries are cut; one more that the cut makes is an error", arguments: [true, false])
  func entryLimit(splits: Bool) throws {
    let others = (1...63).map { "<\($0) 0 0 0x10000>" }.joined(separator: ", ")
    let base = splits ? "0x3fe00000" : "0x40000000"
    let body = """
      memory { device_type = "memory"; reg = <0 \(base) 0 0x10000000>, \(others); };
      """
    if splits {
      let error = #expect(throws: HostTreeError.self) { try write(body) }
      guard case .tooManyEntries(_, limit: 64) = error else {
        Issue.record("another error")
        return
      }
    } else {
      #expect(try words(write(body), "/memory", "reg")?.count == 64 * 4)
    }
  }

  @Test("64 modules are removed; one more is an error", arguments: [64, 65])
  func moduleLimit(count: Int) throws {
    let modules = (1...count).map {
      "module@\($0) { compatible = \"multiboot,module\"; reg = <0 \($0)000 0 0x100>; };"
    }
    let body = "chosen { \(modules.joined()) };"
    if count > 64 {
      #expect(throws: HostTreeError.tooManyModules(limit: 64)) { try write(body) }
    } else {
      let bytes = try write(body)
      #expect(try read(bytes).board.modules.isEmpty)
      #expect(try words(bytes, "/chosen/module@64", "reg") == nil)
    }
  }
}
