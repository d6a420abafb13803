// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_IDR5: addresses and granules (IHI 0070, 6.3).
public struct SMMUIDR5: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// OAS, bits [2:0]: the size of output addresses; nil for a reserved value.
  public var outputSize: SMMUAddressSize? {
    SMMUAddressSize(rawValue: UInt8(truncatingIfNeeded: bits.bits(2, 0)))
  }
  /// GRAN4K, bit [4].
  public var hasGranule4K: Bool { bits.bit(4) }
  /// GRAN16K, bit [5].
  public var hasGranule16K: Bool { bits.bit(5) }
  /// GRAN64K, bit [6].
  public var hasGranule64K: Bool { bits.bit(6) }
  /// DS: 52 bits with small granules, bit [7].
  public var hasLargeDescriptors: Bool { bits.bit(7) }
  /// VAX, bits [11:10]: whether virtual addresses have 52 bits instead of 48.
  public var hasVirtualAddress52: Bool { bits.bits(11, 10) == 1 }
  /// STALL_MAX: the most stalled transactions, bits [31:16].
  public var stallLimit: UInt64 { bits.bits(31, 16) }
}
