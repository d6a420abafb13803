// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import Hypervisor
import ITS
import Testing

@Suite("The DeviceIDs that a tree lists")
struct ListedDevicesTests {
  /// What is listed for each ITS of a tree.
  private func listed(_ body: String) throws -> [PermittedDevices] {
    let tree = try DescribedTree(
      """
      its0 { compatible = "arm,gic-v3-its"; reg = <0 0x80000 0 0x20000>; msi-controller;
        #msi-cells = <1>; phandle = <1>; };
      its1 { compatible = "arm,gic-v3-its"; reg = <0 0xa0000 0 0x20000>; msi-controller;
        #msi-cells = <1>; phandle = <2>; };
      \(body)
      """)
    return try (0..<2).map { try tree.listed($0) }
  }

  @Test("Maps of buses, parents of devices and of IOMMUs, each at its own ITS")
  func listed() throws {
    let lists = try listed(
      """
      pci { device_type = "pci"; compatible = "pci-host-ecam-generic";
        msi-map = <0 1 0x100 0x80>, <0x80 1 0x180 0x80>, <0x100 2 0 0x100>; };
      smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
        msi-parent = <1 0x400>; phandle = <3>; };
      off { compatible = "arm,smmu-v3"; reg = <0 0x9090000 0 0x20000>; #iommu-cells = <1>;
        msi-parent = <1 0x500>; status = "disabled"; };
      device { compatible = "vendor,device"; iommus = <3 1>; msi-parent = <2 0x7777>; };
      """)
    #expect(lists[0].rangeCount == 2 && lists[1].rangeCount == 2)
    for (id, at) in [
      (0xff, (false, false)), (0x100, (true, false)), (0x1ff, (true, false)),
      (0x200, (false, false)),
      (0x400, (true, false)), (0x500, (false, false)), (0, (false, true)), (0x7777, (false, true)),
      (0x7778, (false, false)),
    ] as [(UInt32, (Bool, Bool))] {
      #expect(lists[0].permits(id) == at.0 && lists[1].permits(id) == at.1 || id == 0xff, "\(id)")
    }
    #expect(!lists[0].permits(0xff) && lists[1].permits(0xff))
  }

  @Test("A board whose tree names no device lists none")
  func empty() throws {
    for list in try listed("") { #expect(list.rangeCount == 0 && !list.permits(0)) }
  }

  @Test(
    "A DeviceID that the tree leaves open can't be listed, nor can more ranges than there is room for"
  )
  func refused() throws {
    for name in ["iommus = <3 1>; ", ""] {
      let open = """
        smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
          phandle = <3>; };
        device { compatible = "vendor,device"; \(name)msi-parent = <1>; };
        """
      #expect(throws: ListedDevicesError.self) { _ = try listed(open) }
    }
    #expect(throws: ListedDevicesError.self) {
      _ = try listed(
        """
        smmu { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>;
          msi-parent = <2>; };
        """)
    }
    for count in [PermittedDevices.capacity, PermittedDevices.capacity + 1] {
      let entries = (0..<count).map { "<\($0 * 2) 1 \($0 * 2) 1>" }.joined(separator: ", ")
      let crowd = "pci { device_type = \"pci\"; msi-map = \(entries); };"
      if count > PermittedDevices.capacity {
        #expect(throws: ListedDevicesError.self) { _ = try listed(crowd) }
      } else {
        #expect(try listed(crowd)[0].rangeCount == count)
      }
    }
  }
}
