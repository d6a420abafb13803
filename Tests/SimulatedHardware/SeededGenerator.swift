// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Numbers that look random, from a seed: always the same ones (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
  private var state: UInt64

  /// Begins with a seed.
  package init(seed: UInt64) { state = seed }

  @inline(__always)
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// A number below `bound`, which is at least one.
  @inline(__always)
  package mutating func below(_ bound: UInt64) -> UInt64 {
    bound.multipliedFullWidth(by: next()).high
  }

  /// True in one of `count` cases.
  package mutating func oneIn(_ count: UInt64) -> Bool { below(count) == 0 }
}
