// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing
import Trace

/// Words by address; those outside of the ring are missed at once.
private final class Words: TableMemory {
  var words: [UInt64: UInt64] = [:]
  func load(_ address: PhysicalAddress) -> UInt64 { words[address.rawValue] ?? 0 }
  func store(_ value: UInt64, at address: PhysicalAddress) { words[address.rawValue] = value }
  func publishTables() {}
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}

@Suite("The ring of a trace") struct TraceRingTests {
  private let memory = Words()

  private func record(_ number: UInt64) -> TraceRecord {
    TraceRecord(time: number, cpu: 0, its: 0, .target(number))
  }

  private func take(_ ring: inout TraceRing) -> TraceEvent? {
    ring.takeFirst(memory: memory).flatMap { TraceRecord(words: $0)?.event }
  }

  @Test("Records come out in order, any number of times around, and inside the memory")
  func order() {
    var ring = TraceRing(PhysicalAddress(0x1000), size: 8 * 64)
    for number in 0..<100 as Range<UInt64> {
      ring.append(record(number), memory: memory)
      ring.append(record(number + 1000), memory: memory)
      #expect(ring.count == 2)
      #expect(take(&ring) == .target(number))
      #expect(take(&ring) == .target(number + 1000))
    }
    #expect(take(&ring) == nil)
    #expect(memory.words.keys.allSatisfy { (0x1000..<0x1200).contains($0) })
  }

  @Test("What finds no room is counted at the end")
  func full() {
    var ring = TraceRing(PhysicalAddress(0x1000), size: 4 * 64)
    for number in 0..<9 as Range<UInt64> { ring.append(record(number), memory: memory) }
    #expect(ring.count == 3)
    for number in 0..<3 as Range<UInt64> { #expect(take(&ring) == .target(number)) }
    #expect(ring.first(memory: memory).flatMap { TraceRecord(words: $0) }?.time == 3)
    #expect(take(&ring) == .lost(6))
    #expect(take(&ring) == nil)
  }

  @Test("The count of what was lost stands where the gap is")
  func gap() {
    var ring = TraceRing(PhysicalAddress(0x1000), size: 4 * 64)
    for number in 0..<5 as Range<UInt64> { ring.append(record(number), memory: memory) }
    #expect(take(&ring) == .target(0))
    #expect(take(&ring) == .target(1))
    ring.append(record(9), memory: memory)
    #expect(take(&ring) == .target(2))
    #expect(take(&ring) == .lost(2))
    #expect(take(&ring) == .target(9))
    #expect(take(&ring) == nil)
  }
}
