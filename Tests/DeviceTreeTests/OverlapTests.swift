// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import Testing

@Suite("Ranges that overlap")
struct OverlapTests {
  private static let its = """
    its@80000 { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; };
    """
  private static let memory = """
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x1000000>; };
    """

  @Test(
    "F-14: what EL2 uses, takes or gives to devices overlaps nothing else of that",
    arguments: [
      // The frame of an ITS that devices write to, and registers that are taken.
      ("smmu@90000", "compatible = \"arm,smmu-v3\"; reg = <0 0x90000 0 0x20000>;"),
      ("pmcg@90000", "compatible = \"arm,smmu-v3-pmcg\"; reg = <0 0x90000 0 0x1000>;"),
      (
        "its@90000",
        "compatible = \"arm,gic-v3-its\"; reg = <0 0x90000 0 0x20000>; status = \"disabled\";"
      ),
      (
        "its@a0000",
        """
        compatible = "arm,gic-v3-its"; reg = <0 0xa0000 0 0x20000>;
        socionext,synquacer-pre-its = <0x80000 0x1000>;
        """
      ),
      (
        "gic@80000",
        "compatible = \"arm,gic-v3\"; reg = <0 0x80000 0 0x10000>, <0 0xf2000000 0 0x40000>;"
      ),
      (
        "gic@60000",
        "compatible = \"arm,gic-v3\"; reg = <0 0x60000 0 0x10000>, <0 0x70000 0 0x40000>;"
      ),
      ("uart@8f000", "compatible = \"arm,pl011\"; reg = <0 0x8f000 0 0x1000>;"),
    ])
  func registers(node: (name: String, properties: String)) throws {
    let (board, _, lines) = try read(
      compile(
        """
        chosen { stdout-path = "/uart@8f000"; };
        \(node.properties.contains("gic-v3\"") ? "" : gic) \(Self.memory) \(Self.its) \(node.name) { \(node.properties) };
        """))
    #expect(board.verdict == .refused)
    #expect(lines.contains { $0.contains(" overlaps 0x") && $0.contains("/\(node.name)") })
  }

  @Test(
    "F-14: nothing of that lies in memory",
    arguments: [
      "compatible = \"arm,pl011\"; reg = <0 0x40001000 0 0x1000>;",
      "compatible = \"arm,smmu-v3\"; reg = <0 0x3fff0000 0 0x20000>;",
      "compatible = \"arm,smmu-v3-pmcg\"; reg = <0 0x40fff000 0 0x1000>;",
      "compatible = \"arm,gic-v3\"; reg = <0 0x40000000 0 0x10000>, <0 0xf2000000 0 0x40000>;",
      "compatible = \"arm,gic-v3\"; reg = <0 0xe0000000 0 0x10000>, <0 0x40000000 0 0x40000>;",
      "compatible = \"arm,gic-v3-its\"; reg = <0 0x40000000 0 0x20000>; status = \"disabled\";",
    ])
  func memory(properties: String) throws {
    let console = properties.contains("pl011") ? "stdout-path = \"/x\";" : ""
    let (board, _, lines) = try read(
      compile(
        """
        chosen { \(console) }; \(Self.memory) \(Self.its) x { \(properties) };
        \(properties.contains("gic-v3\"") ? "" : gic)
        """))
    #expect(board.verdict == .refused)
    #expect(lines.last == "/x: reg: overlaps memory 0x40000000 size 0x1000000")
    // The log is not written to memory.
    #expect(board.console == nil)
  }

  @Test("monitors lie among the registers of an SMMU, an ITS behind the Distributor's first frame")
  func fine() throws {
    let (board, _, lines) = try read(
      compile(
        """
        \(Self.memory)
        g@1000000 { compatible = "arm,gic-v3";
          reg = <0 0x1000000 0 0x100000>, <0 0x1100000 0 0x100000>; };
        its@1020000 { compatible = "arm,gic-v3-its"; reg = <0 0x1020000 0 0x20000>; };
        smmu@90000 { compatible = "arm,smmu-v3"; reg = <0 0x90000 0 0x40000>; };
        a@92000 { compatible = "arm,smmu-v3-pmcg"; reg = <0 0x92000 0 0x1000>, <0 0xa2000 0 0x1000>; };
        b@92000 { compatible = "arm,smmu-v3-pmcg"; reg = <0 0x92000 0 0x1000>; };
        """))
    #expect(board.verdict == .protectable && lines.isEmpty)
  }

  @Test(
    "F-15: registers that are larger than any refuse the board",
    arguments: [
      "compatible = \"arm,smmu-v3-pmcg\"; reg = <0x80000 0 0x80000 0>;",
      "compatible = \"arm,smmu-v3-pmcg\"; reg = <1 0 0 0x21000>;",
      "compatible = \"arm,smmu-v3\"; reg = <1 0 0x1000 0>;",
      "compatible = \"arm,smmu-v3\"; reg = <1 0 0 0x1001000>; status = \"disabled\";",
      "compatible = \"arm,gic-v3\"; reg = <1 0 0 0x10000>, <8 0 1 0x10000>;",
    ])
  func size(properties: String) throws {
    let (board, _, lines) = try read(compile("\(gic) x { \(properties) };"))
    #expect(board.verdict == .refused)
    let last = lines.last ?? ""
    #expect(last.hasPrefix("/x: reg: size 0x") && last.contains(" is more than 0x"))
  }
}
