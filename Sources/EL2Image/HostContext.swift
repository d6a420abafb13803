// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware

/// What a CPU is set to before it runs the host at EL1.
struct HostContext {
  /// VTTBR_EL2: the host's stage 2, VMID 0.
  let translationBase: UInt64
  /// VTCR_EL2.
  let translationControl: UInt64

  /// HCR_EL2 (Arm ARM DDI 0487, D19.2.48) with E2H clear.
  private static func configuration() -> UInt64 {
    var value: UInt64 = 1 << 0  // VM: stage 2
    value |= 1 << 1  // SWIO: set/way invalidation also cleans, or the host could drop EL2's stores
    value |= 1 << 19  // TSC: SMC traps
    value |= 1 << 31  // RW: EL1 is AArch64
    value |= 1 << 40 | 1 << 41  // APK, API: pointer authentication is the host's
    // Not set: IMO, FMO and AMO, so that interrupts and SErrors go straight to the host.
    if pc_read_id_aa64pfr1_el1() >> 8 & 0xf >= 2 { value |= 1 << 56 }  // ATA: tags are the host's
    return value
  }

  /// CPTR_EL2: FP, Advanced SIMD and SVE are the host's; RES1 bits as without SVE or SME.
  private static func featureTraps() -> UInt64 {
    let hasSVE = pc_read_id_aa64pfr0_el1() >> 32 & 0xf != 0
    let hasSME = pc_read_id_aa64pfr1_el1() >> 24 & 0xf != 0
    var value: UInt64 = 0x33ff
    if hasSVE { value &= ~(1 << 8) }  // TZ
    if hasSME { value &= ~(1 << 12) }  // TSM
    return value
  }

  /// Loads the host's stage 2, which TLB maintenance needs to know its VMID.
  func loadTranslation() {
    pc_write_vtcr_el2(translationControl)
    pc_write_vttbr_el2(translationBase)
    pc_isb()
  }

  /// Loads everything on the CPU that runs this.
  func load() {
    pc_write_vpidr_el2(pc_read_midr_el1())
    pc_write_vmpidr_el2(pc_read_mpidr_el1())
    pc_write_cptr_el2(Self.featureTraps())
    pc_write_hstr_el2(0)
    pc_write_mdcr_el2(pc_read_pmcr_el0() >> 11 & 0x1f)  // HPMN: all counters are the host's
    pc_write_cnthctl_el2(0b11)  // EL1PCTEN, EL1PCEN: the physical counter and timer are the host's
    pc_write_cntvoff_el2(0)
    pc_write_icc_sre_el2(pc_read_icc_sre_el2() | 0b1001)  // SRE, Enable: EL1 may use the registers
    pc_write_sctlr_el1(0x30d0_0800)  // RES1; MMU and caches off
    loadTranslation()
    pc_write_hcr_el2(Self.configuration())
    pc_isb()
    MetalTranslationCache().invalidateStage2All()
  }
}
