// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CEmbedder
internal import Traps

/// The host's system registers: those of EL2 are in the frame of the trap, the others the embedder reads and writes.
///
/// A leaf: the caller of the library vouches for the frame while it is in a function of portcullis.h.
@safe struct EmbedderHostRegisters: HostSystemRegisters {
  let platform: EmbedderPlatform
  let features: HostFeatures
  private let frame: UnsafeMutablePointer<portcullis_frame>

  @unsafe init(
    _ platform: EmbedderPlatform, _ features: HostFeatures,
    _ frame: UnsafeMutablePointer<portcullis_frame>
  ) {
    self.platform = platform
    self.features = features
    unsafe self.frame = frame
  }

  /// X0 to X30.
  var general: RegisterFile {
    // The frame begins with them.
    unsafe RegisterFile(UnsafeMutableRawPointer(frame).assumingMemoryBound(to: UInt64.self))
  }

  var elrEL2: UInt64 {
    get { unsafe frame.pointee.elr }
    nonmutating set { unsafe frame.pointee.elr = newValue }
  }
  var spsrEL2: UInt64 {
    get { unsafe frame.pointee.spsr }
    nonmutating set { unsafe frame.pointee.spsr = newValue }
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
