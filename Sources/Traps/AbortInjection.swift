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
    host.farEL1 = faultAddress
    // SCTLR2_EL1.EASE, bit [3], sends synchronous external aborts to the vector of SError.
    let isAsSError = host.features.contains(.doubleFault2) && host.sctlr2EL1.bit(3)
    takeException(
      syndrome: el1Syndrome(from: state, host), vectorOffset: isAsSError ? 0x180 : 0, into: host)
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
}
