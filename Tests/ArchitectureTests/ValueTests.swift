// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@Suite("Values of the architecture")
struct ValueTests {
  @Test("A fixed list takes what it has room for, and no more")
  func fixedList() {
    var list = FixedList<3, Int>(filler: -1)
    #expect(list.isEmpty && !list.isFull && list.span.count == 0)
    let taken = (0..<4).map { list.append($0) }
    #expect(taken == [true, true, true, false])
    #expect(list.isFull && list.count == 3 && list.indices == 0..<3)
    list[1] = 7
    #expect(list[0] == 0 && list[1] == 7 && list[2] == 2)
    #expect(list.span.count == 3 && list.span[1] == 7)
    let removed = (0..<4).map { _ in list.removeLast() }
    #expect(removed == [2, 7, 0, nil])
    #expect(list.isEmpty)
  }

  @Test("An index of a fixed list beyond its count stops")
  func fixedListBounds() async {
    await #expect(processExitsWith: .failure) {
      var list = FixedList<3, Int>(filler: -1)
      _ = list.append(1)
      print(list[1])
    }
    await #expect(processExitsWith: .failure) {
      var list = FixedList<3, Int>(filler: -1)
      list[0] = 1
    }
  }

  @Test(
    "A width is as many bytes as the syndrome's SAS says",
    arguments: zip([0, 1, 2, 3] as [UInt8], [1, 2, 4, 8] as [UInt64]))
  func widths(sas: UInt8, bytes: UInt64) throws {
    let width = try #require(AccessWidth(rawValue: sas))
    #expect(width.bytes == bytes && width.bits == 8 * bytes)
    let sets: [AccessWidths] = [.byte, .half, .word, .double]
    for (index, set) in sets.enumerated() {
      #expect(set.permits(width) == (index == Int(sas)))
      #expect(set.union(.byte).permits(width) == (index == Int(sas) || sas == 0))
    }
    #expect(AccessWidths.all.permits(width) && !AccessWidths.none.permits(width))
    #expect(AccessWidth(rawValue: 4) == nil)
  }

  @Test("Granules have their sizes")
  func granules() {
    #expect(Granule.kib4.bytes == 4096 && Granule.kib16.bytes == 16384)
    #expect(Granule.kib64.bytes == 65536)
    #expect(Granule(rawValue: 0x2000) == nil)
  }

  @Test("Addresses never wrap, and know their alignment")
  func addresses() {
    #expect(VirtualAddress(.max).advanced(by: 1) == nil)
    #expect(VirtualAddress(.max - 1).advanced(by: 1) == VirtualAddress(.max))
    #expect(PhysicalAddress(0x3000).isAligned(to: 0x1000))
    #expect(!PhysicalAddress(0x3000).isAligned(to: 0x2000))
    #expect(PhysicalAddress(.max).isAligned(to: 1) && PhysicalAddress(0).isAligned(to: 1 << 63))
    #expect(IntermediatePhysicalAddress(0x80).identityMapped == PhysicalAddress(0x80))
    #expect(PhysicalAddress(1) < PhysicalAddress(2))
  }

  @Test("Page frames and ranges of them")
  func pageFrames() throws {
    #expect(PageFrameNumber(containing: PhysicalAddress(0x1fff)) == PageFrameNumber(1))
    #expect(PageFrameNumber(containing: PhysicalAddress(.max)).rawValue == 1 << 52 - 1)
    #expect(PageFrameNumber(3).address == PhysicalAddress(0x3000))
    #expect(PageRange(first: PageFrameNumber(1), count: 0) == nil)
    #expect(PageRange(first: PageFrameNumber(0), count: .max) == nil)
    let a = try #require(PageRange(first: PageFrameNumber(4), count: 4))
    let b = try #require(PageRange(first: PageFrameNumber(7), count: 1))
    let c = try #require(PageRange(first: PageFrameNumber(8), count: 2))
    #expect(a.last == PageFrameNumber(7))
    #expect(a.overlaps(b) && b.overlaps(a) && !a.overlaps(c) && !c.overlaps(a))
    #expect(a.contains(PageFrameNumber(4)) && a.contains(PageFrameNumber(7)))
    #expect(!a.contains(PageFrameNumber(3)) && !a.contains(PageFrameNumber(8)))
  }
}
