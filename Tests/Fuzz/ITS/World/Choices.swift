// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SimulatedHardware

/// Where the choices come from that make up a run.
package protocol Choices {
  /// A number below `bound`, which is at least one.
  mutating func next(_ bound: UInt64) -> UInt64
  /// Any number.
  mutating func word() -> UInt64
  /// Whether there is nothing left to choose with.
  var isSpent: Bool { get }
}

/// Choices from a seed: always the same ones, and without end.
package struct RandomChoices: Choices {
  private var generator: SeededGenerator

  /// Begins with `seed`.
  package init(seed: UInt64) {
    // Neighbouring seeds would begin neighbouring parts of one sequence.
    generator = SeededGenerator(seed: seed &* 0xd134_2543_de82_ef95)
    generator = SeededGenerator(seed: word() ^ seed)
    generator = SeededGenerator(seed: word())
  }

  package var isSpent: Bool { false }

  @inline(__always)
  package mutating func word() -> UInt64 { generator.next() }

  @inline(__always)
  package mutating func next(_ bound: UInt64) -> UInt64 { generator.below(bound) }
}

/// Choices from bytes, as a fuzzer makes them; zeroes when they are spent.
package struct ByteChoices: Choices {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  /// Begins with the first of `bytes`, which outlive the value.
  package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  package var isSpent: Bool { position >= bytes.count }

  private mutating func byte() -> UInt64 {
    guard position < bytes.count else { return 0 }
    position += 1
    return UInt64(bytes[position - 1])
  }

  package mutating func next(_ bound: UInt64) -> UInt64 {
    var value = byte()
    if bound > 256 { value |= byte() << 8 }
    if bound > 1 << 16 { value |= byte() << 16 | byte() << 24 }
    return value % bound
  }

  package mutating func word() -> UInt64 {
    var value: UInt64 = 0
    for _ in 0..<8 { value = value << 8 | byte() }
    return value
  }
}
