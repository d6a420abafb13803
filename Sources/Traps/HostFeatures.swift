// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The architectural features that change what an exception to EL1 does to the processor state.
///
/// Detected once at boot from the ID registers, as the host sees them.
public struct HostFeatures: OptionSet, Sendable {
  /// One bit a feature.
  public let rawValue: UInt8
  /// Makes a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// FEAT_PAN: ID_AA64MMFR1_EL1.PAN is not zero.
  public static let pan = HostFeatures(rawValue: 1 << 0)
  /// FEAT_SSBS: ID_AA64PFR1_EL1.SSBS is not zero.
  public static let ssbs = HostFeatures(rawValue: 1 << 1)
  /// FEAT_MTE: ID_AA64PFR1_EL1.MTE is not zero.
  public static let mte = HostFeatures(rawValue: 1 << 2)
  /// FEAT_NMI: ID_AA64PFR1_EL1.NMI is not zero.
  public static let nmi = HostFeatures(rawValue: 1 << 3)
  /// FEAT_DoubleFault2 with SCTLR2_EL1 given to the host (HCRX_EL2.SCTLR2En is set).
  ///
  /// Without SCTLR2En the register has no effect and this must be left out.
  public static let doubleFault2 = HostFeatures(rawValue: 1 << 4)
}
