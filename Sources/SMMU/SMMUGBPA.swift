// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_GBPA: what becomes of transactions while the SMMU translates nothing (IHI 0070, 6.3).
///
/// It is written with `update` set, and only while that reads clear.
public struct SMMUGBPA: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public private(set) var rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// MemAttr, bits [3:0].
  public var memoryType: UInt64 { bits.bits(3, 0) }
  /// MTCFG, bit [4].
  public var replacesType: Bool { bits.bit(4) }
  /// ALLOCCFG, bits [11:8].
  public var allocation: UInt64 { bits.bits(11, 8) }
  /// SHCFG, bits [13:12].
  public var shareability: UInt64 { bits.bits(13, 12) }
  /// PRIVCFG, bits [17:16].
  public var privilege: UInt64 { bits.bits(17, 16) }
  /// INSTCFG, bits [19:18].
  public var instruction: UInt64 { bits.bits(19, 18) }
  /// ABORT, bit [20].
  public var aborts: Bool { bits.bit(20) }
  /// Update, bit [31].
  public var update: Bool { bits.bit(31) }

  /// With ABORT set, and all else as it is.
  public var aborting: Self { Self(rawValue: rawValue | 1 << 20) }
  /// What to write so that this takes effect: with Update set.
  public var updating: Self { Self(rawValue: rawValue | 1 << 31) }
  /// What to write so that every transaction aborts and all else stays.
  public var abortingUpdate: Self { aborting.updating }
}
