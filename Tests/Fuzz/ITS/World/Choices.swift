// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

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
  private var state: UInt64

  /// Begins with `seed`.
  package init(seed: UInt64) {
    // Neighbouring seeds would begin neighbouring parts of one sequence.
    state = seed &* 0xd134_2543_de82_ef95
    state = word() ^ seed
    state = word()
  }

  package var isSpent: Bool { false }

  // SplitMix64.
  @inline(__always)
  package mutating func word() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  @inline(__always)
  package mutating func next(_ bound: UInt64) -> UInt64 {
    bound.multipliedFullWidth(by: word()).high
  }
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
