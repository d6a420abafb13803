// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Hypervisor

/// Words at 0x8000_0000.
final class WordMemory: TableMemory {
  var words: [UInt64]

  init(words: Int) { self.words = Array(repeating: 0, count: words) }

  var range: AddressRange {
    guard
      let range = AddressRange(
        base: PhysicalAddress(0x8000_0000), size: UInt64(words.count) * 8)
    else { fatalError("bad range in a test") }
    return range
  }
  private func index(_ address: PhysicalAddress) -> Int {
    Int(address.rawValue - 0x8000_0000) / 8
  }

  func load(_ address: PhysicalAddress) -> UInt64 { words[index(address)] }
  func store(_ value: UInt64, at address: PhysicalAddress) { words[index(address)] = value }
  func publishTables() {}
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}

@Suite("The canary")
struct CanaryTests {
  private let memory = WordMemory(words: 0x4000)

  @Test("No two words are equal, and none is a valid entry of a table")
  func pattern() {
    Canary(range: memory.range).fill(memory)
    #expect(Set(memory.words).count == 0x4000)
    #expect(memory.words.allSatisfy { $0 & (1 << 63 | 1) == 0 })
  }

  @Test("Each word is watched, in each bit", arguments: [0, 1, 0x1fff, 0x2000, 0x3fff])
  func watched(index: Int) {
    let canary = Canary(range: memory.range)
    canary.fill(memory)
    let address = memory.range.base.rawValue + UInt64(index) * 8
    for bit in 0..<64 {
      memory.words[index] ^= 1 << bit
      #expect(canary.restore(memory) == Canary.Damage(words: 1, first: address))
    }
    #expect(canary.restore(memory) == Canary.Damage(words: 0, first: 0))
  }

  @Test("All words may be gone")
  func gone() {
    let canary = Canary(range: memory.range)
    let damage = canary.restore(memory)
    #expect(damage == Canary.Damage(words: 0x4000, first: memory.range.base.rawValue))
    #expect(canary.restore(memory).words == 0)
  }
}
