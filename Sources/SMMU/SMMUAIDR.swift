// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_AIDR: the version of the architecture (IHI 0070, 6.3).
public struct SMMUAIDR: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// ArchMinorRev: 3 is SMMUv3.3, bits [3:0].
  public var minor: UInt64 { bits.bits(3, 0) }
  /// ArchMajorRev: 0 is SMMUv3, bits [7:4].
  public var major: UInt64 { bits.bits(7, 4) }
}
