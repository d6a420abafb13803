// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The architectural features that change what an exception to EL1 does to the processor state.
///
/// Detected once at boot from the ID registers, as the host sees them.
public struct HostFeatures: Hashable, Sendable {
  /// One bit a feature.
  public let rawValue: UInt8
  /// Makes a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// None of them.
  public static var none: HostFeatures { HostFeatures(rawValue: 0) }
  /// FEAT_PAN: ID_AA64MMFR1_EL1.PAN is not zero.
  public static var pan: HostFeatures { HostFeatures(rawValue: 1 << 0) }
  /// FEAT_SSBS: ID_AA64PFR1_EL1.SSBS is not zero.
  public static var ssbs: HostFeatures { HostFeatures(rawValue: 1 << 1) }
  /// FEAT_MTE: ID_AA64PFR1_EL1.MTE is not zero.
  public static var mte: HostFeatures { HostFeatures(rawValue: 1 << 2) }
  /// FEAT_NMI: ID_AA64PFR1_EL1.NMI is not zero.
  public static var nmi: HostFeatures { HostFeatures(rawValue: 1 << 3) }
  /// FEAT_DoubleFault2 with SCTLR2_EL1 given to the host (HCRX_EL2.SCTLR2En is set).
  ///
  /// Without SCTLR2En the register has no effect and this must be left out.
  public static var doubleFault2: HostFeatures { HostFeatures(rawValue: 1 << 4) }

  /// The features of a CPU whose SCTLR2_EL1, if it has one, is given to the host.
  public init(of identity: ProcessorIdentity) {
    var features = HostFeatures.none
    func has(_ register: UInt64, _ shift: UInt64, _ feature: HostFeatures) {
      if ProcessorIdentity.field(register, shift) != 0 { features.insert(feature) }
    }
    has(identity.memoryModel1, 20, .pan)
    has(identity.processorFeature1, 4, .ssbs)
    has(identity.processorFeature1, 8, .mte)
    has(identity.processorFeature1, 36, .nmi)
    // Without SCTLR2_EL1 there is nothing to ask.
    if ProcessorIdentity.field(identity.memoryModel3, 4) != 0 {
      has(identity.processorFeature1, 56, .doubleFault2)
    }
    self = features
  }

  /// Adds `other`.
  public mutating func insert(_ other: HostFeatures) { self = union(other) }
  /// The features of either set.
  public func union(_ other: HostFeatures) -> HostFeatures {
    HostFeatures(rawValue: rawValue | other.rawValue)
  }
  /// Whether all of `other` is there.
  public func contains(_ other: HostFeatures) -> Bool {
    rawValue & other.rawValue == other.rawValue
  }
}
