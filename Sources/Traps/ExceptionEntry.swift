// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Has the host continue at its vector, as if the instruction that trapped had taken a synchronous
/// exception to EL1 itself (Arm ARM DDI 0487, AArch64.TakeException).
///
/// `vectorOffset` is added to the offset of a synchronous exception from the interrupted state.
func takeException<Host: HostSystemRegisters & ~Copyable>(
  syndrome: UInt64, vectorOffset: UInt64 = 0, into host: borrowing Host
) {
  let state = ProcessorState(rawValue: host.spsrEL2)
  let control = host.sctlrEL1
  host.esrEL1 = syndrome
  host.elrEL1 = host.elrEL2
  host.spsrEL1 = state.rawValue
  // Bits [10:0] of VBAR_EL1 are RES0, so that the offset never carries.
  host.elrEL2 = host.vbarEL1 & ~0x7ff | (state.vectorOffset + vectorOffset)
  host.spsrEL2 = state.el1State(control, host.features)
}

/// Answers an instruction that the host does not have with the exception for one: EC 0, unknown
/// reason (Arm ARM DDI 0487, ESR_EL1).
public func injectUndefined<Host: HostSystemRegisters & ~Copyable>(into host: borrowing Host) {
  takeException(syndrome: 1 << 25, into: host)
}

extension ProcessorState {
  /// PSTATE at EL1's vector, as SPSR_EL2 holds it.
  func el1State(_ control: UInt64, _ features: HostFeatures) -> UInt64 {
    // Kept: the condition flags, DIT and PAN. Cleared: UAO, SS, IL, BTYPE, and with AArch32 IT and T.
    var result = rawValue & ProcessorState.conditionFlags
    result |= rawValue & ProcessorState.dataIndependentTiming
    result |= ProcessorState.exceptionMasks | ProcessorState.el1h
    if features.contains(.pan) {
      // SCTLR_EL1.SPAN, bit [23]: zero sets PAN on an exception to EL1.
      let unchanged = control.bit(23)
      result |=
        unchanged
        ? rawValue & ProcessorState.privilegedAccessNever
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
