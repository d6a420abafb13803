// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Testing

/// A kernel and a RAM disk in a GiB of memory.
private let modules = """
  memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x40000000>; };
  chosen { module@48000000 { compatible = "multiboot,kernel", "multiboot,module";
      reg = <0 0x48000000 0 0x100000>; };
    module@48200000 { compatible = "multiboot,ramdisk", "multiboot,module";
      reg = <0 0x48200000 0 0x100000>; }; };
  """

@Suite("Boot modules")
struct BoardModuleTests {
  /// The lines about the modules with what is around them.
  private func lines(_ surroundings: Board.ModuleSurroundings) throws -> [String] {
    let bytes = try compile(modules)
    let blob = try DeviceTreeBlob(checking: bytes.span)
    var sink = Collector()
    let board = Board.read(blob, granule: .kib4, reporting: &sink)
    #expect(sink.all.isEmpty && board.verdict == .nothingToProtect)
    let isGood = board.checkModules(surroundings, reporting: &sink)
    #expect(isGood == sink.all.isEmpty)
    return sink.all.map { diagnostic in
      var text = Text()
      diagnostic.write(in: blob, into: &text)
      return text.string
    }
  }

  @Test("Modules apart from all else are good")
  func apart() throws {
    let lines = try lines(
      Board.ModuleSurroundings(
        tree: range(0x4830_0000, 0x1000), hypervisor: range(0x4020_0000, 0x780_0000),
        kernelMemory: range(0x4800_0000, 0x20_0000)))
    #expect(lines.isEmpty)
  }

  @Test(
    "F-30: a module that overlaps the board's tree or the image is told of with both ranges",
    arguments: [0x4810_0000 - 1, 0x4800_0000 - 0xfff] as [UInt64])
  func overlaps(base: UInt64) throws {
    let hex = "0x" + String(base, radix: 16)
    #expect(
      try lines(Board.ModuleSurroundings(tree: range(base, 0x1000))) == [
        "/chosen/module@48000000: reg: 0x48000000 size 0x100000 overlaps the board's device tree "
          + "\(hex) size 0x1000"
      ])
    #expect(
      try lines(Board.ModuleSurroundings(hypervisor: range(base, 0x1000))) == [
        "/chosen/module@48000000: reg: 0x48000000 size 0x100000 overlaps the hypervisor's image "
          + "\(hex) size 0x1000"
      ])
  }

  @Test("F-48: a RAM disk in what the kernel takes beyond its file is told of with both ranges")
  func kernelMemory() throws {
    #expect(
      try lines(Board.ModuleSurroundings(kernelMemory: range(0x4800_0000, 0x20_0001))) == [
        "/chosen/module@48200000: reg: 0x48200000 size 0x100000 overlaps 0x48000000 size 0x200001 "
          + "of /chosen/module@48000000"
      ])
  }

  @Test("F-48: a kernel that takes more than there is memory is told of")
  func kernelBeyondMemory() throws {
    let lines = try lines(Board.ModuleSurroundings(kernelMemory: range(0x4800_0000, 0x3800_0001)))
    #expect(lines.count == 2)
    #expect(
      lines.first
        == "/chosen/module@48000000: reg: 0x48000000 size 0x38000001 is not all memory")
  }

  @Test(
    "F-48: a tree alone tells of modules that overlap, or are not memory",
    arguments: [
      (
        "0x4000ffff", "0x1", "0x40000000", "0x10000",
        "/chosen/b: reg: 0x40000000 size 0x10000 overlaps 0x4000ffff size 0x1 of /chosen/a"
      ),
      (
        "0x41000000", "0x1000", "0x3ffff000", "0x1001",
        "/chosen/b: reg: 0x3ffff000 size 0x1001 is not all memory"
      ),
      ("0x41000000", "0x1000", "0x41fff000", "0x2000", ""),
      (
        "0x42fff000", "0x1001", "0x40000000", "0x1000",
        "/chosen/a: reg: 0x42fff000 size 0x1001 is not all memory"
      ),
    ])
  func tree(a: String, sizeA: String, b: String, sizeB: String, line: String) throws {
    let (board, _, lines) = try read(
      compile(
        """
        memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x2000000>; };
        memory@42000000 { device_type = "memory"; reg = <0 0x42000000 0 0x1000000>; };
        chosen { a { compatible = "multiboot,kernel", "multiboot,module"; reg = <0 \(a) 0 \(sizeA)>; };
          b { compatible = "multiboot,module"; reg = <0 \(b) 0 \(sizeB)>; }; };
        """))
    #expect(lines == (line.isEmpty ? [] : [line]))
    #expect((board.verdict == .refused) == !line.isEmpty)
  }

  @Test(
    "F-48: a misplaced kernel is told of with what it needs",
    arguments: [
      (0x8_0000, "does not begin a text offset of 0x80000 above a multiple of 2 MiB"),
      (nil, "does not begin at a multiple of 4"),
    ] as [(UInt64?, String)])
  func misplaced(textOffset: UInt64?, words: String) throws {
    let bytes = try compile(modules)
    let blob = try DeviceTreeBlob(checking: bytes.span)
    var sink = Collector()
    let board = ReadBoard(Board.read(blob, granule: .kib4, reporting: &sink))
    let kernel = try #require(board.kernel)
    Board.reportMisplaced(kernel, textOffset: textOffset, to: &sink)
    var text = Text()
    try #require(sink.all.first).write(in: blob, into: &text)
    #expect(
      text.string == "/chosen/module@48000000: reg: 0x48000000 size 0x100000 \(words)")
  }
}
