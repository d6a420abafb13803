// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

extension Test {
  /// Expects that an instruction on GITS_CBASER aborts and that the register keeps its value.
  @inline(never)
  fileprivate mutating func expectRefused(
    _ instruction: Int32, control: UInt64, offset: UInt64 = 0, write: Bool?,
    status: ClosedRange<UInt64> = FaultStatus.externalAbort...FaultStatus.externalAbort
  ) {
    let register = Board.itsControl + Register.gitsCBASER
    let before = load64(register)
    let content: UInt64 = 0x0000_0012_3456_7003
    expectCompletion(probe(EL1_STR_X, register, value: content))
    let address = control + Register.gitsCBASER + offset
    let data: UInt64 = 0x0000_0047_89ab_c005
    let outcome = probe(instruction, address, value: data)
    expectAbort(outcome, at: address, write: write, status: status)
    if write == false, !outcome.completed {
      expect("the destination register", outcome.value, equals: data)
    }
    expect("GITS_CBASER afterwards", load64(register), equals: content)
    _ = probe(EL1_STR_X, register, value: before)
  }
}

/// Accesses of a width that the region doesn't permit.
func testRefusedWidths(_ report: inout TestReport, area: StaticString, control: UInt64) {
  report.test(area, "LDRB aborts and changes nothing") {
    $0.expectRefused(EL1_LDRB, control: control, write: false)
  }
  report.test(area, "LDRH aborts and changes nothing") {
    $0.expectRefused(EL1_LDRH, control: control, write: false)
  }
  report.test(area, "LDRSB to a 64-bit register aborts and changes nothing") {
    $0.expectRefused(EL1_LDRSB_X, control: control, write: false)
  }
  report.test(area, "LDRSB to a 32-bit register aborts and changes nothing") {
    $0.expectRefused(EL1_LDRSB_W, control: control, write: false)
  }
  report.test(area, "LDRSH to a 64-bit register aborts and changes nothing") {
    $0.expectRefused(EL1_LDRSH_X, control: control, write: false)
  }
  report.test(area, "LDRSH to a 32-bit register aborts and changes nothing") {
    $0.expectRefused(EL1_LDRSH_W, control: control, write: false)
  }
  report.test(area, "STRB aborts and changes nothing") {
    $0.expectRefused(EL1_STRB, control: control, write: true)
  }
  report.test(area, "STRH aborts and changes nothing") {
    $0.expectRefused(EL1_STRH, control: control, write: true)
  }
}

/// Accesses that aren't a multiple of their width.
func testMisaligned(_ report: inout TestReport) {
  let device = Board.itsControl
  let normal = StageOne.normalAlias + Board.itsControl
  // On Device memory the host's own stage 1 gives the alignment fault, before stage 2 is asked; a model
  // that doesn't check leaves it to stage 2. Either way nothing may reach the device.
  let either = FaultStatus.externalAbort...FaultStatus.alignment

  report.test("misaligned", "32-bit load from Normal memory aborts and changes nothing") {
    $0.expectRefused(EL1_LDR_W, control: normal, offset: 2, write: false)
  }
  report.test("misaligned", "64-bit load from Normal memory aborts and changes nothing") {
    $0.expectRefused(EL1_LDR_X, control: normal, offset: 4, write: false)
  }
  report.test("misaligned", "32-bit store to Normal memory aborts and changes nothing") {
    $0.expectRefused(EL1_STR_W, control: normal, offset: 1, write: true)
  }
  report.test("misaligned", "64-bit store to Normal memory aborts and changes nothing") {
    $0.expectRefused(EL1_STR_X, control: normal, offset: 4, write: true)
  }
  report.test("misaligned", "32-bit load from Device memory aborts and changes nothing") {
    $0.expectRefused(EL1_LDR_W, control: device, offset: 1, write: false, status: either)
  }
  report.test("misaligned", "64-bit store to Device memory aborts and changes nothing") {
    $0.expectRefused(EL1_STR_X, control: device, offset: 4, write: true, status: either)
  }
}

