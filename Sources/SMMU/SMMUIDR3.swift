// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_IDR3: more features (IHI 0070, 6.3).
public struct SMMUIDR3: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// What may be done to a live entry of a table to change the size of what it maps (IHI 0070, 3.21).
  public enum BreakBeforeMake: UInt8, Comparable, Sendable {
    /// The entry is made invalid, and invalidated, in between.
    case required = 0
    /// The entry may be replaced while its bit nT is set.
    case level1 = 1
    /// The entry may be replaced at once; no TLB conflict is reported.
    case level2 = 2

    /// Orders levels by what they allow.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// HAD, bit [2].
  public var canDisableHierarchy: Bool { bits.bit(2) }
  /// PBHA, bit [3].
  public var hasPageBasedAttributes: Bool { bits.bit(3) }
  /// XNX, bit [4].
  public var hasExecuteNeverByLevel: Bool { bits.bit(4) }
  /// PPS: what answers a page request that found no room always says the SubstreamID, bit [5].
  public var answersWithSubstream: Bool { bits.bit(5) }
  /// MPAM, bit [7].
  public var hasPartitioning: Bool { bits.bit(7) }
  /// FWB, bit [8].
  public var canForceWriteBack: Bool { bits.bit(8) }
  /// STT, bit [9].
  public var hasSmallTables: Bool { bits.bit(9) }
  /// RIL: commands that invalidate a range, bit [10].
  public var hasRangeInvalidation: Bool { bits.bit(10) }
  /// BBML, bits [12:11]; a reserved value promises nothing.
  public var breakBeforeMake: BreakBeforeMake {
    BreakBeforeMake(rawValue: UInt8(truncatingIfNeeded: bits.bits(12, 11))) ?? .required
  }
  /// E0PD, bit [13].
  public var canPreventEL0Access: Bool { bits.bit(13) }
  /// PTWNNC, bit [14].
  public var walksAsNormalMemory: Bool { bits.bit(14) }
  /// DPT, bit [15].
  public var hasDevicePermissionTable: Bool { bits.bit(15) }
}
