// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_STRTAB_BASE: where the stream table is (IHI 0070, 6.3).
public struct StreamTableBase: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// Makes it from its parts; `base` is aligned to the size of the table.
  public init(base: UInt64, allocates: Bool) {
    rawValue = base.masked(51, 6) | (allocates ? 1 << 62 : 0)
  }

  /// ADDR, bits [51:6], as an address.
  public var base: UInt64 { rawValue.masked(51, 6) }
  /// RA, bit [62]: reads allocate in caches.
  public var allocates: Bool { rawValue.bit(62) }
}

/// SMMU_STRTAB_BASE_CFG: the shape of the stream table (IHI 0070, 6.3).
public struct StreamTableShape: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// How many StreamIDs a table of the second level has at most, as log2: FMT's companion SPLIT.
  public enum Split: UInt8, Hashable, Sendable {
    /// 64 entries, 4 KiB.
    case kib4 = 6
    /// 256 entries, 16 KiB.
    case kib16 = 8
    /// 1,024 entries, 64 KiB.
    case kib64 = 10
  }

  /// One table with an entry for each of 2^`log2` StreamIDs.
  public static func linear(log2 size: UInt64) -> Self {
    Self(rawValue: UInt32(truncatingIfNeeded: size.bits(5, 0)))
  }
  /// Two levels for 2^`log2` StreamIDs.
  public static func twoLevel(log2 size: UInt64, _ split: Split) -> Self {
    Self(
      rawValue: UInt32(truncatingIfNeeded: size.bits(5, 0) | UInt64(split.rawValue) << 6 | 1 << 16))
  }

  /// LOG2SIZE, bits [5:0]: log2 of the StreamIDs that the table has entries for.
  public var log2: UInt64 { bits.bits(5, 0) }
  /// SPLIT, bits [10:6]; nil for a reserved value, which is taken as 4 KiB.
  public var split: Split? { Split(rawValue: UInt8(truncatingIfNeeded: bits.bits(10, 6))) }
  /// FMT, bits [17:16]: whether there are two levels; nil for a reserved value.
  public var isTwoLevel: Bool? {
    switch bits.bits(17, 16) {
    case 0: false
    case 1: true
    default: nil
    }
  }
}
