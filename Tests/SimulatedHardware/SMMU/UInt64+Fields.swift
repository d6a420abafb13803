// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
  /// Bits `high` to `low`, shifted down; the specification writes them [high:low].
  func field(_ high: UInt64, _ low: UInt64) -> UInt64 { self >> low & Self.ones(high - low + 1) }

  /// Bits `high` to `low` where they are.
  func masked(_ high: UInt64, _ low: UInt64) -> UInt64 { self & Self.ones(high - low + 1) << low }

  /// Whether bit `index` is set.
  func bit(_ index: UInt64) -> Bool { self >> index & 1 != 0 }

  /// Without the low `count` bits.
  func aligned(log2 count: UInt64) -> UInt64 { count >= 64 ? 0 : self & ~Self.ones(count) }

  /// The low `count` bits alone.
  func low(_ count: UInt64) -> UInt64 { self & Self.ones(count) }

  /// `count` ones.
  static func ones(_ count: UInt64) -> UInt64 {
    count == 0 ? 0 : count >= 64 ? .max : (1 << count) - 1
  }
}
