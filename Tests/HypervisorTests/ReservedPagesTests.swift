// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Testing

@Suite("Memory that EL2 neither reads nor writes for the host") struct ReservedPagesTests {
  private func isReserved(_ base: UInt64, pages: UInt64 = 1, _ tree: DescribedTree) throws -> Bool {
    let range = try #require(
      PageRange(first: PageFrameNumber(containing: PhysicalAddress(base)), count: pages))
    return try tree.reserved().overlaps(range)
  }

  @Test(
    "F-12: `no-map` and the memory reservation block are reserved, and what may be mapped is not")
  func kinds() throws {
    let tree = try DescribedTree(
      """
      memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };
      reserved-memory {
        #address-cells = <2>; #size-cells = <2>; ranges;
        firmware@41000000 { reg = <0 0x41000000 0 0x2800>; no-map; };
        pool@42000000 { compatible = "shared-dma-pool"; reg = <0 0x42000000 0 0x2000>; reusable; };
      };
      """, reserving: "/memreserve/ 0x43000800 0x1000;")
    #expect(try !isReserved(0x40ff_f000, tree))
    #expect(try isReserved(0x4100_0000, tree))
    // To the end of the page that it ends in.
    #expect(try isReserved(0x4100_2000, tree))
    #expect(try !isReserved(0x4100_3000, tree))
    #expect(try !isReserved(0x4200_0000, pages: 2, tree))
    #expect(try isReserved(0x4300_0000, tree))
    #expect(try isReserved(0x4300_1000, tree))
    #expect(try !isReserved(0x4300_2000, tree))
    // One page of many is enough.
    #expect(try isReserved(0x40f0_0000, pages: 0x101, tree))
    #expect(try !isReserved(0x40f0_0000, pages: 0x100, tree))
  }

  @Test("F-12: A reservation for an initial RAM disk ends when the host has read it")
  func module() throws {
    let tree = try DescribedTree(
      """
      memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };
      chosen {
        #address-cells = <2>; #size-cells = <2>;
        module@44000000 {
          compatible = "multiboot,ramdisk", "multiboot,module"; reg = <0 0x44000000 0 0x800000>;
        };
      };
      """, reserving: "/memreserve/ 0x44000000 0x800000; /memreserve/ 0x45000000 0x1000;")
    #expect(try !isReserved(0x4400_0000, tree))
    #expect(try isReserved(0x4500_0000, tree))
  }
}
