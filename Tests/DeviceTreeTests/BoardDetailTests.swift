// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import Testing

@Suite("What a board's devices need")
struct BoardDetailTests {
  @Test("a pre-ITS window is a base and a size of one cell each")
  func preITS() throws {
    let (board, _, lines) = try read(
      compile(
        """
        \(gic) its { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>;
          socionext,synquacer-pre-its = <0x58000000 0x200000>; };
        """))
    #expect(lines.isEmpty)
    try #require(board.itses.count == 1)
    #expect(board.itses[0].preITS == range(0x5800_0000, 0x20_0000))
  }

  @Test(
    "a pre-ITS window that cannot be read refuses the board",
    arguments: [
      ("<0x58000000>", "impossible length of 4"), ("<0x58000000 0>", "has no size"),
      ("<0 0x58000000 0x200000>", "impossible length of 12"),
    ])
  func badPreITS(value: String, reason: String) throws {
    let (board, _, lines) = try read(
      compile(
        """
        \(gic) its { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>;
          socionext,synquacer-pre-its = \(value); };
        """))
    #expect(board.verdict == .refused)
    #expect(lines.count == 1 && lines[0].contains(reason))
  }

  @Test("several Redistributor regions with a stride")
  func redistributors() throws {
    let (board, _, lines) = try read(
      compile(
        """
        gic { compatible = "arm,gic-v3"; #redistributor-regions = <3>;
          redistributor-stride = <0 0x40000>;
          reg = <0 0x8000000 0 0x10000>, <0 0x9000000 0 0x100000>, <1 0 0 0x200000>,
            <2 0 0 0x40000>, <0 0x8010000 0 0x10000>; };
        """))
    #expect(lines.isEmpty)
    #expect(board.distributor == range(0x800_0000, 0x1_0000))
    try #require(board.redistributors.count == 3)
    #expect(board.redistributors[0].range == range(0x900_0000, 0x10_0000))
    #expect(board.redistributors[1].range == range(0x1_0000_0000, 0x20_0000))
    #expect(board.redistributors[2].range == range(0x2_0000_0000, 0x4_0000))
    for index in 0..<3 { #expect(board.redistributors[index].stride == 0x4_0000) }
  }

  @Test(
    "Redistributor regions that cannot be read refuse the board",
    arguments: [
      ("#redistributor-regions = <0>;", "not known"),
      ("#redistributor-regions = <0 1>;", "impossible length of 8"),
      ("#redistributor-regions = <2>;", "impossible length of 32"),
      ("redistributor-stride = <0x1000>;", "not known"),
      ("redistributor-stride = <0 0 0x20000>;", "impossible length of 12"),
    ])
  func badRedistributors(property: String, reason: String) throws {
    let (board, _, lines) = try read(
      compile(
        """
        gic { compatible = "arm,gic-v3"; \(property)
          reg = <0 0x8000000 0 0x10000>, <0 0x9000000 0 0x100000>; };
        """))
    #expect(board.verdict == .refused)
    #expect(lines.count == 1 && lines[0].contains(reason))
  }

  @Test("SMMUv3s, coherent and not; an older SMMU is none")
  func iommus() throws {
    let (board, _, lines) = try read(
      compile(
        """
        \(gic) a { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; dma-coherent; };
        b { compatible = "vendor,smmu", "arm,smmu-v3"; reg = <0 0x9090000 0 0x20000>; };
        c { compatible = "arm,mmu-500"; reg = <0 0x90d0000 0 0x20000>; };
        """))
    #expect(lines.isEmpty)
    try #require(board.iommus.count == 2)
    #expect(board.iommus[0].range == range(0x905_0000, 0x2_0000))
    #expect(board.iommus[0].isCoherent)
    #expect(board.iommus[1].range == range(0x909_0000, 0x2_0000))
    #expect(!board.iommus[1].isCoherent)
  }

  @Test("reserved memory of the node and of the reservation block")
  func reserved() throws {
    let source = """
      /dts-v1/; /memreserve/ 0x50000000 0x1000; /memreserve/ 0xffffffffffffffff 0x2;
      / { #address-cells = <2>; #size-cells = <2>;
        \(gicV3(reg: "<0 0x8000000 0 0x10000>, <0 0x9000000 0 0x20000>"))
        reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
          two@60000000 { reg = <0 0x60000000 0 0x1000>, <0 0x61000000 0 0x2000>; no-map; };
          chosen-later { size = <0 0x1000>; };
          off@62000000 { reg = <0 0x62000000 0 0x1000>; status = "disabled"; }; };
        \(gic) };
      """
    let (board, _, lines) = try read(
      output(of: "dtc", ["-q", "-I", "dts", "-O", "dtb"], input: source))
    try #require(board.reserved.count == 3)
    #expect(board.reserved[0].range == range(0x5000_0000, 0x1000))
    #expect(board.reserved[0].node == nil && !board.reserved[0].isUnmapped)
    #expect(board.reserved[1].range == range(0x6000_0000, 0x1000))
    #expect(board.reserved[2].range == range(0x6100_0000, 0x2000))
    #expect(board.reserved[2].node != nil && board.reserved[2].isUnmapped)
    // The entry that passes the end of the address space is told, and left out.
    #expect(lines.count == 1 && lines[0].contains("passes the end"))
  }

  @Test(
    "a full list is reported once, however many nodes do not fit",
    arguments: [
      (40, "compatible = \"arm,gic-v3-its\";", "more than 32", Verdict.refused),
      (70, "compatible = \"arm,smmu-v3\";", "more than 64", .refused),
      (70, "device_type = \"memory\";", "more than 64", .refused),
      (70, "compatible = \"arm,gic-v3\";", "more than 64", .refused),
    ])
  func overflow(count: Int, kind: String, line: String, verdict: Verdict) throws {
    let nodes = (1...count).map { number in
      let second = kind.contains("gic-v3\"") ? ", <\(number) 0x100000 0 0x20000>" : ""
      return "n@\(number) { \(kind) reg = <\(number) 0 0 0x20000>\(second); };"
    }
    let (board, _, lines) = try read(compile(gic + nodes.joined()))
    #expect(board.verdict == verdict)
    #expect(lines.count == 1 && lines[0].contains(line))
  }

  @Test("modules beyond the list are one warning, reserved memory one error")
  func warnings() throws {
    let modules = (1...12).map {
      "module@\($0) { compatible = \"multiboot,module\"; reg = <0 \($0)000 0 0x100>; };"
    }
    let reserved = (1...140).map { "r@\($0) { reg = <1 \($0)000 0 0x100>; };" }
    let (board, diagnostics, lines) = try read(
      compile(
        """
        \(gic) chosen { \(modules.joined()) };
        reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; \(reserved.joined()) };
        """))
    #expect(board.modules.count == 8)
    #expect(board.reserved.count == 128)
    #expect(board.verdict == .refused)
    #expect(diagnostics.count == 2)
    #expect(lines.filter { $0.contains("more than 8") }.count == 1)
    #expect(lines.filter { $0.contains("more than 128") }.count == 1)
  }
}
