// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Testing

private func range(_ base: UInt64, _ size: UInt64) -> AddressRange {
  guard let range = AddressRange(base: PhysicalAddress(base), size: size) else {
    fatalError("bad range in a test")
  }
  return range
}

@Suite("Free memory")
struct FreeMemoryTests {
  /// The lowest free base below 256, tried one by one.
  private func model(
    size: UInt64, alignment: UInt64, offset: UInt64, from lowest: UInt64, memory: [AddressRange],
    taken: [AddressRange]
  ) -> AddressRange? {
    for range in memory {
      for base in stride(from: offset % alignment, to: 256, by: UInt64.Stride(alignment))
      where base >= max(lowest, 1) {
        guard let candidate = AddressRange(base: PhysicalAddress(base), size: size) else {
          continue
        }
        if range.contains(candidate), !taken.contains(where: { $0.overlaps(candidate) }) {
          return candidate
        }
      }
    }
    return nil
  }

  @Test("It finds what trying every address finds", arguments: 0..<40 as Range<UInt64>)
  func random(seed: UInt64) {
    var generator = Generator(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
    for _ in 0..<25 {
      let memory = [
        range(.random(in: 0..<100, using: &generator), .random(in: 1...60, using: &generator)),
        range(.random(in: 160..<200, using: &generator), .random(in: 1...50, using: &generator)),
      ]
      let taken = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
        range(.random(in: 0..<250, using: &generator), .random(in: 1...20, using: &generator))
      }
      var free = FreeMemory(taken: taken[0])
      for range in taken.dropFirst() {
        let isTaken = free.take(range)
        #expect(isTaken)
      }
      let size = UInt64.random(in: 1...24, using: &generator)
      let alignment = UInt64(1) << UInt64.random(in: 0...5, using: &generator)
      let offset = UInt64.random(in: 0..<40, using: &generator)
      let lowest = UInt64.random(in: 0..<80, using: &generator)
      let found = free.find(
        size: size, alignment: alignment, offset: offset, from: PhysicalAddress(lowest),
        in: memory.span)
      #expect(
        found
          == model(
            size: size, alignment: alignment, offset: offset, from: lowest, memory: memory,
            taken: taken),
        "size \(size), alignment \(alignment) + \(offset), from \(lowest), \(memory) without \(taken)"
      )
    }
  }

  @Test("It takes as many ranges as it says, and then refuses")
  func capacity() {
    var free = FreeMemory(taken: range(0, 1))
    for number in 1..<UInt64(FreeMemory.capacity) {
      let isTaken = free.take(range(number * 2, 1))
      #expect(isTaken)
    }
    let isTaken = free.take(range(1 << 40, 1))
    #expect(!isTaken)
    let found = free.find(size: 2, alignment: 1, in: [range(1, 1000)].span)
    #expect(found == range(UInt64(FreeMemory.capacity) * 2 - 1, 2))
  }

  @Test("F-42: address 0 is never handed out", arguments: [1, 0x1000, 0x20_0000] as [UInt64])
  func addressZero(alignment: UInt64) {
    let free = FreeMemory(taken: range(0x4000_0000, 0x100_0000))
    let memory = [range(0, 0x8000_0000)]
    let found = free.find(size: 0x1000, alignment: alignment, in: memory.span)
    #expect(found == range(alignment, 0x1000))
    #expect(free.find(size: 1, alignment: 1, in: [range(0, 1)].span) == nil)
  }

  @Test(
    "F-28: a tree lies above the image, as far away as there is room for",
    arguments: [
      // The end of memory, and where the tree is.
      (0x8000_0000, 0x4620_0000), (0x4621_0000, 0x4620_0000), (0x4620_ffff, 0x4420_0000),
      (0x4440_0000, 0x4420_0000), (0x4430_0000, 0x4420_0000), (0x4423_0000, 0x4420_0000),
    ] as [(UInt64, UInt64)])
  func above(end: UInt64, expected: UInt64) {
    let free = FreeMemory(taken: range(0x4200_0000, 0x20_0000))
    let memory = [range(0x4000_0000, end - 0x4000_0000), range(0x9000_0000, 0x1000_0000)]
    let place = free.find(
      size: 0x1_0000, alignment: 0x20_0000, above: range(0x4200_0000, 0x20_0000),
      in: memory.span)
    #expect(place == range(expected, 0x1_0000))
  }

  @Test("F-28: a tree passes what is taken, and stays in the image's piece of memory")
  func aboveTaken() {
    let image = range(0x4200_0000, 0x20_0000)
    var free = FreeMemory(taken: image)
    _ = free.take(range(0x4620_0000, 0x100_0000))
    let piece = [range(0x1_0000_0000, 0x1000_0000), range(0x4000_0000, 0x1000_0000)]
    #expect(
      free.find(size: 0x1000, alignment: 0x20_0000, above: image, in: piece.span)
        == range(0x4720_0000, 0x1000))
    // No room above the image there: anywhere else, and the lowest.
    let full = [range(0x1_0000_0000, 0x1000_0000), range(0x4000_0000, 0x220_0000)]
    #expect(
      free.find(size: 0x1000, alignment: 0x20_0000, above: image, in: full.span)
        == range(0x1_0000_0000, 0x1000))
  }

  @Test("Sizes and alignments at the end of the address space find nothing")
  func extremes() {
    let top = range(.max - 0xfff, 0x1000)
    let free = FreeMemory(taken: range(.max - 0xf, 0x10))
    #expect(free.find(size: .max, alignment: 1 << 63, in: [top].span) == nil)
    #expect(free.find(size: 1, alignment: 1 << 63, in: [top].span) == nil)
    #expect(free.find(size: 0, alignment: 1, in: [top].span) == nil)
    #expect(free.find(size: 0x1000, alignment: 1, in: [top].span) == nil)
    #expect(free.find(size: 0xff0, alignment: 1, in: [top].span) == range(.max - 0xfff, 0xff0))
    #expect(free.find(size: 1, alignment: 1, in: [AddressRange]().span) == nil)
  }
}

/// A generator that gives the same numbers each run (xorshift64*).
private struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_f491_4f6c_dd1d
  }
}
