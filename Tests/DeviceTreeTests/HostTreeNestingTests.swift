// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Testing

@Suite("The host's tree with SMMUs that have a stage 1")
struct HostTreeNestingTests {
  /// The tree of `body` for a host with a stage 1.
  func nest(_ body: String) throws -> [UInt8] {
    let source = try compile(body)
    let blob = try DeviceTreeBlob(checking: source.span)
    let tree = HostTree(withheld: try #require(range(0x4000_0000, 0x20_0000)))
    var buffer = [UInt8](repeating: 0, count: source.count + 1024)
    var span = buffer.mutableSpan
    let size = try tree.write(from: blob, nestingSMMUsInto: &span)
    return Array(buffer[..<size])
  }

  /// The bytes of a property; nil where it is not there.
  func bytes(_ tree: [UInt8], _ path: StaticString, _ name: StaticString) throws -> [UInt8]? {
    let blob = try DeviceTreeBlob(checking: tree.span)
    guard let node = blob.node(path: path), let value = blob.property(name, of: node) else {
      return nil
    }
    return (0..<value.count).map { blob.byte(value, $0) }
  }

  func words(_ tree: [UInt8], _ path: StaticString, _ name: StaticString) throws -> [UInt32]? {
    guard let found = try bytes(tree, path, name) else { return nil }
    return stride(from: 0, to: found.count, by: 4).map { start in
      found[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  @Test("the SMMU and what names it stay, with what a stage 1 of the host has")
  func nested() throws {
    let tree = try nest(
      """
      memory { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };
      smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
        interrupts = <0 74 1>, <0 75 1>, <0 76 1>, <0 77 1>; msi-parent = <9 0>;
        interrupt-names = "priq", "eventq", "cmdq-sync", "gerror"; dma-coherent; phandle = <1>;
        nvidia,cmdqv = <2>; };
      cmdqv { compatible = "nvidia,tegra264-cmdqv"; reg = <0 0x9200000 0 0x830000>; };
      pmcg { compatible = "arm,smmu-v3-pmcg"; reg = <0 0x9052000 0 0x1000>; };
      other { compatible = "vendor,other"; interrupts = <0 1 1>, <0 2 1>; msi-parent = <9 1>;
        interrupt-names = "a", "gerror"; iommus = <1 0x10>; };
      pci { device_type = "pci"; iommu-map = <0 1 0 0x10000>; };
      """)
    #expect(try words(tree, "/smmu", "interrupts") == [0, 75, 1])
    #expect(try bytes(tree, "/smmu", "interrupt-names") == Array("eventq\0".utf8))
    #expect(try words(tree, "/smmu", "reg") == [0, 0x905_0000, 0, 0x2_0000])
    #expect(try bytes(tree, "/smmu", "dma-coherent") == [])
    #expect(try bytes(tree, "/smmu", "msi-parent") == nil)
    #expect(try bytes(tree, "/pmcg", "reg") == nil)
    #expect(try bytes(tree, "/cmdqv", "reg") == nil)
    #expect(try bytes(tree, "/smmu", "nvidia,cmdqv") == nil)
    #expect(try words(tree, "/other", "interrupts") == [0, 1, 1, 0, 2, 1])
    #expect(try words(tree, "/other", "msi-parent") == [9, 1])
    #expect(try words(tree, "/other", "iommus") == [1, 0x10])
    #expect(try words(tree, "/pci", "iommu-map") == [0, 1, 0, 0x1_0000])
    // The memory is cut as in any tree for the host.
    #expect(try words(tree, "/memory", "reg") == [0, 0x4020_0000, 0, 0xfe0_0000])
  }

  @Test(
    "interrupts are told by their names, and stay where those don't fit",
    arguments: [
      ("interrupts = <1>, <2>; interrupt-names = \"gerror\", \"combined\";", [2]),
      ("interrupts = <1>, <2>; interrupt-names = \"eventq\", \"combined\";", [1, 2]),
      ("interrupts = <1>, <2>; interrupt-names = \"gerror\", \"priq\";", nil),
      ("interrupts = <1>, <2>, <3>; interrupt-names = \"gerror\", \"eventq\";", [1, 2, 3]),
      ("interrupts = <1>;", [1]), ("interrupts = <1>; interrupt-names = [67];", [1]),
      ("interrupt-names = \"gerror\";", nil), ("", nil),
    ] as [(String, [UInt32]?)])
  func interrupts(body: String, expected: [UInt32]?) throws {
    let tree = try nest("smmu { compatible = \"arm,smmu-v3\"; \(body) };")
    #expect(try words(tree, "/smmu", "interrupts") == expected)
  }
}
