// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware
internal import Traps

/// The host's system registers on the CPU that runs this, one MRS or MSR each.
struct MetalHostRegisters: HostSystemRegisters {
  var features: HostFeatures { unsafe StateMemory.shared.pointee.features }

  /// What this CPU implements, from its ID registers.
  static func detectFeatures() -> HostFeatures {
    var features = HostFeatures(rawValue: 0)
    func has(_ register: UInt64, _ shift: UInt64, _ feature: HostFeatures) {
      if register >> shift & 0xf != 0 { features = features.union(feature) }
    }
    has(pc_read_id_aa64mmfr1_el1(), 20, .pan)
    has(pc_read_id_aa64pfr1_el1(), 4, .ssbs)
    has(pc_read_id_aa64pfr1_el1(), 8, .mte)
    has(pc_read_id_aa64pfr1_el1(), 36, .nmi)
    return features
  }

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
  // HCRX_EL2.SCTLR2En stays clear: the register has no effect, and is never asked for.
  var sctlr2EL1: UInt64 { 0 }
  var tcrEL1: UInt64 { pc_read_tcr_el1() }
  var ttbr0EL1: UInt64 { pc_read_ttbr0_el1() }
  var ttbr1EL1: UInt64 { pc_read_ttbr1_el1() }
}
