// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import Hypervisor
internal import Traps
internal import UEFI

extension FirmwareRegisters {
  /// Those of the CPU that runs this, at EL2 in the firmware's translation.
  static func ofThisCPU() -> FirmwareRegisters {
    let identity = ProcessorIdentity.ofThisCPU()
    // A CPU has these of EL2 where it has those of EL1.
    func read(_ register: ClearedRegister, _ value: @autoclosure () -> UInt64) -> UInt64 {
      register.isPresent(on: identity, ownsProfiler: false) ? value() : 0
    }
    return FirmwareRegisters(
      tableBase: pc_read_ttbr0_el2(), translationControl: pc_read_tcr_el2(),
      memoryAttributes: pc_read_mair_el2(), systemControl: pc_read_sctlr_el2(),
      configuration: pc_read_hcr_el2(),
      timerControl: pc_read_cnthp_ctl_el2(), stackSelect: pc_read_spsel(),
      extendedTranslation: read(.tcr2EL1, pc_read_tcr2_el2()),
      extendedControl: read(.sctlr2EL1, pc_read_sctlr2_el2()),
      guardedStacks: read(.gcscrEL1, pc_read_gcscr_el2()))
  }
}

extension BootSource {
  /// Who has started this image: `tree` is what a boot loader leaves in x0.
  static func ofThisImage(tree: UInt64) -> BootSource {
    let noted = el2_efi_noted()
    guard let block = AddressRange(base: PhysicalAddress(noted.block), size: noted.size) else {
      return .loader(tree: PhysicalAddress(tree))
    }
    return .firmware(
      Firmware(
        block: block, landing: PhysicalAddress(noted.landing),
        registers: FirmwareRegisters(
          tableBase: noted.ttbr0, translationControl: noted.tcr, memoryAttributes: noted.mair,
          systemControl: noted.sctlr, configuration: noted.hcr,
          timerControl: pc_read_cnthp_ctl_el2(),
          // The application has refused other values, and the copy has changed the stack and cleared the rest.
          stackSelect: 1, extendedTranslation: 0, extendedControl: 0, guardedStacks: 0)))
  }
}

extension FirmwareRegime {
  /// Gives EL1 what the firmware had at EL2, on the CPU that it runs on, behind what every host is given.
  func load() {
    let noted = el2_efi_noted()
    pc_write_ttbr0_el1(tableBase)
    pc_write_ttbr1_el1(0)
    pc_write_tcr_el1(translationControl)
    pc_write_mair_el1(noted.mair)
    pc_write_amair_el1(noted.amair)
    pc_write_vbar_el1(noted.vbar)
    pc_write_tpidr_el1(noted.tpidr)
    pc_write_sp_el1(noted.sp)
    pc_write_cpacr_el1(0b11 << 20)  // FPEN; what else the firmware uses it enables as EL1 does
    pc_write_icc_sre_el1(0b111)  // SRE, DFB, DIB: the firmware has used the registers at EL2
    // The virtual counter loses its distance to the physical one, and the timer that waits for it goes along.
    pc_write_cntv_cval_el0(pc_read_cntv_cval_el0() &+ noted.cntvoff)
    pc_isb()
    pc_write_sctlr_el1(systemControl)
    pc_isb()
  }
}
