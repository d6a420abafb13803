// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Testing

@Suite("The host's tree without SMMUs")
struct HostTreeHidingTests {
  static let iommus = """
    smmu@1 { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
      phandle = <1>; tbu { }; };
    pmcg@3 { compatible = "vendor,pmcg", "arm,smmu-v3-pmcg"; reg = <0 0x9052000 0 0x1000>; };
    pmcg@4 { compatible = "arm,smmu-v3-pmcg"; reg = <0 0x9062000 0 0x1000>; status = "disabled"; };
    smmu@2 { compatible = "arm,smmu-v3"; reg = <0 0x9070000 0 0x20000>; #iommu-cells = <1>;
      phandle = <2>; status = "disabled"; };
    cmdqv@9200000 { compatible = "nvidia,tegra241-cmdqv"; reg = <0 0x9200000 0 0x830000>; };
    mmu500 { compatible = "arm,mmu-500"; reg = <0 0x9090000 0 0x20000>; #iommu-cells = <2>;
      phandle = <3>; };
    """

  /// The tree of `body` behind the IOMMUs, with the SMMUs hidden.
  func hide(_ body: String) throws -> [UInt8] {
    let source = try compile(Self.iommus + body)
    let blob = try DeviceTreeBlob(checking: source.span)
    var sink = Collector()
    var found = DMACollector()
    let board = Board.read(blob, granule: .kib4, reporting: &sink)
    let topology = DMATopology(reading: blob, of: board, reporting: &found)
    let tree = HostTree(withheld: try #require(range(0x4000_0000, 0x20_0000)))
    var buffer = [UInt8](repeating: 0, count: source.count + 1024)
    var span = buffer.mutableSpan
    let size = try tree.write(from: blob, hidingSMMUsOf: topology, into: &span)
    return Array(buffer[..<size])
  }

  /// The words of a property; nil where it is not there.
  func words(_ bytes: [UInt8], _ path: StaticString, _ name: StaticString) throws -> [UInt32]? {
    let blob = try DeviceTreeBlob(checking: bytes.span)
    guard let node = blob.node(path: path), let value = blob.property(name, of: node) else {
      return nil
    }
    return (0..<value.count / 4).compactMap { blob.word(value, at: 4 * $0) }
  }

  func hasNode(_ bytes: [UInt8], _ path: StaticString) throws -> Bool {
    try DeviceTreeBlob(checking: bytes.span).node(path: path) != nil
  }

  @Test("the nodes and all that names them are gone, and the rest is left")
  func hidden() throws {
    let bytes = try hide(
      """
      memory { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };
      a { reg = <0 1 0 1>; iommus = <1 0x10>, <2 0x11>; dma-coherent; };
      b { iommus = <3 0x20 0x21>; };
      c { iommus = <1 0x30>, <3 0x31 0x32>, <2 0x33>, <3 0x34 0x35>, <1 0x36>; };
      pci { device_type = "pci"; iommu-map = <0 1 0 0x8000>, <0x8000 2 0 0x8000>;
        iommu-map-mask = <0xffff>; msi-map = <0 9 0 0x10000>; below { iommus = <1 1>; }; };
      mixed { device_type = "pci"; iommu-map = <0 1 0 0x100>, <0x100 3 0x40 0x100>, <0x200 2 0 1>,
        <0x300 7 0x50 0x100>; iommu-map-mask = <0xfff>; };
      """)
    for path in ["/smmu@1", "/smmu@1/tbu", "/smmu@2", "/pmcg@3", "/pmcg@4", "/cmdqv@9200000"]
      as [StaticString]
    {
      #expect(try !hasNode(bytes, path))
    }
    #expect(try hasNode(bytes, "/mmu500"))
    #expect(try words(bytes, "/a", "iommus") == nil)
    #expect(try words(bytes, "/a", "reg") == [0, 1, 0, 1])
    #expect(try words(bytes, "/a", "dma-coherent") == [])
    #expect(try words(bytes, "/b", "iommus") == [3, 0x20, 0x21])
    #expect(try words(bytes, "/c", "iommus") == [3, 0x31, 0x32, 3, 0x34, 0x35])
    #expect(try words(bytes, "/pci", "iommu-map") == nil)
    #expect(try words(bytes, "/pci", "iommu-map-mask") == nil)
    #expect(try words(bytes, "/pci", "msi-map") == [0, 9, 0, 0x1_0000])
    #expect(try words(bytes, "/pci/below", "iommus") == nil)
    #expect(
      try words(bytes, "/mixed", "iommu-map") == [0x100, 3, 0x40, 0x100, 0x300, 7, 0x50, 0x100])
    #expect(try words(bytes, "/mixed", "iommu-map-mask") == [0xfff])
    // The memory is cut as in any tree for the host.
    #expect(try words(bytes, "/memory", "reg") == [0, 0x4020_0000, 0, 0xfe0_0000])
  }

  @Test(
    "what cannot be read is an error: an SMMU could be named in it",
    arguments: [
      "a { iommus = <1>; };", "a { iommus = <7 1>, <1 1>; };", "a { iommus = [00]; };",
      "a { iommu-map = <0 1 0 1 0>; };",
    ])
  func unreadable(body: String) throws {
    let error = #expect(throws: HostTreeError.self) { try hide(body) }
    guard case .unreadableIOMMUs = error else {
      Issue.record("another error")
      return
    }
  }

  @Test("more IOMMUs than are known is an error, not an SMMU that stays")
  func tooMany() throws {
    let more = (0..<64).map {
      "more@\($0) { compatible = \"arm,smmu-v3\"; #iommu-cells = <1>; reg = <\($0) 0 0 0x20000>; };"
    }
    #expect(throws: HostTreeError.incompleteTopology) { try hide(more.joined()) }
  }
}
