// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CEmbedder
internal import Traps

/// The host's system registers, which the embedder reads and writes.
struct EmbedderHostRegisters: HostSystemRegisters {
  let platform: EmbedderPlatform
  let features: HostFeatures

  var elrEL2: UInt64 {
    get { platform.readRegister(PORTCULLIS_ELR_EL2) }
    nonmutating set { platform.writeRegister(PORTCULLIS_ELR_EL2, newValue) }
  }
  var spsrEL2: UInt64 {
    get { platform.readRegister(PORTCULLIS_SPSR_EL2) }
    nonmutating set { platform.writeRegister(PORTCULLIS_SPSR_EL2, newValue) }
  }
  var esrEL1: UInt64 {
    get { platform.readRegister(PORTCULLIS_ESR_EL1) }
    nonmutating set { platform.writeRegister(PORTCULLIS_ESR_EL1, newValue) }
  }
  var farEL1: UInt64 {
    get { platform.readRegister(PORTCULLIS_FAR_EL1) }
    nonmutating set { platform.writeRegister(PORTCULLIS_FAR_EL1, newValue) }
  }
  var elrEL1: UInt64 {
    get { platform.readRegister(PORTCULLIS_ELR_EL1) }
    nonmutating set { platform.writeRegister(PORTCULLIS_ELR_EL1, newValue) }
  }
  var spsrEL1: UInt64 {
    get { platform.readRegister(PORTCULLIS_SPSR_EL1) }
    nonmutating set { platform.writeRegister(PORTCULLIS_SPSR_EL1, newValue) }
  }
  var vbarEL1: UInt64 { platform.readRegister(PORTCULLIS_VBAR_EL1) }
  var sctlrEL1: UInt64 { platform.readRegister(PORTCULLIS_SCTLR_EL1) }
  var sctlr2EL1: UInt64 { platform.readRegister(PORTCULLIS_SCTLR2_EL1) }
  var tcrEL1: UInt64 { platform.readRegister(PORTCULLIS_TCR_EL1) }
  var ttbr0EL1: UInt64 { platform.readRegister(PORTCULLIS_TTBR0_EL1) }
  var ttbr1EL1: UInt64 { platform.readRegister(PORTCULLIS_TTBR1_EL1) }
}
