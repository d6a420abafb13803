// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import Testing

@Suite("Hardware that the tree does not have the host use")
struct UnusedHardwareTests {
  @Test(
    "F-01: a disabled node of hardware that reads and writes memory is told of, whatever disables it",
    arguments: [
      (
        "\(gic) its@80000 { compatible = \"arm,gic-v3-its\"; reg = <0 0x80000 0 0x20000>; X };",
        "/its@80000"
      ),
      (
        "\(gic) smmu@90000 { compatible = \"arm,smmu-v3\"; reg = <0 0x90000 0 0x20000>; X };",
        "/smmu@90000"
      ),
      (
        "\(gic) pmcg@90000 { compatible = \"arm,smmu-v3-pmcg\"; reg = <0 0x90000 0 0x1000>; X };",
        "/pmcg@90000"
      ),
      (
        """
        \(gic) g@80000 { compatible = "arm,gic-v3"; X
          reg = <0 0x80000 0 0x10000>, <0 0x100000 0 0x40000>; };
        """, "/g@80000"
      ),
    ],
    ["status = \"disabled\";", "status = \"reserved\";", "status = \"fail-sss\";"])
  func told(tree: (body: String, node: String), status: String) throws {
    let body = tree.body.replacing("X", with: status)
    let (board, _, lines) = try read(compile(body))
    #expect(lines == ["\(tree.node): is disabled, and taken out of the host's reach all the same"])
    let verdict: Verdict = tree.node.hasPrefix("/its") ? .protectable : .nothingToProtect
    #expect(board.verdict == verdict)
    // The same below a disabled bus.
    let bus = tree.body.replacing("X", with: "").replacing(gic, with: "")
    let below = try read(
      compile(
        "\(gic) b { #address-cells = <2>; #size-cells = <2>; ranges; \(status) \(bus) };"))
    #expect(below.lines.count == 1 && below.lines[0].hasPrefix("/b\(tree.node): is disabled"))
    #expect(below.board.verdict == verdict)
  }

  @Test(
    "F-01: a disabled node that can't be read refuses the board",
    arguments: [
      "its { compatible = \"arm,gic-v3-its\"; X };",
      "its { compatible = \"arm,gic-v3-its\"; reg = <0 0x80800 0 0x20000>; X };",
      "smmu { compatible = \"arm,smmu-v3\"; reg = <0 0x80000 0>; X };",
      "smmu { compatible = \"arm,smmu-v3\"; reg = <0 0x80000 0 0x10000>, <0 0xa0000 0 0x10000>; X };",
      "pmcg { compatible = \"arm,smmu-v3-pmcg\"; X };",
      "g { compatible = \"arm,gic-v3\"; reg = <0 0x80000 0 0x10000>; X };",
      "b { X its { compatible = \"arm,gic-v3-its\"; reg = <0x80000 0x20000>; }; };",
    ])
  func unreadable(body: String) throws {
    let (board, diagnostics, _) = try read(
      compile(gic + body.replacing("X", with: "status = \"disabled\";")))
    #expect(board.verdict == .refused)
    #expect(diagnostics.contains { $0.severity == .error })
  }

  @Test("F-01: what a used node has already is not taken twice")
  func same() throws {
    let (board, _, lines) = try read(
      compile(
        """
        \(gic)
        its@80000 { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; };
        its@b0000 { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>;
          status = "disabled"; };
        """))
    #expect(board.verdict == .protectable && board.itses.count == 1 && lines.count == 1)
  }
}