/// Accesses of which the architecture doesn't tell EL2 the register (ESR_EL2.ISV is 0).
func testAccessesWithoutSyndrome(_ report: inout TestReport) {
  let area: StaticString = "no syndrome"
  let control = Board.itsControl
  let normal = StageOne.normalAlias + Board.itsControl

  report.test(area, "LDP of 64 bits aborts and changes nothing") {
    $0.expectRefused(EL1_LDP_X, control: control, write: false)
  }
  report.test(area, "LDP of 32 bits aborts and changes nothing") {
    $0.expectRefused(EL1_LDP_W, control: control, write: false)
  }
  report.test(area, "STP of 64 bits aborts and changes nothing") {
    $0.expectRefused(EL1_STP_X, control: control, write: true)
  }
  report.test(area, "STP of 32 bits aborts and changes nothing") {
    $0.expectRefused(EL1_STP_W, control: control, write: true)
  }
  report.test(area, "post-indexed LDR aborts, its base register unchanged") {
    $0.expectRefused(EL1_LDR_W_POST, control: control, write: false)
  }
  report.test(area, "post-indexed STR aborts, its base register unchanged") {
    $0.expectRefused(EL1_STR_W_POST, control: control, write: true)
  }
  report.test(area, "pre-indexed LDR aborts") {
    $0.expectRefused(EL1_LDR_W_PRE, control: control, write: false)
  }
  report.test(area, "pre-indexed STR aborts and changes nothing") {
    $0.expectRefused(EL1_STR_W_PRE, control: control, write: true)
  }
  report.test(area, "LDR of a Q register aborts") {
    $0.expectRefused(EL1_LDR_Q, control: control, write: false)
  }
  report.test(area, "STR of a Q register aborts and changes nothing") {
    $0.expectRefused(EL1_STR_Q, control: control, write: true)
  }
  report.test(area, "LDR of a D register aborts") {
    $0.expectRefused(EL1_LDR_D, control: control, write: false)
  }
  report.test(area, "STR of a D register aborts and changes nothing") {
    $0.expectRefused(EL1_STR_D, control: control, write: true)
  }
  report.test(area, "load-exclusive aborts") {
    $0.expectRefused(EL1_LDXR_W, control: normal, write: false)
  }
  report.test(area, "load-exclusive and store-exclusive abort and change nothing") {
    $0.expectRefused(EL1_LDXR_STXR_X, control: normal, write: false)
  }
  report.test(area, "atomic add aborts and changes nothing") { test in
    guard el1_read_isar0() >> 20 & 0xf != 0 else {
      test.skip("the CPU has no atomic instructions")
      return
    }
    // WnR of an atomic tells whether a read would have faulted: implementations differ.
    test.expectRefused(EL1_LDADD_X, control: normal, write: nil)
  }
  report.test(area, "DC ZVA aborts and changes nothing") {
    // Zeroes a block that begins at 64 bytes or more below.
    let address = normal + Register.gitsCBASER
    let register = Board.itsControl + Register.gitsCBASER
    let before = load64(register)
    let content: UInt64 = 0x0000_0012_3456_7003
    $0.expectCompletion(probe(EL1_STR_X, register, value: content))
    let outcome = probe(EL1_DC_ZVA, address)
    if $0.expectException(outcome, class: ExceptionClass.dataAbortSameLevel) {
      $0.expect("DFSC", outcome.exception.faultStatus, equals: FaultStatus.externalAbort)
      $0.expect("WnR", outcome.exception.write, equals: 1)
      $0.expect("FAR_EL1", outcome.exception.faultAddress & ~0x7ff, equals: address & ~0x7ff)
    }
    $0.expect("GITS_CBASER afterwards", load64(register), equals: content)
    _ = probe(EL1_STR_X, register, value: before)
  }
}

/// The exception level and stack pointer that an access comes from.
func testOrigins(_ report: inout TestReport) {
  let register = Board.itsControl + Register.gitsIIDR

  report.test("origin", "a refused access on SP_EL0 arrives at vector 0x000") { test in
    let outcome = probe(EL1_LDRB_SP0, register)
    guard test.expectException(outcome, class: ExceptionClass.dataAbortSameLevel) else { return }
    test.expect("DFSC", outcome.exception.faultStatus, equals: FaultStatus.externalAbort)
    test.expect("the vector", outcome.exception.vector, equals: 0x000)
    test.expect("SPSR_EL1.M", outcome.exception.savedState & 0x1f, equals: ProcessorMode.el1t)
    test.expect("FAR_EL1", outcome.exception.faultAddress, equals: register)
  }
  report.test("origin", "a refused access from EL0 arrives at vector 0x400 as EC 0x24") { test in
    let outcome = probe(EL1_LDRB_EL0, register)
    guard test.expectException(outcome, class: ExceptionClass.dataAbortLowerLevel) else { return }
    test.expect("DFSC", outcome.exception.faultStatus, equals: FaultStatus.externalAbort)
    test.expect("the vector", outcome.exception.vector, equals: 0x400)
    test.expect("SPSR_EL1.M", outcome.exception.savedState & 0x1f, equals: ProcessorMode.el0)
    test.expect("FAR_EL1", outcome.exception.faultAddress, equals: register)
  }
  report.test("origin", "a permitted access from EL0 completes") { test in
    let word = load32(register)
    test.expect("GITS_IIDR", word, differsFrom: 0)
    // The SVC behind the load is the exception that comes.
    let outcome = probe(EL1_LDR_W_EL0, register)
    _ = test.expectException(outcome, class: ExceptionClass.svc)
    test.expect("the vector", outcome.exception.vector, equals: 0x400)
    test.expect("the loaded value", outcome.value, equals: word)
  }
}
