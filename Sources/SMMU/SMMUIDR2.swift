// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_IDR2: where the page of VATOS is (IHI 0070, 6.3).
public struct SMMUIDR2: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// BA_VATOS: in units of 64 KiB, bits [9:0].
  public var translationPage: UInt64 { bits.bits(9, 0) }
}
