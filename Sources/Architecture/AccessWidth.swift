// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The width of one load or store.
public enum AccessWidth: UInt8, Sendable {
  // The raw value is ISS.SAS of a data abort: log2 of the bytes (Arm ARM DDI 0487, ESR_EL2).

  /// One byte.
  case byte = 0
  /// A halfword, 16 bits.
  case half = 1
  /// A word, 32 bits.
  case word = 2
  /// A doubleword, 64 bits.
  case double = 3

  /// The width in bytes.
  @inlinable
  public var bytes: UInt64 { 1 << UInt64(rawValue) }
  /// The width in bits.
  @inlinable
  public var bits: UInt64 { bytes * 8 }
  /// As many low bits as the width has.
  @inlinable @inline(__always)
  public var mask: UInt64 { .max &>> (64 &- bits) }
}

/// A set of access widths that a register or a region permits.
///
/// Not an `OptionSet`, whose array literals need a heap.
public struct AccessWidths: Hashable, Sendable {
  /// One bit a width: bit n stands for 2^n bytes.
  public let rawValue: UInt8
  /// Makes a set from its bits.
  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// No width.
  public static var none: AccessWidths { AccessWidths(rawValue: 0) }
  /// 8-bit accesses.
  public static var byte: AccessWidths { AccessWidths(rawValue: 1 << 0) }
  /// 16-bit accesses.
  public static var half: AccessWidths { AccessWidths(rawValue: 1 << 1) }
  /// 32-bit accesses.
  public static var word: AccessWidths { AccessWidths(rawValue: 1 << 2) }
  /// 64-bit accesses.
  public static var double: AccessWidths { AccessWidths(rawValue: 1 << 3) }
  /// Every width.
  public static var all: AccessWidths { AccessWidths(rawValue: 0b1111) }

  /// The widths of either set.
  @inlinable
  public func union(_ other: AccessWidths) -> AccessWidths {
    AccessWidths(rawValue: rawValue | other.rawValue)
  }

  /// Whether accesses of `width` are permitted.
  @inlinable
  public func permits(_ width: AccessWidth) -> Bool { rawValue >> width.rawValue & 1 == 1 }
}
