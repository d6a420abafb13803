// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A register of bits that are set and clear one by one.
///
/// Not an `OptionSet`, whose array literals need a heap.
public protocol SMMUBitRegister: RawRepresentable, Hashable, Sendable where RawValue == UInt32 {
  /// Makes it from the register's value.
  init(rawValue: UInt32)
}

extension SMMUBitRegister {
  /// Whether all bits of `other` are set.
  public func contains(_ other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }
  /// With the bits of `other` set, too.
  public func union(_ other: Self) -> Self { Self(rawValue: rawValue | other.rawValue) }
  /// With the bits of `other` clear.
  public func subtracting(_ other: Self) -> Self { Self(rawValue: rawValue & ~other.rawValue) }
}
