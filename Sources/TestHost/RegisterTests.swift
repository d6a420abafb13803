// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Accesses to registers of the control frame that a host has no reason to make.
func testRegisterFile(_ report: inout TestReport) {
  let area: StaticString = "its registers"
  let control = Board.itsControl

  func expectNothing(_ test: inout Test, _ offsets: StrideThrough<UInt64>) {
    for offset in offsets {
      test.expectCompletion(probe(EL1_STR_W, control + offset, value: 0xffff_ffff))
      let read = probe(EL1_LDR_W, control + offset)
      if read.value != 0 || !read.completed {
        test.expectLoad(read, of: 0)
        test.expect("the offset", offset, equals: 0)
        return
      }
    }
  }
  /// Neither half of a 64-bit register, nor a 32-bit one, may be accessed by less than 32 bits.
  func expectRefused(_ test: inout Test, _ offset: UInt64) {
    let address = control + offset
    test.expectAbort(probe(EL1_LDRB, address), at: address, write: false)
    test.expectAbort(probe(EL1_LDRH, address), at: address, write: false)
    test.expectAbort(probe(EL1_STRB, address, value: 1), at: address, write: true)
    test.expectAbort(probe(EL1_STRH, address, value: 1), at: address, write: true)
  }

  report.test(area, "B-05 GITS_CTLR by 8 and 16 bits aborts and doesn't enable the ITS") { test in
    if !ITSDriver.disable() { test.fail("the ITS isn't quiescent") }
    expectRefused(&test, Register.gitsCTLR)
    test.expect("Enabled", load32(control + Register.gitsCTLR) & 1, equals: 0)
  }
  report.test(area, "B-05 GITS_CWRITER, GITS_CREADR by 8 and 16 bits abort") { test in
    expectRefused(&test, Register.gitsCWRITER)
    expectRefused(&test, Register.gitsCREADR)
  }
  report.test(area, "B-05 GITS_BASER0 and its upper half by 8 and 16 bits abort") { test in
    let before = load64(control + Register.gitsBASER0)
    expectRefused(&test, Register.gitsBASER0)
    expectRefused(&test, Register.gitsBASER0 + 4)
    test.expect("GITS_BASER0", load64(control + Register.gitsBASER0), equals: before)
  }
  report.test(area, "B-05 reserved registers by 8 and 16 bits abort") { test in
    expectRefused(&test, 0x0200)
    expectRefused(&test, 0xc000)
  }
  report.test(area, "B-08 GITS_CTLR by 64 bits aborts or reads as zero; GITS_IIDR isn't written") {
    test in
    let iidr = load32(control + Register.gitsIIDR)
    _ = probe(EL1_STR_X, control + Register.gitsCTLR, value: .max)
    test.expect("Enabled", load32(control + Register.gitsCTLR) & 1, equals: 0)
    test.expect("GITS_IIDR", load32(control + Register.gitsIIDR), equals: iidr)
  }
  report.test(area, "B-07 the upper halves of 64-bit registers can be read by 32 bits") { test in
    let offsets: InlineArray<4, UInt64> = [
      Register.gitsTYPER, Register.gitsCBASER, Register.gitsCWRITER, Register.gitsCREADR,
    ]
    for index in offsets.indices {
      test.expectLoad(
        probe(EL1_LDR_W, control + offsets[index] + 4),
        of: load64(control + offsets[index]) >> 32)
    }
  }
  report.test(area, "B-07 the upper half of every GITS_BASER can be read by 32 bits") { test in
    for index in 0..<8 as Range<UInt64> {
      let register = control + Register.gitsBASER0 + 8 * index
      test.expectLoad(probe(EL1_LDR_W, register + 4), of: load64(register) >> 32)
    }
  }
  report.test(area, "B-07 the upper half of GITS_CWRITER takes a store and rings nothing") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    test.expectCompletion(probe(EL1_STR_W, control + Register.gitsCWRITER + 4, value: 0xffff_ffff))
    test.expectLoad(probe(EL1_LDR_X, control + Register.gitsCWRITER), of: its.next)
    test.expectLoad(probe(EL1_LDR_X, control + Register.gitsCREADR), of: its.next)
  }
  report.test(area, "B-09 reserved registers read as zero and ignore writes") { test in
    expectNothing(&test, stride(from: 0x0050, through: 0x007c, by: 4))
    expectNothing(&test, stride(from: 0x0098, through: 0x00fc, by: 4))
    expectNothing(&test, stride(from: 0x0140, through: 0x0400, by: 4))
    expectNothing(&test, stride(from: 0x1000, through: 0xbffc, by: 0x3fc))
  }
  report.test(area, "B-09 implementation defined registers read as zero and ignore writes") {
    test in
    expectNothing(&test, stride(from: 0x0020, through: 0x003c, by: 4))
    expectNothing(&test, stride(from: 0xc000, through: 0xffcc, by: 0x3c))
  }
  report.test(area, "B-09 GITS_PARTIDR ignores writes") { test in
    expectNothing(&test, stride(from: 0x0014, through: 0x0014, by: 4))
  }
  report.test(area, "writes to read-only registers are ignored without a fault") { test in
    if !ITSDriver.disable() { test.fail("the ITS isn't quiescent") }
    let typer = load64(control + Register.gitsTYPER)
    test.expectCompletion(probe(EL1_STR_X, control + Register.gitsTYPER, value: ~typer))
    test.expectCompletion(probe(EL1_STR_W, control + Register.gitsTYPER, value: ~typer))
    test.expectLoad(probe(EL1_LDR_X, control + Register.gitsTYPER), of: typer)
    let read = load64(control + Register.gitsCREADR)
    test.expectCompletion(probe(EL1_STR_X, control + Register.gitsCREADR, value: 0x40))
    test.expectCompletion(probe(EL1_STR_W, control + Register.gitsCREADR, value: 0x80))
    test.expectLoad(probe(EL1_LDR_X, control + Register.gitsCREADR), of: read)
    let pidr2 = load32(control + Register.gitsPIDR2)
    test.expectCompletion(probe(EL1_STR_W, control + Register.gitsPIDR2, value: 0))
    test.expectLoad(probe(EL1_LDR_W, control + Register.gitsPIDR2), of: pidr2)
  }
  report.test(area, "B-49 GITS_CWRITER reads what was written, without Retry") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    store32(control + Register.gitsCWRITER, its.next | 1)
    test.expectLoad(probe(EL1_LDR_X, control + Register.gitsCWRITER), of: its.next)
  }
  report.test(area, "B-83 GITS_CTLR keeps nothing but Enabled") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    store32(control + Register.gitsCTLR, 0x7fff_ffff)
    test.expect(
      "GITS_CTLR but Quiescent", load32(control + Register.gitsCTLR) & 0x7fff_ffff, equals: 1)
  }
  report.test(area, "B-84 a write of GITS_CBASER puts GITS_CREADR to zero") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    test.expect("GITS_CREADR", load64(control + Register.gitsCREADR), differsFrom: 0)
    if !ITSDriver.disable() { test.fail("the ITS isn't quiescent") }
    store64(control + Register.gitsCBASER, load64(control + Register.gitsCBASER))
    test.expect("GITS_CREADR", load64(control + Register.gitsCREADR), equals: 0)
  }
  report.test(area, "GITS_CBASER and GITS_BASER<n> are locked while the ITS is enabled") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    let base = load64(control + Register.gitsCBASER)
    let table = load64(control + Register.gitsBASER0)
    store64(control + Register.gitsCBASER, base ^ 0x1_0000)
    store32(control + Register.gitsCBASER + 4, 0)
    store64(control + Register.gitsBASER0, table ^ 0x1_0000)
    store32(control + Register.gitsBASER0 + 4, 0)
    test.expect("GITS_CBASER", load64(control + Register.gitsCBASER), equals: base)
    test.expect("GITS_BASER0", load64(control + Register.gitsBASER0), equals: table)
    if !its.run(.invall(0)) { test.fail("the queue doesn't go on") }
  }
}
