// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Hypervisor
import Testing

@Suite("Masters that no SMMU confines")
struct UnconfinedMastersTests {
  typealias Fate = UnconfinedMasters.Fate

  static let smmu = """
    smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
      phandle = <3>; };
    """
  static let memory = "memory { device_type = \"memory\"; reg = <0 0x40000000 0 0x10000000>; };"
  /// What QEMU's board has, in short.
  static let virt = """
    \(smmu) \(memory)
    pl011@9000000 { compatible = "arm,pl011"; reg = <0 0x9000000 0 0x1000>; };
    fw-cfg@9020000 { compatible = "qemu,fw-cfg-mmio"; reg = <0 0x9020000 0 0x18>; dma-coherent; };
    virtio_mmio@a000000 { compatible = "virtio,mmio"; reg = <0 0xa000000 0 0x200>; };
    virtio_mmio@a000200 { compatible = "virtio,mmio"; reg = <0 0xa000200 0 0x200>; };
    virtio_mmio@a000e00 { compatible = "virtio,mmio"; reg = <0 0xa000e00 0 0x400>; };
    pcie@10000000 { compatible = "pci-host-ecam-generic"; device_type = "pci";
      reg = <0x40 0x10000000 0 0x10000000>; iommu-map = <0 3 0 0x10000>; };
    """

