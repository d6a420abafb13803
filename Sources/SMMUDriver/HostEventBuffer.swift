// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// Events that the host is to be told of, until somebody takes them: one page of EL2's memory.
///
/// What finds no room is lost, as in a queue of the hardware.
struct HostEventBuffer: Sendable {
  private static var capacity: UInt64 { 128 }
  private let base: PhysicalAddress
  private var taken: UInt64 = 0
  private var kept: UInt64 = 0
  private var lost: UInt64 = 0

  /// Makes an empty one; nil where the arena is too small.
  init?<Memory: BusMemory>(_ arena: inout SMMUArena, _ memory: Memory) {
    guard let base = arena.take(Self.capacity * SMMUEvent.size, memory) else { return nil }
    self.base = base
  }

  private func place(_ index: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ index % Self.capacity &* SMMUEvent.size)
  }

  /// Keeps an event; false where there is no room.
  mutating func append<Memory: BusMemory>(_ event: SMMUEvent, _ memory: Memory) -> Bool {
    guard kept &- taken < Self.capacity else {
      noteLoss()
      return false
    }
    memory.store4(event.word0, event.word1, event.word2, event.word3, at: place(kept))
    kept &+= 1
    return true
  }

  /// Counts a loss, here or on the way.
  mutating func noteLoss() { lost &+= 1 }

  /// How many losses there were since somebody asked last.
  mutating func takeLosses() -> UInt64 {
    defer { lost = 0 }
    return lost
  }

  /// Takes the oldest.
  mutating func takeFirst<Memory: BusMemory>(_ memory: Memory) -> SMMUEvent? {
    guard taken != kept else { return nil }
    let words = memory.load4(place(taken))
    taken &+= 1
    return SMMUEvent(words.0, words.1, words.2, words.3)
  }
}
