// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// An entry of the first level of a two-level table (IHI 0069, 5.2.1).
public struct TableFirstLevelEntry: RawRepresentable, Hashable, Sendable {
  /// The doubleword.
  public let rawValue: UInt64
  /// Makes it from the doubleword.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// An entry that points to the page at `page`.
  public init(page: UInt64) { rawValue = 1 << 63 | page & 0x000f_ffff_ffff_f000 }

  /// Valid, bit [63].
  public var isValid: Bool { rawValue & 1 << 63 != 0 }
  /// The page of the second level, bits [51:12]; the low ones must be zero for larger pages.
  public var page: UInt64 { rawValue & 0x000f_ffff_ffff_f000 }
}