@Suite("What belongs to the whole GIC, or to an SMMU")
struct WholeHardwareTests {
  @Test(
    "F-11: the address bits of a GIC are known by its board, for all of it",
    arguments: [
      ("rockchip,rk3568", true), ("renesas,r8a779f0", true), ("renesas,r8a779g0", true),
      ("renesas,r8a779h0", true), ("intel,socfpga-agilex5", true), ("rockchip,rk3588", false),
      ("renesas,r8a779a0", false),
    ])
  func narrow(compatible: String, isNarrow: Bool) throws {
    let (board, _, lines) = try read(
      compile(
        """
        compatible = "vendor,board", "\(compatible)"; \(gic)
        memory@80000000 { device_type = "memory"; reg = <0 0x80000000 0 0x40000000>, <4 0 1 0>; };
        its@80000 { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; };
        """))
    #expect(board.verdict == .protectable)
    #expect(board.gicTraits.addressLimit == (isNarrow ? 1 << 32 : 1 << 52))
    #expect(board.itses[0].traits == board.gicTraits)
    let told = "/: the GIC has 32-bit addresses: its tables can't be in memory 0x400000000"
    #expect(lines == (isNarrow ? [told + " size 0x100000000"] : []))
  }

  @Test("F-03: command queues for an SMMU in registers of their own are found, used or not")
  func companions() throws {
    let (board, _, _) = try read(
      compile(
        """
        \(gic)
        a { compatible = "nvidia,tegra241-cmdqv"; reg = <1 0 0 0x830000>; };
        b { compatible = "nvidia,tegra264-cmdqv"; reg = <2 0 0 0x830000>; status = "disabled"; };
        """))
    try #require(board.companions.count == 1 && board.unused.count == 1)
    #expect(board.companions[0].range == range(1 << 32, 0x83_0000))
    #expect(board.unused[0].kind == .companion)
  }

  @Test("F-02: regions with room for fewer Redistributors than CPUs are told of")
  func room() throws {
    let cpus = (0..<5).map {
      "cpu@\($0) { device_type = \"cpu\"; reg = <\($0)>; enable-method = \"psci\"; };"
    }
    for (size, isTold) in [("0x80000", true), ("0xa0000", false)] {
      let (board, _, lines) = try read(
        compile(
          """
          psci { compatible = "arm,psci-1.0"; method = "smc"; };
          cpus { #address-cells = <1>; #size-cells = <0>; \(cpus.joined()) };
          g { compatible = "arm,gic-v3";
            reg = <0 0x8000000 0 0x10000>, <0 0x80a0000 0 \(size)>; };
          """))
      #expect(board.verdict == .nothingToProtect)
      #expect(lines.isEmpty != isTold && lines.allSatisfy { $0.contains("room for 4") })
    }
  }
}

@Suite("Interrupt controllers that are not supported")
struct UnsupportedControllerTests {
  @Test(
    "F-44: an interrupt controller or ITS that is not supported refuses the board",
    arguments: ["", "status = \"disabled\";"],
    [
      "arm,gic-v5", "arm,gic-v5-irs", "arm,gic-v5-its", "arm,gic-v6", "arm,gic-v4-its",
      "vendor,some-its",
    ])
  func unsupported(status: String, compatible: String) throws {
    let (board, _, lines) = try read(
      compile("\(gic) x { compatible = \"\(compatible)\"; reg = <0 0 0 0x10000>; \(status) };"))
    #expect(board.verdict == .refused)
    #expect(lines == ["/x: compatible: is an interrupt controller that is not supported"])
  }

  @Test(
    "F-44: a board without a GICv3 is refused",
    arguments: ["", "its@80000 { compatible = \"arm,gic-v3-its\"; reg = <0 0x80000 0 0x20000>; };"])
  func none(body: String) throws {
    let (board, _, lines) = try read(
      compile(
        "intc { compatible = \"arm,gic-400\"; reg = <0 0 0 0x10000>; }; \(body)", gic: ""))
    #expect(board.verdict == .refused)
    #expect(lines == ["/: the board has no GICv3"])
  }

  @Test(
    "what is known beside a GICv3 refuses nothing",
    arguments: ["arm,gic-v2m-frame", "vendor,its\", \"arm,gic-v3-its", "nvidia,tegra210-agic"])
  func known(compatible: String) throws {
    let (board, _, lines) = try read(
      compile("\(gic) x { compatible = \"\(compatible)\"; reg = <0 0x80000 0 0x20000>; };"))
    #expect(board.verdict != .refused && lines.isEmpty)
  }
}
