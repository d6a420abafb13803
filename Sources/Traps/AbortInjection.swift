// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension Abort {
  /// Answers the host's access with a synchronous external abort, as the architecture takes it.
  ///
  /// The registers are what AArch64.TakeException (Arm ARM DDI 0487, J1.1) leaves for an exception
  /// from the interrupted state to EL1; the host then continues at its vector.
  ///
  /// - A fault of the host's own stage-1 walk becomes an external abort on a translation table walk.
  /// - An external abort that hardware itself reported keeps its status.
  /// - Everything else becomes an external abort that is not on a walk.
  ///
  /// EL1 is AArch64 (HCR_EL2.RW); EL0 may be AArch32. Not modelled, because the host isn't given
  /// them: PM, PPEND, EXLOCK and PACM of SPSR bits [35:32], and the syndrome and levels of FEAT_D128.
  @inline(never)
  public func inject<Host: HostSystemRegisters & ~Copyable>(into host: borrowing Host) {
    let state = ProcessorState(rawValue: host.spsrEL2)
    let control = host.sctlrEL1

    host.esrEL1 = el1Syndrome(from: state, host)
    host.farEL1 = faultAddress
    host.elrEL1 = host.elrEL2
    host.spsrEL1 = state.rawValue

    var offset = state.vectorOffset
    // SCTLR2_EL1.EASE, bit [3], sends synchronous external aborts to the vector of SError.
    if host.features.contains(.doubleFault2), host.sctlr2EL1.bit(3) { offset += 0x180 }
    // Bits [10:0] of VBAR_EL1 are RES0, so that the offset never carries.
    host.elrEL2 = host.vbarEL1 & ~0x7ff | offset
    host.spsrEL2 = el1State(from: state, control, host.features)
  }

  /// ESR_EL1 of the abort (Arm ARM DDI 0487, AArch64.FaultSyndrome and AArch64.ReportException).
  private func el1Syndrome<Host: HostSystemRegisters & ~Copyable>(
    from state: ProcessorState, _ host: borrowing Host
  ) -> UInt64 {
    let abortClass: ExceptionClass =
      switch (isInstructionFetch, state.isEL0) {
      case (true, true): .instructionAbortLower
      case (true, false): .instructionAbortSame
      case (false, true): .dataAbortLower
      case (false, false): .dataAbortSame
      }
    // ISV is zero, for only aborts to EL2 from stage 2 describe the access. With ISV zero IL is one
    // whatever the size of the instruction; it is always one for an instruction abort.
    var syndrome = UInt64(abortClass.rawValue) << 26 | 1 << 25
    if !isInstructionFetch {
      // CM and WnR describe the instruction, and hold at EL1 as they do at EL2.
      syndrome |= maintenanceAndWrite
    }
    switch data.status.kind {
    case _ where isStage1Walk:
      let level = stage1WalkLevel(
        address: faultAddress, descriptorPage: Self.page(faultPage), tcr: host.tcrEL1,
        ttbr0: host.ttbr0EL1, ttbr1: host.ttbr1EL1)
      // S1PTW itself is RES0 outside a stage-2 fault.
      return syndrome | UInt64(FaultStatus.externalAbortOnWalk(level: level).rawValue)
    case .externalAbort, .externalAbortOnWalk:
      // SET, FnV, EA and the status.
      return syndrome | self.syndrome.rawValue & 0x1e3f
    case .addressSize, .translation, .accessFlag, .permission, .other:
      // EA is zero: its meaning is implementation defined, and zero claims nothing. FnV is zero: the
      // stage-2 fault gave a valid FAR_EL2.
      return syndrome | UInt64(FaultStatus.externalAbort.rawValue)
    }
  }

  /// CM and WnR, bits [8] and [6], in their places.
  private var maintenanceAndWrite: UInt64 { syndrome.rawValue & (1 << 8 | 1 << 6) }

  /// PSTATE at EL1's vector, as SPSR_EL2 holds it.
  private func el1State(
    from state: ProcessorState, _ control: UInt64, _ features: HostFeatures
  ) -> UInt64 {
    // Kept: the condition flags, DIT and PAN. Cleared: UAO, SS, IL, BTYPE, and with AArch32 IT and T.
    var result = state.rawValue & ProcessorState.conditionFlags
    result |= state.rawValue & ProcessorState.dataIndependentTiming
    result |= ProcessorState.exceptionMasks | ProcessorState.el1h
    if features.contains(.pan) {
      // SCTLR_EL1.SPAN, bit [23]: zero sets PAN on an exception to EL1.
      let unchanged = control.bit(23)
      result |=
        unchanged
        ? state.rawValue & ProcessorState.privilegedAccessNever
        : ProcessorState.privilegedAccessNever
    }
    // SCTLR_EL1.DSSBS, bit [44].
    if features.contains(.ssbs), control.bit(44) {
      result |= ProcessorState.speculativeStoreBypassSafe
    }
    if features.contains(.mte) { result |= ProcessorState.tagCheckOverride }
    // SCTLR_EL1.SPINTMASK, bit [62]; zero masks all interrupts.
    if features.contains(.nmi), !control.bit(62) { result |= ProcessorState.allInterruptMask }
    return result
  }
}
