// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_CR2 (IHI 0070, 6.3).
public struct SMMUCR2: SMMUBitRegister {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// E2H, bit [0].
  public static var hasEL2Host: Self { Self(rawValue: 1 << 0) }
  /// RECINVSID: C_BAD_STREAMID is recorded, bit [1].
  public static var recordsUnknownStreams: Self { Self(rawValue: 1 << 1) }
  /// PTM: the TLB maintenance of the CPUs is ignored, bit [2].
  public static var ignoresBroadcasts: Self { Self(rawValue: 1 << 2) }
  /// REC_CFG_ATS, bit [3].
  public static var recordsATSConfigurationErrors: Self { Self(rawValue: 1 << 3) }
}
