// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import Testing

@Suite("By what CPUs are started")
struct ProcessorTests {
  private static let psci = "psci { compatible = \"arm,psci-1.0\"; method = \"smc\"; };"

  /// The board of some CPUs, each with these properties.
  private func board(_ cpus: [String], psci: String = Self.psci) throws -> (Verdict, [String]) {
    let nodes = cpus.enumerated().map { index, properties in
      "cpu@\(index) { device_type = \"cpu\"; reg = <\(index)>; \(properties) };"
    }
    let (board, _, lines) = try read(
      compile(
        """
        \(gic) \(psci)
        cpus { #address-cells = <1>; #size-cells = <0>; \(nodes.joined())
          idle-states { entry-method = "psci"; }; };
        """))
    return (board.verdict, lines)
  }

  private static let started = "enable-method = \"psci\";"

  @Test(
    "F-04: a CPU that something other than PSCI starts refuses the board",
    arguments: [
      ["enable-method = \"spin-table\"; cpu-release-addr = <0 0x8000fff8>;"],
      ["enable-method = \"spin-table\"; status = \"disabled\";"],
      ["enable-method = \"spin-table\", \"psci\";"], ["enable-method = \"vendor,smp\";"],
      ["", started, ""],
    ])
  func other(properties: [String]) throws {
    let (verdict, lines) = try board([Self.started] + properties)
    #expect(verdict == .refused)
    let cpu = properties.count
    #expect(
      lines == ["/cpus/cpu@\(cpu): enable-method: is not psci: the CPU may run the host at EL2"])
  }

  @Test("F-04: a CPU is one by its name or its enable-method as well")
  func unnamed() throws {
    for node in ["cpu@1 { X };", "core { X };"] {
      let (board, _, lines) = try read(
        compile(
          """
          \(gic) \(Self.psci) cpus { #address-cells = <1>; #size-cells = <0>;
            cpu@0 { device_type = "cpu"; reg = <0>; enable-method = "psci"; };
            \(node.replacing("X", with: "reg = <1>; enable-method = \"spin-table\";")) };
          """))
      #expect(board.verdict == .refused && lines.count == 1)
    }
  }

  @Test(
    "F-04: several CPUs without PSCI refuse the board",
    arguments: ["", psci.replacing("smc", with: "x"), psci.replacing("method", with: "status")])
  func noPSCI(psci: String) throws {
    let (verdict, lines) = try board([Self.started, Self.started], psci: psci)
    #expect(verdict == .refused)
    #expect(lines.last == "/cpus/cpu@1: there is no enabled PSCI to start the CPU")
  }

  @Test("the CPU that boots may say anything, where it is alone; and nothing, where it is not")
  func fine() throws {
    for cpus in [
      ["enable-method = \"spin-table\";"], [""], [Self.started, Self.started],
      ["", Self.started, Self.started], [Self.started, Self.started + "status = \"disabled\";"],
    ] {
      let (verdict, lines) = try board(cpus)
      #expect(verdict == .nothingToProtect && lines.isEmpty)
    }
    #expect(try board([""], psci: "").0 == .nothingToProtect)
  }
}
