// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_IIDR: who made the SMMU (IHI 0070, 6.3).
public struct SMMUIIDR: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// Implementer: a JEP106 code, bits [11:0].
  public var implementer: UInt64 { bits.bits(11, 0) }
  /// Revision, bits [15:12].
  public var revision: UInt64 { bits.bits(15, 12) }
  /// Variant, bits [19:16].
  public var variant: UInt64 { bits.bits(19, 16) }
  /// ProductID, bits [31:20].
  public var product: UInt64 { bits.bits(31, 20) }
}
