// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Two numbers that tell contents apart: whatever differs, differs in one of them but for chance.
package struct Fingerprint: Hashable, Sendable {
  package private(set) var low: UInt64
  package private(set) var high: UInt64

  /// That of nothing.
  package init() { (low, high) = (0, 0) }

  /// That of words in their order.
  package init(_ words: some Sequence<UInt64>) {
    self.init()
    for word in words { combine(word) }
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ z >> 32) &* 0xd6e8_feb8_6659_fd93
    z = (z ^ z >> 32) &* 0xd6e8_feb8_6659_fd93
    return z ^ z >> 32
  }

  /// Goes on with another word.
  @inline(__always)
  package mutating func combine(_ word: UInt64) {
    low = Self.mix(low ^ word) &+ 0x2545_f491_4f6c_dd1d
    high = Self.mix((high << 29 | high >> 35) &+ word &* 0x9fb2_1c65_1e98_df25) &+ 1
  }

  /// Adds a word at an address to what is a sum over memory, in any order; a zero changes nothing.
  @inline(__always)
  mutating func add(_ address: UInt64, _ value: UInt64) {
    guard value != 0 else { return }
    low &+= Self.mix(Self.mix(value) ^ address)
    high &+= Self.mix(Self.mix(value &+ 0x5bd1_e995) &+ address)
  }

  /// Takes a word out of such a sum.
  @inline(__always)
  mutating func remove(_ address: UInt64, _ value: UInt64) {
    guard value != 0 else { return }
    low &-= Self.mix(Self.mix(value) ^ address)
    high &-= Self.mix(Self.mix(value &+ 0x5bd1_e995) &+ address)
  }
}

/// Sums over memory.
package struct MemorySums: Sendable {
  /// Over all of it.
  var all = Fingerprint()
  /// Over what no canonical form tells otherwise.
  var rest = Fingerprint()

  /// The sums of nothing.
  package init() {}
}
