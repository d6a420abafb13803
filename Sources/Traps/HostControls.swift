// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The values of EL2's registers that say what of the host's own instructions traps: everything that the
/// CPU tells the host that it has works as without EL2, and stage 2 and the SMC are all that stands in
/// the host's way.
///
/// With HCR_EL2.E2H clear. Many of these controls trap where they are zero, which is what the newest
/// firmware that does not know them leaves, so that each feature has its line here. Source: Arm ARM
/// DDI 0487, D24.2, under the names of the registers.
public struct HostControls: Equatable, Sendable {
  /// HCR_EL2.
  public let configuration: UInt64
  /// HCRX_EL2; of use where there is one.
  public let extendedConfiguration: UInt64
  /// CPTR_EL2.
  public let featureTraps: UInt64
  /// MDCR_EL2.
  public let debug: UInt64
  /// HFGRTR_EL2 and HFGWTR_EL2; of use where there are fine-grained traps, as the next three.
  public let registerTraps: UInt64
  /// HFGITR_EL2.
  public let instructionTraps: UInt64
  /// HDFGRTR_EL2.
  public let debugReadTraps: UInt64
  /// HDFGWTR_EL2.
  public let debugWriteTraps: UInt64
  /// HFGRTR2_EL2; of use where there are fine-grained traps of version 2, as the next four.
  public let registerReadTraps2: UInt64
  /// HFGWTR2_EL2.
  public let registerWriteTraps2: UInt64
  /// HFGITR2_EL2.
  public let instructionTraps2: UInt64
  /// HDFGRTR2_EL2.
  public let debugReadTraps2: UInt64
  /// HDFGWTR2_EL2.
  public let debugWriteTraps2: UInt64
  /// ZCR_EL2; of use where there is SVE.
  public let vectorLength: UInt64
  /// SMCR_EL2; of use where there is SME.
  public let streamingControl: UInt64

  /// The values for a CPU.
  ///
  /// - Parameters:
  ///   - identity: what the CPU implements.
  ///   - counters: how many event counters it has (PMCR_EL0.N).
  public init(for identity: ProcessorIdentity, counters: UInt64) {
    configuration = Self.configuration(identity)
    extendedConfiguration = Self.extendedConfiguration(identity)
    featureTraps = Self.featureTraps(identity)
    debug = Self.debug(identity, counters: counters)
    // Only the bits whose names begin with n, which trap where they are zero; a bit of a feature that
    // the CPU has not is reserved and has no effect.
    registerTraps = 0xfff4 << 48  // nAMAIR2_EL1 to nGCS_EL0, nACCDATA_EL1
    instructionTraps = 0b1_1111 << 55  // nGCSEPP to nBRBINJ
    debugReadTraps = 0b1111 << 59  // nPMSNEVFR_EL1, nBRBDATA, nBRBCTL, nBRBIDR
    debugWriteTraps = 0b111 << 60  // nPMSNEVFR_EL1, nBRBDATA, nBRBCTL
    registerReadTraps2 = 0x7fff  // nPFAR_EL1 to nACTLRALIAS_EL1
    registerWriteTraps2 = registerReadTraps2 & ~(1 << 1)  // nERXGSR_EL1 is read alone
    instructionTraps2 = 1 << 1  // nDCCIVAPS
    let debugTraps2: UInt64 = 0x1c0_0000 | 0x1f_ffff  // nPMECR_EL1 to nPMBMAR_EL1
    debugReadTraps2 = debugTraps2
    // nPMSSDATA, nSPMID and nSPMDEVAFF_EL1 are read alone, nPMZR_EL0 is written alone.
    debugWriteTraps2 = debugTraps2 & ~(1 << 6 | 0b11 << 17) | 1 << 21
    vectorLength = 0xf  // LEN: as long as the CPU has them
    streamingControl = Self.streamingControl(identity)
  }

  private static func configuration(_ identity: ProcessorIdentity) -> UInt64 {
    func field(_ register: UInt64, _ shift: UInt64) -> UInt64 {
      ProcessorIdentity.field(register, shift)
    }
    var value: UInt64 = 1 << 0  // VM: stage 2
    value |= 1 << 1  // SWIO: set/way invalidation also cleans, or the host could drop EL2's stores
    value |= 1 << 19  // TSC: SMC traps
    value |= 1 << 31  // RW: EL1 is AArch64
    value |= 1 << 40 | 1 << 41  // APK, API: pointer authentication is the host's
    // Not set: IMO, FMO and AMO, so that interrupts and SErrors go straight to the host.
    // Nor FIEN: who injects errors into the hardware isn't the host. Linux does not.
    // EnSCXT, the context numbers of software: CSV2, and CSV2_frac for version 1.2.
    if field(identity.processorFeature0, 56) >= 2 || field(identity.processorFeature1, 32) >= 2 {
      value |= 1 << 53
    }
    if field(identity.processorFeature1, 8) >= 2 { value |= 1 << 56 }  // ATA: MTE's tags
    return value
  }

  private static func extendedConfiguration(_ identity: ProcessorIdentity) -> UInt64 {
    var value: UInt64 = 0
    func enable(_ bit: UInt64, _ register: UInt64, _ shift: UInt64, from version: UInt64 = 1) {
      if ProcessorIdentity.field(register, shift) >= version { value |= 1 << bit }
    }
    enable(0, identity.instructionSet1, 60, from: 3)  // EnAS0: ST64BV0, LS64
    enable(1, identity.instructionSet1, 60)  // EnALS: LD64B and ST64B, LS64
    enable(2, identity.instructionSet1, 60, from: 2)  // EnASR: ST64BV, LS64
    enable(11, identity.instructionSet2, 16)  // MSCEn: memory copies, MOPS
    enable(14, identity.memoryModel3, 0)  // TCR2En: TCRX
    enable(15, identity.memoryModel3, 4)  // SCTLR2En: SCTLRX
    enable(17, identity.memoryModel3, 32)  // D128En: D128
    enable(21, identity.instructionSet2, 32)  // EnIDCP128: SYSREG_128
    enable(22, identity.processorFeature1, 44)  // GCSEn: GCS
    enable(23, identity.processorFeature2, 32)  // EnFPM: FPMR
    return value
  }

  /// FP, Advanced SIMD, SVE and SME are the host's; RES1 bits as without SVE or SME.
  private static func featureTraps(_ identity: ProcessorIdentity) -> UInt64 {
    var value: UInt64 = 0x33ff
    if identity.hasSVE { value &= ~(1 << 8) }  // TZ
    if identity.hasSME { value &= ~(1 << 12) }  // TSM
    return value
  }

  private static func debug(_ identity: ProcessorIdentity, counters: UInt64) -> UInt64 {
    var value: UInt64 = 0
    if identity.hasPerformanceMonitors { value |= counters & 0x1f }  // HPMN: all are the host's
    // SPE and TRBE write their buffers to addresses of the host, through its stage 2.
    if ProcessorIdentity.field(identity.debugFeature0, 32) != 0 { value |= 0b11 << 12 }  // E2PB
    if ProcessorIdentity.field(identity.debugFeature0, 44) != 0 { value |= 0b11 << 24 }  // E2TB
    return value
  }

  private static func streamingControl(_ identity: ProcessorIdentity) -> UInt64 {
    var value: UInt64 = 0xf  // LEN: as long as the CPU has them
    if identity.matrixFeature0 >> 63 & 1 == 1 { value |= 1 << 31 }  // FA64: all instructions
    if ProcessorIdentity.field(identity.matrixFeature0, 56) != 0 { value |= 1 << 30 }  // EZT0: SME2
    return value
  }
}
