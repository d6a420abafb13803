// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import Hypervisor
internal import Traps

/// What a CPU is set to before it runs the host at EL1.
struct HostContext {
  /// The host's stage 2.
  private let translation: HostTranslationRegisters

  init(_ translation: HostTranslationRegisters) { self.translation = translation }

  /// Loads everything on the CPU that runs this.
  func load() {
    let identity = ProcessorIdentity.ofThisCPU()
    let counters = identity.hasPerformanceMonitors ? pc_read_pmcr_el0() >> 11 & 0x1f : 0
    let controls = HostControls(for: identity, counters: counters)
    pc_write_vpidr_el2(pc_read_midr_el1())
    pc_write_vmpidr_el2(pc_read_mpidr_el1())
    pc_write_cptr_el2(controls.featureTraps)
    // What follows is reached with the traps of CPTR_EL2 gone.
    pc_isb()
    if identity.hasSVE { pc_write_zcr_el2(controls.vectorLength) }
    if identity.hasSME { pc_write_smcr_el2(controls.streamingControl) }
    pc_write_hstr_el2(0)
    pc_write_mdcr_el2(controls.debug)
    if identity.hasFineGrainedTraps { loadFineGrainedTraps(controls, identity) }
    if identity.hasPartitions { loadPartitions() }
    pc_write_cnthctl_el2(0b11)  // EL1PCTEN, EL1PCEN: the physical counter and timer are the host's
    pc_write_cntvoff_el2(0)
    pc_write_icc_sre_el2(pc_read_icc_sre_el2() | 0b1001)  // SRE, Enable: EL1 may use the registers
    pc_isb()
    pc_write_ich_hcr_el2(0)  // no virtual interrupts, and no traps of the CPU interface
    pc_write_sctlr_el1(0x30d0_0800)  // RES1; MMU and caches off
    MetalPlatform().load(translation)
    if identity.hasExtendedConfiguration { pc_write_hcrx_el2(controls.extendedConfiguration) }
    pc_write_hcr_el2(controls.configuration)
    pc_isb()
    clearRegisters(identity)
    MetalTranslationCache().invalidateStage2All()
  }

  private func clearRegisters(_ identity: ProcessorIdentity) {
    let hasProfiler = ProcessorIdentity.field(identity.debugFeature0, 32) != 0
    let ownsProfiler = hasProfiler && pc_read_pmbidr_el1() >> 4 & 1 == 0
    var next: ClearedRegister? = .tcr2EL1
    while let register = next {
      next = register.next
      guard register.isPresent(on: identity, ownsProfiler: ownsProfiler) else { continue }
      let value = register.value
      switch register {
      case .tcr2EL1: pc_write_tcr2_el1(value)
      case .sctlr2EL1: pc_write_sctlr2_el1(value)
      case .gcscrEL1: pc_write_gcscr_el1(value)
      case .gcscre0EL1: pc_write_gcscre0_el1(value)
      case .trfcrEL2: pc_try_write_trfcr_el2(value)
      case .brbcrEL2: pc_try_write_brbcr_el2(value)
      case .pmscrEL2: pc_try_write_pmscr_el2(value)
      case .cnthpEL2: pc_write_cnthp_ctl_el2(value)
      case .cnthvEL2: pc_write_cnthv_ctl_el2(value)
      case .hacrEL2: pc_write_hacr_el2(value)
      }
    }
  }

  private func loadFineGrainedTraps(_ controls: HostControls, _ identity: ProcessorIdentity) {
    pc_write_hfgrtr_el2(controls.registerTraps)
    pc_write_hfgwtr_el2(controls.registerTraps)
    pc_write_hfgitr_el2(controls.instructionTraps)
    pc_write_hdfgrtr_el2(controls.debugReadTraps)
    pc_write_hdfgwtr_el2(controls.debugWriteTraps)
    if identity.hasActivityMonitors { pc_write_hafgrtr_el2(0) }
    guard identity.hasFineGrainedTraps2 else { return }
    pc_write_hfgrtr2_el2(controls.registerReadTraps2)
    pc_write_hfgwtr2_el2(controls.registerWriteTraps2)
    pc_write_hfgitr2_el2(controls.instructionTraps2)
    pc_write_hdfgrtr2_el2(controls.debugReadTraps2)
    pc_write_hdfgwtr2_el2(controls.debugWriteTraps2)
  }

  /// The partitions of memory are the host's: out of reset they trap.
  private func loadPartitions() {
    pc_write_mpam2_el2(0)
    if pc_read_mpamidr_el1() >> 17 & 1 == 1 { pc_write_mpamhcr_el2(0) }  // HAS_HCR
  }
}
