// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// Reads of the ITS through the trap, against what EL2 read itself.
func testReads(_ report: inout TestReport, area: StaticString, control: UInt64) {
  // Each test asks by itself, so that none depends on another.
  func withITS(_ test: inout Test, _ body: (inout Test, Hypercall.ITS) -> Void) {
    guard let its = Hypercall.its(0) else {
      test.fail("no hypervisor tells what it read from the ITS")
      return
    }
    body(&test, its)
  }

  report.test(area, "64-bit read of GITS_TYPER equals EL2's own read") { test in
    withITS(&test) { test, its in
      test.expectLoad(probe(EL1_LDR_X, control + Register.gitsTYPER), of: its.typer)
    }
  }
  report.test(area, "32-bit read of the low word of GITS_TYPER equals EL2's own read") { test in
    withITS(&test) { test, its in
      test.expectLoad(probe(EL1_LDR_W, control + Register.gitsTYPER), of: its.typer & 0xffff_ffff)
    }
  }
  report.test(area, "32-bit read of the high word of GITS_TYPER equals EL2's own read") { test in
    withITS(&test) { test, its in
      test.expectLoad(probe(EL1_LDR_W, control + Register.gitsTYPER + 4), of: its.typer >> 32)
    }
  }
  report.test(area, "32-bit read of GITS_IIDR equals EL2's own read") { test in
    withITS(&test) { test, its in
      test.expectLoad(probe(EL1_LDR_W, control + Register.gitsIIDR), of: its.iidr)
    }
  }
  report.test(area, "32-bit read of GITS_PIDR2, on the last page, equals EL2's own read") { test in
    withITS(&test) { test, its in
      test.expectLoad(probe(EL1_LDR_W, control + Register.gitsPIDR2), of: its.pidr2)
    }
  }
  report.test(area, "GITS_PIDR2 names the architecture GICv3 or GICv4") { test in
    let read = probe(EL1_LDR_W, control + Register.gitsPIDR2)
    test.expectCompletion(read)
    test.expect("PIDR2.ArchRev", read.value >> 4 & 0xf, in: 3...4)
  }
  report.test(area, "load-acquire of 32 and 64 bits reads what a plain load reads") { test in
    let address = control + Register.gitsTYPER
    let word = load32(address)
    let doubleword = load64(address)
    test.expect("GITS_TYPER", doubleword, differsFrom: 0)
    test.expectLoad(probe(EL1_LDAR_W, address), of: word)
    test.expectLoad(probe(EL1_LDAR_X, address), of: doubleword)
  }
  report.test(area, "LDRSW sign-extends, and LDR of 32 bits zero-extends, GITS_CTLR") { test in
    // Quiescent, bit 31, is set while the ITS is disabled.
    let word = load32(control + Register.gitsCTLR)
    test.expect("GITS_CTLR.Quiescent", word >> 31, equals: 1)
    let extended = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: word)))
    test.expectLoad(probe(EL1_LDRSW, control + Register.gitsCTLR, value: 0), of: extended)
    test.expectLoad(probe(EL1_LDR_W, control + Register.gitsCTLR, value: .max), of: word)
  }
  report.test(area, "LDRSW leaves a value without sign bit positive") { test in
    let word = load32(control + Register.gitsIIDR)
    test.expect("GITS_IIDR", word, in: 1...0x7fff_ffff)
    test.expectLoad(probe(EL1_LDRSW, control + Register.gitsIIDR), of: word)
  }
}
