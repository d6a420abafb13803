// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What a CPU says that it implements: its ID registers, as the host reads them too (Arm ARM DDI 0487,
/// D24.2).
public struct ProcessorIdentity: Equatable, Sendable {
  /// ID_AA64PFR0_EL1.
  public var processorFeature0: UInt64 = 0
  /// ID_AA64PFR1_EL1.
  public var processorFeature1: UInt64 = 0
  /// ID_AA64PFR2_EL1.
  public var processorFeature2: UInt64 = 0
  /// ID_AA64SMFR0_EL1.
  public var matrixFeature0: UInt64 = 0
  /// ID_AA64DFR0_EL1.
  public var debugFeature0: UInt64 = 0
  /// ID_AA64ISAR1_EL1.
  public var instructionSet1: UInt64 = 0
  /// ID_AA64ISAR2_EL1.
  public var instructionSet2: UInt64 = 0
  /// ID_AA64MMFR0_EL1.
  public var memoryModel0: UInt64 = 0
  /// ID_AA64MMFR1_EL1.
  public var memoryModel1: UInt64 = 0
  /// ID_AA64MMFR3_EL1.
  public var memoryModel3: UInt64 = 0

  /// A CPU that has nothing beyond the base architecture.
  public init() {}

  /// The field of 4 bits from `shift` on.
  public static func field(_ register: UInt64, _ shift: UInt64) -> UInt64 {
    register >> shift & 0xf
  }

  /// FEAT_MPAM: the partitions of memory.
  public var hasPartitions: Bool {
    // MPAM, and MPAM_frac for version 0.1.
    Self.field(processorFeature0, 40) != 0 || Self.field(processorFeature1, 16) != 0
  }
  /// The GIC's CPU interface is in system registers, as a GICv3's or GICv4's is.
  public var hasInterruptRegisters: Bool { Self.field(processorFeature0, 24) != 0 }
  /// FEAT_SVE.
  public var hasSVE: Bool { Self.field(processorFeature0, 32) != 0 }
  /// FEAT_SME.
  public var hasSME: Bool { Self.field(processorFeature1, 24) != 0 }
  /// FEAT_HCX: there is HCRX_EL2.
  public var hasExtendedConfiguration: Bool { Self.field(memoryModel1, 40) != 0 }
  /// FEAT_FGT: there are fine-grained traps.
  public var hasFineGrainedTraps: Bool { Self.field(memoryModel0, 56) != 0 }
  /// FEAT_FGT2: there are more of them, in registers of their own.
  public var hasFineGrainedTraps2: Bool { Self.field(memoryModel0, 56) >= 2 }
  /// FEAT_AMUv1: there are activity monitors, with fine-grained traps of their own.
  public var hasActivityMonitors: Bool { Self.field(processorFeature0, 44) != 0 }
  /// FEAT_PMUv3: there are the registers of the performance monitors.
  public var hasPerformanceMonitors: Bool { 1..<0xf ~= Self.field(debugFeature0, 8) }
}
