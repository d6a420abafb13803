// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Testing

@testable import Boards

private func range(_ base: UInt64, _ size: UInt64) -> AddressRange {
  guard let range = AddressRange(base: PhysicalAddress(base), size: size) else {
    fatalError("bad range in a test")
  }
  return range
}

private let mib: UInt64 = 1 << 20

@Suite("Memory of the host")
struct HostMemoryMapTests {
  private func memory(
    _ ranges: [AddressRange], image: AddressRange, modules: [AddressRange] = []
  ) -> (withheld: AddressRange, pieces: [AddressRange]) {
    var board = Board(granule: .kib4)
    for range in ranges { _ = board.memory.append(range) }
    for range in modules {
      _ = board.modules.append(
        BootModule(kind: .kernel, node: .root, range: range, bootArguments: nil))
    }
    let memory = HostMemoryMap(board, image: image)
    return (memory.withheld[0], memory.pieces.indices.map { memory.pieces[$0] })
  }

  @Test(
    "F-29: a small piece below or above the image is withheld, a larger one is not",
    arguments: [0, 2, 15, 16, 130] as [UInt64], [0, 2, 15, 16, 130] as [UInt64])
  func pieces(below: UInt64, above: UInt64) {
    let start = 0x4000_0000 as UInt64
    let image = range(start + below * mib, 24 * mib)
    let end = start + (below + 24 + above) * mib
    let other = range(0x1_0000_0000, 256 * mib)
    let (withheld, pieces) = memory([range(start, end - start), other], image: image)
    var expected: [AddressRange] = []
    if below >= 16 { expected.append(range(start, below * mib)) }
    if above >= 16 { expected.append(range(end - above * mib, above * mib)) }
    #expect(pieces == expected + [other])
    let first = below < 16 ? start : image.base.rawValue
    let last = above < 16 ? end : image.last.rawValue + 1
    #expect(withheld == range(first, last - first))
  }

  @Test("F-29: the largest piece is the host's, however small it is")
  func smallBoard() {
    let image = range(0x20_0000, 24 * mib)
    let (withheld, pieces) = memory([range(0, 32 * mib)], image: image)
    #expect(withheld == range(0, 26 * mib))
    #expect(pieces == [range(26 * mib, 6 * mib)])
  }

  @Test("F-29: a piece with a boot module stays, and so does one that does not adjoin the image")
  func kept() {
    let image = range(0x4020_0000, 24 * mib)
    let ranges = [range(0x3000_0000, mib), range(0x4000_0000, 1024 * mib)]
    let module = range(0x401f_f000, 0x1000)
    let (withheld, pieces) = memory(ranges, image: image, modules: [module])
    #expect(withheld == image)
    #expect(pieces == [ranges[0], range(0x4000_0000, 2 * mib), range(0x41a0_0000, 998 * mib)])
  }

  @Test("What EL2 takes beside its image is withheld, in one with the image where it adjoins it")
  func further() {
    var board = Board(granule: .kib4)
    _ = board.memory.append(range(0x4000_0000, 1024 * mib))
    let image = range(0x4020_0000, 12 * mib)
    func map(_ further: AddressRange) -> (withheld: [AddressRange], pieces: [AddressRange]) {
      let map = HostMemoryMap(board, image: image, beside: further)
      return (
        map.withheld.indices.map { map.withheld[$0] }, map.pieces.indices.map { map.pieces[$0] }
      )
    }
    let beside = map(range(0x40e0_0000, 8 * mib))
    #expect(beside.withheld == [range(0x4000_0000, 22 * mib)])
    #expect(beside.pieces == [range(0x4160_0000, 1002 * mib)])
    let apart = map(range(0x5000_0000, 8 * mib))
    #expect(apart.withheld == [range(0x4000_0000, 14 * mib), range(0x5000_0000, 8 * mib)])
    #expect(apart.pieces == [range(0x40e0_0000, 242 * mib), range(0x5080_0000, 760 * mib)])
  }

  @Test("F-29: a piece that does not begin on a page is not withheld: a tree is cut in pages")
  func partOfPage() {
    let image = range(0x4020_0000, 24 * mib)
    let (withheld, pieces) = memory([range(0x4000_0800, 1024 * mib)], image: image)
    #expect(withheld == image && pieces.count == 2)
  }

  @Test("F-29: a small piece beside EL2's further memory is withheld, and so is one between both")
  func furtherMemory() {
    let image = range(0x5020_0000, 24 * mib)
    var board = Board(granule: .kib4)
    _ = board.memory.append(range(0x4000_0000, 1024 * mib))
    let apart = HostMemoryMap(board, image: image, beside: range(0x4012_0000, 8 * mib))
    #expect(
      apart.withheld.indices.map { apart.withheld[$0] } == [image, range(0x4000_0000, 0x92_0000)])
    let beside = HostMemoryMap(board, image: image, beside: range(0x51b0_0000, 8 * mib))
    #expect(beside.withheld.indices.map { beside.withheld[$0] } == [range(0x5020_0000, 33 * mib)])
  }
}
