// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

/// What GICR_PROPBASER or GICR_PENDBASER makes of the attributes that software writes, found by trying.
///
/// A host reads back whether its tables may be Shareable. It must learn that before LPIs are enabled, and
/// until then the hardware is not told of its tables.
struct AttributeRules: Hashable, Sendable {
  // What each Shareability becomes in bits [7:0], two bits each; each InnerCache in [31:8] and each
  // OuterCache in [55:32], three bits each.
  private var fields: UInt64

  private static var innerCaches: UInt64 { 8 }
  private static var outerCaches: UInt64 { 32 }

  /// Tries the register out with address zero; `access` writes a value and returns what is read back,
  /// nil where the hardware aborts.
  init?(access: (UInt64) -> UInt64?) {
    fields = 0
    for value in 0..<8 as Range<UInt64> {
      guard let inner = access(value << 7), let outer = access(value << 56) else { return nil }
      fields |= (inner >> 7 & 0b111) << (Self.innerCaches + 3 * value)
      fields |= (outer >> 56 & 0b111) << (Self.outerCaches + 3 * value)
    }
    for value in 0..<4 as Range<UInt64> {
      guard let share = access(value << 10) else { return nil }
      fields |= (share >> 10 & 0b11) << (2 * value)
    }
    guard access(0) != nil else { return nil }
  }

  /// The rules of a register that keeps what it is given, or can't be tried out because it is in use.
  init() {
    let caches: UInt64 = 0o7654_3210
    fields = 0b11_10_01_00 | caches << Self.innerCaches | caches << Self.outerCaches
  }

  /// What is read after `value` has been written.
  func readBack(_ value: UInt64) -> UInt64 {
    var result = value & ~GICRTableAttributes.all
    result |= (fields >> (Self.outerCaches + 3 * (value >> 56 & 0b111)) & 0b111) << 56
    result |= (fields >> (2 * (value >> 10 & 0b11)) & 0b11) << 10
    result |= (fields >> (Self.innerCaches + 3 * (value >> 7 & 0b111)) & 0b111) << 7
    return result
  }
}
