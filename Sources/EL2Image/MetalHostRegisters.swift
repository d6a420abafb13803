// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware
internal import Hypervisor
internal import Traps

/// The host's system registers on the CPU that runs this, one MRS or MSR each.
struct MetalHostRegisters: HostSystemRegisters {
  var features: HostFeatures { MetalPlatform().state.shared.features }

  var elrEL2: UInt64 {
    get { pc_read_elr_el2() }
    nonmutating set { pc_write_elr_el2(newValue) }
  }
  var spsrEL2: UInt64 {
    get { pc_read_spsr_el2() }
    nonmutating set { pc_write_spsr_el2(newValue) }
  }
  var esrEL1: UInt64 {
    get { pc_read_esr_el1() }
    nonmutating set { pc_write_esr_el1(newValue) }
  }
  var farEL1: UInt64 {
    get { pc_read_far_el1() }
    nonmutating set { pc_write_far_el1(newValue) }
  }
  var elrEL1: UInt64 {
    get { pc_read_elr_el1() }
    nonmutating set { pc_write_elr_el1(newValue) }
  }
  var spsrEL1: UInt64 {
    get { pc_read_spsr_el1() }
    nonmutating set { pc_write_spsr_el1(newValue) }
  }
  var vbarEL1: UInt64 { pc_read_vbar_el1() }
  var sctlrEL1: UInt64 { pc_read_sctlr_el1() }
  var sctlr2EL1: UInt64 { pc_read_sctlr2_el1() }
  var tcrEL1: UInt64 { pc_read_tcr_el1() }
  var ttbr0EL1: UInt64 { pc_read_ttbr0_el1() }
  var ttbr1EL1: UInt64 { pc_read_ttbr1_el1() }
}
