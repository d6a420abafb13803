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
    size: UInt64, alignment: UInt64, memory: [AddressRange], taken: [AddressRange]
  ) -> AddressRange? {
    for range in memory {
      for base in stride(from: UInt64(0), to: 256, by: UInt64.Stride(alignment)) {
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
      let found = free.find(size: size, alignment: alignment, in: memory.span)
      #expect(
        found == model(size: size, alignment: alignment, memory: memory, taken: taken),
        "size \(size), alignment \(alignment), \(memory) without \(taken)")
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
    let found = free.find(size: 2, alignment: 1, in: [range(0, 1000)].span)
    #expect(found == range(UInt64(FreeMemory.capacity) * 2 - 1, 2))
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
