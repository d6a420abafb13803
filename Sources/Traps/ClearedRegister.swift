// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Registers whose value a reset leaves UNKNOWN, and that EL2 sets before the host runs.
///
/// Each belongs to a feature, without which it is UNDEFINED. TCR2_EL2, SCTLR2_EL2 and GCSCR_EL2 change what EL2's own
/// instructions do, and are cleared where the MMU is turned on (CShims/EL2Boot/start.S).
public enum ClearedRegister: UInt8, Hashable, Sendable {
  /// TCR2_EL1, which HCRX_EL2.TCR2En gives the host: FEAT_TCR2.
  case tcr2EL1
  /// SCTLR2_EL1, which HCRX_EL2.SCTLR2En gives the host: FEAT_SCTLR2.
  case sctlr2EL1
  /// GCSCR_EL1, which HCRX_EL2.GCSEn gives the host: FEAT_GCS.
  case gcscrEL1
  /// GCSCRE0_EL1: FEAT_GCS.
  case gcscre0EL1
  /// TRFCR_EL2, which lets a trace unit of the host record EL2: FEAT_TRF.
  case trfcrEL2
  /// BRBCR_EL2, which records EL2's branches for the host to read: FEAT_BRBE.
  case brbcrEL2
  /// PMSCR_EL2, which has the profiler of the host sample EL2: FEAT_SPE, unless another security state owns it.
  case pmscrEL2
  /// CNTHP_CTL_EL2: EL2's timer, whose interrupt would be the host's.
  case cnthpEL2
  /// CNTHV_CTL_EL2: EL2's virtual timer: FEAT_VHE.
  case cnthvEL2
  /// HACR_EL2: traps of the implementation.
  case hacrEL2

  /// The one behind this; nil behind the last.
  public var next: ClearedRegister? { ClearedRegister(rawValue: rawValue + 1) }

  /// Whether a CPU has the register.
  ///
  /// - Parameter ownsProfiler: whether PMBIDR_EL1.P is clear.
  public func isPresent(on identity: ProcessorIdentity, ownsProfiler: Bool) -> Bool {
    func has(_ register: UInt64, _ shift: UInt64) -> Bool {
      ProcessorIdentity.field(register, shift) != 0
    }
    switch self {
    case .tcr2EL1: return has(identity.memoryModel3, 0)
    case .sctlr2EL1: return has(identity.memoryModel3, 4)
    case .gcscrEL1, .gcscre0EL1: return has(identity.processorFeature1, 44)
    case .trfcrEL2: return has(identity.debugFeature0, 40)
    case .brbcrEL2: return has(identity.debugFeature0, 52)
    case .pmscrEL2: return has(identity.debugFeature0, 32) && ownsProfiler
    case .cnthvEL2: return has(identity.memoryModel1, 8)
    case .cnthpEL2, .hacrEL2: return true
    }
  }

  /// What it is set to: zero, but for two fields of PMSCR_EL2.
  ///
  /// Without PA and PCT the host's profiler records neither physical addresses nor the physical counter. E2SPE is
  /// clear: nothing of EL2 is sampled.
  public var value: UInt64 { self == .pmscrEL2 ? 1 << 4 | 1 << 6 : 0 }
}
