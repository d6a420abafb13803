// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// Writes to registers of the ITS, read back while it's disabled.
func testWrites(_ report: inout TestReport, area: StaticString, control: UInt64) {
  // No Valid bit in any of these: the ITS must not start to use them.
  let pattern: UInt64 = 0x0000_0012_3456_7003
  let other: UInt64 = 0x0000_0047_89ab_c005
  let base = control + Register.gitsCBASER

  report.test(area, "64-bit write of GITS_CBASER reads back in all widths") { test in
    let before = load64(base)
    test.expectCompletion(probe(EL1_STR_X, base, value: pattern))
    test.expectLoad(probe(EL1_LDR_X, base), of: pattern)
    test.expectLoad(probe(EL1_LDR_W, base), of: pattern & 0xffff_ffff)
    test.expectLoad(probe(EL1_LDR_W, base + 4), of: pattern >> 32)
    _ = probe(EL1_STR_X, base, value: before)
  }
  report.test(area, "32-bit write of the low half of GITS_CBASER keeps the high half") { test in
    let before = load64(base)
    test.expectCompletion(probe(EL1_STR_X, base, value: pattern))
    // What is above bit 31 of the register isn't part of the store.
    test.expectCompletion(probe(EL1_STR_W, base, value: other | 0xffff_ffff_0000_0000))
    test.expectLoad(
      probe(EL1_LDR_X, base), of: pattern & ~0xffff_ffff | other & 0xffff_ffff)
    _ = probe(EL1_STR_X, base, value: before)
  }
  report.test(area, "32-bit write of the high half of GITS_CBASER keeps the low half") { test in
    let before = load64(base)
    test.expectCompletion(probe(EL1_STR_X, base, value: pattern))
    test.expectCompletion(probe(EL1_STR_W, base + 4, value: other >> 32))
    test.expectLoad(
      probe(EL1_LDR_X, base), of: pattern & 0xffff_ffff | other & ~0xffff_ffff)
    _ = probe(EL1_STR_X, base, value: before)
  }
  report.test(area, "stores of WZR and XZR write zero") { test in
    let before = load64(base)
    test.expectCompletion(probe(EL1_STR_X, base, value: pattern))
    test.expectCompletion(probe(EL1_STR_WZR, base + 4))
    test.expectLoad(probe(EL1_LDR_X, base), of: pattern & 0xffff_ffff)
    test.expectCompletion(probe(EL1_STR_X, base, value: pattern))
    test.expectCompletion(probe(EL1_STR_XZR, base))
    test.expectLoad(probe(EL1_LDR_X, base), of: 0)
    _ = probe(EL1_STR_X, base, value: before)
  }
  report.test(area, "store-release of 32 and 64 bits writes GITS_CBASER") { test in
    let before = load64(base)
    test.expectCompletion(probe(EL1_STLR_X, base, value: pattern))
    test.expectLoad(probe(EL1_LDR_X, base), of: pattern)
    test.expectCompletion(probe(EL1_STLR_W, base, value: other & 0xffff_ffff))
    test.expectLoad(
      probe(EL1_LDR_X, base), of: pattern & ~0xffff_ffff | other & 0xffff_ffff)
    _ = probe(EL1_STR_X, base, value: before)
  }
  report.test(area, "64-bit and 32-bit writes of GITS_BASER0 read back") { test in
    let register = control + Register.gitsBASER0
    let before = load64(register)
    // Type and Entry_Size are read-only; the address field takes what is written.
    let address: UInt64 = 0x0000_0000_5678_0000
    let fields: UInt64 = 0x0000_ffff_ffff_0000
    test.expectCompletion(probe(EL1_STR_X, register, value: address))
    test.expect("the address", load64(register) & fields, equals: address)
    test.expectCompletion(probe(EL1_STR_W, register, value: 0x4321_0000))
    test.expect("the address", load64(register) & fields, equals: 0x4321_0000)
    test.expect(
      "the read-only fields", load64(register) >> 48 & 0x071f, equals: before >> 48 & 0x071f)
    _ = probe(EL1_STR_X, register, value: before)
    test.expectLoad(probe(EL1_LDR_X, register), of: before)
  }
  report.test(area, "GITS_CWRITER takes 32-bit and 64-bit writes") { test in
    let register = control + Register.gitsCWRITER
    let before = load64(register)
    test.expectCompletion(probe(EL1_STR_W, register, value: 0x40))
    test.expectLoad(probe(EL1_LDR_X, register), of: 0x40)
    test.expectCompletion(probe(EL1_STR_X, register, value: 0x60))
    test.expectLoad(probe(EL1_LDR_W, register), of: 0x60)
    _ = probe(EL1_STR_X, register, value: before)
    test.expectLoad(probe(EL1_LDR_X, register), of: before)
  }
  report.test(area, "a write to the read-only GITS_IIDR is ignored without a fault") { test in
    let before = load32(control + Register.gitsIIDR)
    test.expect("GITS_IIDR", before, differsFrom: 0)
    test.expectCompletion(probe(EL1_STR_W, control + Register.gitsIIDR, value: ~before))
    test.expectLoad(probe(EL1_LDR_W, control + Register.gitsIIDR), of: before)
  }
}

/// What an emulated access does to the registers that it doesn't name.
func testRegisters(_ report: inout TestReport) {
  let control = Board.itsControl
  report.test("trap", "a load leaves all other registers and the flags alone") { test in
    test.expect(
      "the set of changed registers",
      el1_registers_changed_by_load(control + Register.gitsIIDR), equals: 0)
  }
  report.test("trap", "loads to XZR and WZR complete and change no register") { test in
    let kept: UInt64 = 0x1122_3344_5566_7788
    test.expectLoad(probe(EL1_LDR_XZR, control + Register.gitsTYPER, value: kept), of: kept)
    test.expectLoad(probe(EL1_LDR_WZR, control + Register.gitsIIDR, value: kept), of: kept)
    test.expect("the base register", probe(EL1_LDR_XZR, control).base, equals: control)
  }
  report.test("trap", "a load to the highest register number, X30, arrives there") { test in
    let word = load32(control + Register.gitsIIDR)
    test.expect("GITS_IIDR", word, differsFrom: 0)
    test.expectLoad(probe(EL1_LDR_W_X30, control + Register.gitsIIDR), of: word)
  }
  report.test("trap", "exactly one instruction is skipped in a run of 1000 reads") { test in
    let word = load32(control + Register.gitsIIDR)
    test.expect("GITS_IIDR", word, differsFrom: 0)
    var wrong: UInt64 = 0
    for _ in 0..<1000 where load32(control + Register.gitsIIDR) != word { wrong += 1 }
    test.expect("the number of wrong reads", wrong, equals: 0)
  }
  report.test("trap", "an access through a Normal non-cacheable mapping is forwarded too") { test in
    let word = load32(control + Register.gitsIIDR)
    test.expect("GITS_IIDR", word, differsFrom: 0)
    test.expectLoad(probe(EL1_LDR_W, StageOne.normalAlias + control + Register.gitsIIDR), of: word)
  }
}