  @Test("Of QEMU's board fw_cfg and virtio-mmio are claimed, and the bridge behind the SMMU is not")
  func virt() throws {
    let found = try DescribedTree(Self.virt).masters()
    #expect(found.fates == [.claimed, .claimed, .claimed, .claimed, .confined])
    #expect(found.pages == [[0x9020, 1], [0xa000, 2]])
    #expect(found.count == 4 && found.claimed == 4)
    #expect(
      found.lines == [
        "DMA of /fw-cfg@9020000 is not confined, behind no IOMMU: its registers are claimed",
        "DMA of /virtio_mmio@a000000 and 2 like it is not confined, behind no IOMMU:"
          + " its registers are claimed",
      ])
  }

  @Test("Without the policy they are reported, and nothing is claimed")
  func reported() throws {
    let found = try DescribedTree(Self.virt).masters(claims: false)
    #expect(found.fates == [.open, .open, .open, .open, .confined])
    #expect(found.pages.isEmpty && found.count == 4 && found.claimed == 0)
    #expect(found.lines.count == 2 && found.lines.allSatisfy { $0.hasSuffix(": it is the host's") })
  }

  @Test("F-05: the debug registers of CPUs are reported and claimed as masters are")
  func debug() throws {
    let tree = """
      \(Self.memory)
      debug@5010000 { compatible = "arm,coresight-cpu-debug"; reg = <0 0x5010000 0 0x1000>; };
      debug@5110000 { compatible = "arm,coresight-cpu-debug"; reg = <0 0x5110000 0 0x1000>; };
      cti@5020000 { compatible = "arm,coresight-cti-v8-arch", "arm,coresight-cti";
        reg = <0 0x5020000 0 0x1000>; };
      etr@5030000 { compatible = "arm,coresight-tmc"; reg = <0 0x5030000 0 0x1000>; };
      off { compatible = "arm,coresight-cti"; reg = <0 0x5040000 0 0x1000>; status = "disabled"; };
      """
    let open = try DescribedTree(tree).masters(claims: false)
    #expect(open.fates == [.open, .open, .open, .open])
    #expect(
      open.lines == [
        "debug by /debug@5010000 and 1 like it can halt a CPU in EL2: it is the host's",
        "debug by /cti@5020000 can halt a CPU in EL2: it is the host's",
        "DMA of /etr@5030000 is not confined, behind no IOMMU: it is the host's",
      ])
    let claimed = try DescribedTree(tree).masters()
    #expect(claimed.pages == [[0x5010, 1], [0x5110, 1], [0x5020, 1], [0x5030, 1]])
  }

  @Test("Where SMMUs are not driven nothing is confined, and a bus can't be claimed")
  func notDriven() throws {
    let found = try DescribedTree(Self.virt).masters(drivers: .none)
    #expect(found.fates == [.claimed, .claimed, .claimed, .claimed, .bus])
    #expect(found.count == 5 && found.claimed == 4)
    #expect(
      found.lines.last
        == "DMA of /pcie@10000000 is not confined, behind an IOMMU that is not driven:"
        + " it is the host's, for it is a bus")
  }

  @Test(
    "Who shares pages, has no registers, or too large ones, is the host's",
    arguments: [
      // With a device that is no master, with memory, and with one that can't be claimed itself.
      ("a { X reg = <0 0x1000 0 0x10>; }; b { reg = <0 0x1ff0 0 0x10>; };", [Fate.shared]),
      ("a { X reg = <0 0x1000 0 0x10>; }; b { reg = <0 0x2000 0 0x10>; };", [.claimed]),
      ("a { X reg = <0 0x4fffff00 0 0x10>; };", [.shared]),
      ("a { X reg = <0 0x50000000 0 0x10>; };", [.claimed]),
      (
        "a { X reg = <0 0x1000 0 0x10>; }; b { X reg = <0 0x1800 0 0x10>, <0 0x3000 0 0x10>; };"
          + "c { reg = <0 0x3800 0 4>; };", [.shared, .shared]
      ),
      // Disabled devices lose nothing.
      (
        "a { X reg = <0 0x1000 0 0x10>; }; b { reg = <0 0x1ff0 0 0x10>; status = \"disabled\"; };",
        [.claimed]
      ),
      ("a { X };", [.withoutRegisters]), ("a { X reg = <1 2 3>; };", [.withoutRegisters]),
      ("bus { a { X reg = <0x1000 0x10>; }; };", [.withoutRegisters]),
      (
        "bus { #address-cells = <1>; #size-cells = <1>; ranges = <0x1000 0 0x8000 0x1000>;"
          + " a { X reg = <0x1000 0x10>; }; }; b { reg = <0 0x1000 0 0x10>; };", [.claimed]
      ),
      ("a { X reg = <0 0x10000000 0 0x1001000>; };", [.tooLarge]),
      ("a { X reg = <0 0x10000000 0 0x1000000>; };", [.claimed]),
      ("a { X reg = <0 0x1000 0 0x10>, <0 0x10000000 0 0x1001000>; };", [.tooLarge]),
      // One of its two streams passes no SMMU.
      ("a { compatible = \"v,d\"; reg = <0 0x1000 0 0x10>; iommus = <3 1>; };", [.confined]),
      ("a { compatible = \"v,d\"; reg = <0 0x1000 0 0x10>; iommus = <3 1>, <9 1>; };", [.claimed]),
      ("a { compatible = \"v,d\"; reg = <0 0x1000 0 0x10>; iommu-map = <0 3 0 8>; };", [.confined]),
      ("a { compatible = \"v,d\"; reg = <0 0x1000 0 0x10>; iommu-map = <0 9 0 8>; };", [.bus]),
    ])
  func fates(body: String, expected: [Fate]) throws {
    let source = body.replacing("X", with: "compatible = \"virtio,mmio\";")
    let found = try DescribedTree("\(Self.smmu) \(Self.memory) \(source)").masters()
    #expect(found.fates == expected, "\(body)")
    #expect(found.claimed == expected.count { $0 == .claimed })
    #expect(found.pages.isEmpty == (found.claimed == 0))
  }

  @Test("What doesn't fit into the list of ranges is the host's, and said so")
  func crowd() throws {
    let nodes = (0..<UnconfinedMasters.rangeLimit + 2).map {
      "d@\($0) { compatible = \"virtio,mmio\"; reg = <0 \(0x10000 + $0 * 0x2000) 0 4>; };"
    }
    let found = try DescribedTree(nodes.joined()).masters()
    #expect(found.claimed == UnconfinedMasters.rangeLimit)
    #expect(found.pages.count == UnconfinedMasters.rangeLimit)
    #expect(found.fates.suffix(2) == [.tooLarge, .tooLarge])
    #expect(found.lines.count == 2)
  }
}
