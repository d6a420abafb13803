// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
  /// Bits `high` to `low`, shifted down; the specification writes them [high:low].
  @inline(__always)
  func bits(_ high: UInt64, _ low: UInt64) -> UInt64 { self >> low & Self.ones(high &- low) }

  /// Bits `high` to `low` where they are.
  @inline(__always)
  func masked(_ high: UInt64, _ low: UInt64) -> UInt64 { self & Self.ones(high &- low) << low }

  /// Whether bit `index` is set.
  @inline(__always)
  func bit(_ index: UInt64) -> Bool { self >> index & 1 != 0 }

  /// Replaces bits `high` to `low` by the low bits of `value`; what is too wide is cut off.
  @inline(__always)
  mutating func set(_ high: UInt64, _ low: UInt64, _ value: UInt64) {
    let mask = Self.ones(high &- low) << low
    self = self & ~mask | value << low & mask
  }

  /// Replaces bits `high` to `low` by the same bits of `value`.
  @inline(__always)
  mutating func setMasked(_ high: UInt64, _ low: UInt64, _ value: UInt64) {
    let mask = Self.ones(high &- low) << low
    self = self & ~mask | value & mask
  }

  /// Replaces bit `index`.
  @inline(__always)
  mutating func set(_ index: UInt64, _ value: Bool) {
    self = value ? self | 1 << index : self & ~(1 << index)
  }

  /// `count` + 1 ones.
  @inline(__always)
  private static func ones(_ count: UInt64) -> UInt64 { ~0 >> (63 &- count) }
}
