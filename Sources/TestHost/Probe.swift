// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// What one instruction did.
struct Outcome {
  /// x0 after the instruction.
  let value: UInt64
  /// The base register, x1, after the instruction.
  let base: UInt64
  /// The exceptions that were taken, and the last of them.
  let exceptions: UInt64
  let exception: TakenException
  /// The address that follows the instruction.
  let next: UInt64

  var completed: Bool { exceptions == 0 }
}

/// The index of the executing CPU: affinity level 0.
func currentCPU() -> UInt64 { el1_read_mpidr() & UInt64(EL1_CPU_LIMIT - 1) }

/// Executes one instruction of `EL1_LDR_X` and its siblings on `address`.
///
/// `value` is what x0 holds before: the data of a store, and what a load has to overwrite.
@inline(never)
func probe(_ instruction: Int32, _ address: UInt64, value: UInt64 = .max) -> Outcome {
  let result = el1_probe(UInt64(truncatingIfNeeded: instruction), address, value)
  let cpu = currentCPU()
  return Outcome(
    value: result, base: el1_record(cpu, UInt64(EL1_WORD_BASE)),
    exceptions: el1_record(cpu, UInt64(EL1_WORD_COUNT)), exception: TakenException(of: cpu),
    next: el1_record(cpu, UInt64(EL1_WORD_NEXT)))
}

/// Loads 32 or 64 bits that no test is about; zero where the load aborts.
func load32(_ address: UInt64) -> UInt64 { probe(EL1_LDR_W, address, value: 0).value & 0xffff_ffff }
func load64(_ address: UInt64) -> UInt64 { probe(EL1_LDR_X, address, value: 0).value }

extension Test {
  /// Expects that the instruction completed without an exception.
  @inline(never)
  mutating func expectCompletion(_ outcome: Outcome) {
    guard !outcome.completed else { return }
    fail("the instruction took an exception")
    expect("ESR_EL1", outcome.exception.syndrome, equals: 0)
    expect("FAR_EL1", outcome.exception.faultAddress, equals: 0)
  }

  /// Expects a load that completes with a value.
  @inline(never)
  mutating func expectLoad(_ outcome: Outcome, of value: UInt64) {
    expectCompletion(outcome)
    expect("the loaded value", outcome.value, equals: value)
  }

  /// Expects one exception from EL1h at the instruction, with SPSR_EL1 and ELR_EL1 that go back there.
  @inline(never)
  mutating func expectException(_ outcome: Outcome, class exceptionClass: UInt64) -> Bool {
    guard outcome.exceptions != 0 else {
      fail("the instruction completed: nothing stopped it")
      return false
    }
    expect("the number of exceptions", outcome.exceptions, equals: 1)
    expect("ESR_EL1.EC", outcome.exception.exceptionClass, equals: exceptionClass)
    expect("ESR_EL1.IL", outcome.exception.instructionLength, equals: 1)
    return true
  }

  /// Expects a data abort of EL1h: an external abort with the direction and address of the access.
  @inline(never)
  mutating func expectAbort(
    _ outcome: Outcome, at address: UInt64, write: Bool?,
    status: ClosedRange<UInt64> = FaultStatus.externalAbort...FaultStatus.externalAbort,
    cacheMaintenance: UInt64 = 0
  ) {
    guard expectException(outcome, class: ExceptionClass.dataAbortSameLevel) else { return }
    let taken = outcome.exception
    expect("ESR_EL1.ISS.DFSC", taken.faultStatus, in: status)
    expect("ESR_EL1.ISS.ISV", taken.syndromeValid, equals: 0)
    expect("ESR_EL1.ISS.FnV", taken.faultAddressNotValid, equals: 0)
    expect("ESR_EL1.ISS.CM", taken.cacheMaintenance, equals: cacheMaintenance)
    expect("ESR_EL1.ISS.S1PTW", taken.stageOneWalk, equals: 0)
    if let write { expect("ESR_EL1.ISS.WnR", taken.write, equals: write ? 1 : 0) }
    expect("FAR_EL1", taken.faultAddress, equals: address)
    expect("the vector", taken.vector, equals: 0x200)
    expect("ELR_EL1", taken.returnAddress, equals: outcome.next &- 4)
    expect("SPSR_EL1.M", taken.savedState & 0x1f, equals: ProcessorMode.el1h)
    expect("SPSR_EL1.DAIF", taken.savedState >> 6 & 0xf, equals: 0xf)
    expect("the base register", outcome.base, equals: address)
  }

  /// Expects an instruction abort of EL1h at `address`: an external abort, on the fetch or on its walk.
  @inline(never)
  mutating func expectFetchAbort(
    _ outcome: Outcome, at address: UInt64,
    status: ClosedRange<UInt64> = FaultStatus.externalAbort...FaultStatus.externalAbort
  ) {
    guard expectException(outcome, class: ExceptionClass.instructionAbortSameLevel) else { return }
    let taken = outcome.exception
    expect("ESR_EL1.ISS.IFSC", taken.faultStatus, in: status)
    expect("FAR_EL1", taken.faultAddress, equals: address)
    expect("ELR_EL1", taken.returnAddress, equals: address)
    expect("the vector", taken.vector, equals: 0x200)
    expect("SPSR_EL1.M", taken.savedState & 0x1f, equals: ProcessorMode.el1h)
  }
}
