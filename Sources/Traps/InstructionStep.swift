// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Steps the host over the instruction that EL2 has carried out for it.
///
/// The next instruction finds the state as if this one had been executed: BTYPE is zero, a software
/// step is taken before the next instruction rather than after it (SS clear), and in AArch32 the IT
/// state has moved on.
@inline(__always)
func stepOverInstruction<Host: HostSystemRegisters & ~Copyable>(
  _ syndrome: ExceptionSyndrome, of host: borrowing Host
) {
  let state = ProcessorState(rawValue: host.spsrEL2)
  let stepped = ProcessorState.branchType | ProcessorState.softwareStep | ProcessorState.aarch32
  // As a rule nothing but the program counter changes, and a system register write is not free.
  if state.rawValue & stepped == 0 {
    host.elrEL2 = host.elrEL2 &+ 4
  } else {
    stepOverInstructionAndState(syndrome, state, of: host)
  }
}

@inline(never)
func stepOverInstructionAndState<Host: HostSystemRegisters & ~Copyable>(
  _ syndrome: ExceptionSyndrome, _ state: ProcessorState, of host: borrowing Host
) {
  guard state.isAArch32 else {
    host.elrEL2 = host.elrEL2 &+ 4
    host.spsrEL2 =
      state.rawValue & ~(ProcessorState.branchType | ProcessorState.softwareStep)
    return
  }
  let length: UInt64 = syndrome.isLongInstruction ? 4 : 2
  host.elrEL2 = (host.elrEL2 &+ length) & 0xffff_ffff
  host.spsrEL2 =
    state.rawValue & ~(ProcessorState.ifThen | ProcessorState.softwareStep)
    | advancedIfThen(state.rawValue)
}

/// The IT bits of `state` after one instruction, in their places (Arm ARM DDI 0487, ITAdvance).
private func advancedIfThen(_ state: UInt64) -> UInt64 {
  let it = ((state >> 10) & 0b11_1111) << 2 | ((state >> 25) & 0b11)
  let next = it & 0b111 == 0 ? 0 : (it & 0b1110_0000) | ((it << 1) & 0b1_1111)
  return (next >> 2) << 10 | (next & 0b11) << 25
}
