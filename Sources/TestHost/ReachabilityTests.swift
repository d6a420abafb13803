// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The ways to a claimed page that no forwarder serves.
func testUnreachableFrame(_ report: inout TestReport) {
  let area: StaticString = "claimed page"
  let normal = StageOne.normalAlias + Board.itsControl

  report.test(area, "instruction fetch from the first page aborts") { test in
    test.expectFetchAbort(probe(EL1_FETCH, normal), at: normal)
  }
  report.test(area, "instruction fetch from the last page aborts") { test in
    // What lies there reads as zero, which is an undefined instruction, where nothing protects it.
    let address = normal + Board.itsControlSize - 0x1000
    test.expectFetchAbort(probe(EL1_FETCH, address), at: address)
  }
  report.test(area, "a stage-1 walk of a load through the frame aborts") { test in
    testWalk(&test, EL1_LDR_W, through: Board.itsControl, write: false)
  }
  report.test(area, "a stage-1 walk of a store through the frame aborts") { test in
    testWalk(&test, EL1_STR_W, through: Board.itsControl, write: true)
  }
  report.test(area, "a stage-1 walk of a fetch through the frame aborts") { test in
    let address = StageOne.walk(through: Board.itsControl)
    let outcome = probe(EL1_FETCH, address)
    StageOne.endWalk()
    test.expectFetchAbort(outcome, at: address, status: FaultStatus.externalAbortOnWalk)
  }
  report.test(area, "AT S1E1R whose walk leads through the frame aborts") { test in
    testTranslation(&test, through: Board.itsControl)
  }
  report.test(area, "AT S1E1R of a mapping of the frame gives its address and nothing else") {
    test in
    // Stage 1 alone: the leaf's address is the host's own, the page itself isn't read.
    let outcome = probe(EL1_AT_S1E1R, normal)
    test.expectCompletion(outcome)
    test.expect("PAR_EL1.F", outcome.value & 1, equals: 0)
    test.expect(
      "PAR_EL1.PA", outcome.value & 0x0000_ffff_ffff_f000, equals: Board.itsControl)
  }
}

/// A stage-1 walk that reads a table in a page that it must not reach.
private func testWalk(
  _ test: inout Test, _ instruction: Int32, through page: UInt64, write: Bool
) {
  let address = StageOne.walk(through: page)
  let outcome = probe(instruction, address, value: 0)
  StageOne.endWalk()
  test.expectAbort(outcome, at: address, write: write, status: FaultStatus.externalAbortOnWalk)
}

/// An address translation instruction whose walk reads such a page.
///
/// An external abort on the walk of an AT is taken as an exception (DDI 0487, D8.15), with CM and WnR
/// set as for every fault of such an instruction.
private func testTranslation(_ test: inout Test, through page: UInt64) {
  let address = StageOne.walk(through: page)
  let outcome = probe(EL1_AT_S1E1R, address)
  StageOne.endWalk()
  test.expectAbort(
    outcome, at: address, write: true, status: FaultStatus.externalAbortOnWalk, cacheMaintenance: 1)
}

/// Cache maintenance by address: it moves no data to the host, and drivers may use it anywhere.
func testMaintenance(_ report: inout TestReport) {
  let area: StaticString = "maintenance"
  let address = StageOne.normalAlias + Board.itsControl + Register.gitsCBASER

  report.test(area, "DC CIVAC on a claimed page completes and changes nothing") {
    testMaintenance(&$0, EL1_DC_CIVAC, address)
  }
  report.test(area, "DC IVAC on a claimed page completes and changes nothing") {
    testMaintenance(&$0, EL1_DC_IVAC, address)
  }
  report.test(area, "IC IVAU on a claimed page completes and changes nothing") {
    testMaintenance(&$0, EL1_IC_IVAU, address)
  }
}

private func testMaintenance(_ test: inout Test, _ instruction: Int32, _ address: UInt64) {
  let register = Board.itsControl + Register.gitsCBASER
  let before = load64(register)
  test.expectCompletion(probe(instruction, address))
  test.expectLoad(probe(EL1_LDR_X, register), of: before)
}

/// Pages beside the claimed ones: they stay the host's.
func testNeighbours(_ report: inout TestReport) {
  let doorbell = Board.itsTranslation + Register.gitsTRANSLATER

  report.test("doorbell", "32-bit write of GITS_TRANSLATER reaches the ITS") {
    $0.expectCompletion(probe(EL1_STR_W, doorbell, value: 0))
  }
  report.test("doorbell", "16-bit write of GITS_TRANSLATER reaches the ITS") {
    $0.expectCompletion(probe(EL1_STRH, doorbell, value: 0))
  }
  report.test("doorbell", "the first and the last page of the translation frame are readable") {
    $0.expectCompletion(probe(EL1_LDR_W, Board.itsTranslation))
    $0.expectCompletion(probe(EL1_LDR_W, Board.itsTranslation + Board.itsControlSize - 4))
  }
  report.test("neighbour", "the Redistributor behind the ITS answers") {
    let read = probe(EL1_LDR_W, Board.redistributors + Register.gicrPIDR2)
    $0.expectCompletion(read)
    $0.expect("PIDR2.ArchRev", read.value >> 4 & 0xf, in: 3...4)
  }
  report.test("neighbour", "the Distributor before the ITS answers") {
    let read = probe(EL1_LDR_W, Board.distributor + Register.gicdPIDR2)
    $0.expectCompletion(read)
    $0.expect("PIDR2.ArchRev", read.value >> 4 & 0xf, in: 3...4)
  }
  report.test("neighbour", "a byte-wide read of a device that isn't claimed completes") {
    $0.expectCompletion(probe(EL1_LDRB, Board.console + 0xfe0))
  }
}

/// Physical addresses that nothing answers: the abort is the host's, and life goes on.
func testHoles(_ report: inout TestReport) {
  report.test("hole", "a load is a synchronous external abort") {
    $0.expectAbort(probe(EL1_LDR_W, Board.hole), at: Board.hole, write: false)
  }
  report.test("hole", "a store is a synchronous external abort") {
    $0.expectAbort(probe(EL1_STR_W, Board.hole, value: 0), at: Board.hole, write: true)
  }
  report.test("hole", "an instruction fetch is a synchronous external abort") {
    let address = StageOne.normalAlias + Board.hole
    $0.expectFetchAbort(probe(EL1_FETCH, address), at: address)
  }
  report.test("hole", "the ITS answers as before") {
    let read = probe(EL1_LDR_W, Board.itsControl + Register.gitsPIDR2)
    $0.expectCompletion(read)
    $0.expect("PIDR2.ArchRev", read.value >> 4 & 0xf, in: 3...4)
  }
}

/// EL2's own memory, at its first, middle and last page.
func testEL2Memory(_ report: inout TestReport) {
  testEL2Page(&report, area: "EL2 memory, first page") { $0.memoryBase }
  testEL2Page(&report, area: "EL2 memory, middle page") {
    ($0.memoryBase &+ $0.memorySize / 2) & ~0xfff
  }
  testEL2Page(&report, area: "EL2 memory, last page") {
    ($0.memoryBase &+ $0.memorySize &- 1) & ~0xfff
  }
  // The arena of the ITSes comes first, the last CPU's stack last.
  testEL2Page(&report, area: "EL2 memory, the arena") { $0.furtherBase }
  testEL2Page(&report, area: "EL2 memory, the last stack") {
    ($0.furtherBase &+ $0.furtherSize &- 1) & ~0xfff
  }
}

private func testEL2Page(
  _ report: inout TestReport, area: StaticString, page: (Hypercall.Information) -> UInt64
) {
  func withPage(_ test: inout Test, _ body: (inout Test, UInt64) -> Void) {
    guard let information = Hypercall.information(), information.memorySize != 0 else {
      test.fail("no hypervisor tells where its memory is")
      return
    }
    body(&test, page(information))
  }

  report.test(area, "a load aborts") { test in
    withPage(&test) { test, page in
      let address = StageOne.window(onto: page)
      test.expectAbort(probe(EL1_LDR_X, address), at: address, write: false)
    }
  }
  report.test(area, "a store aborts") { test in
    withPage(&test) { test, page in
      // Where the page can be read nothing protects it, and what is there is stored once more.
      let address = StageOne.window(onto: page)
      let outcome = probe(EL1_STR_X, address, value: load64(address))
      test.expectAbort(outcome, at: address, write: true)
    }
  }
  report.test(area, "an instruction fetch aborts") { test in
    withPage(&test) { test, page in
      // Code of EL2 isn't executed here even where nothing prevents it.
      let address = StageOne.window(onto: page)
      guard !probe(EL1_LDR_X, address).completed else {
        test.fail("a load reaches the page, so that a fetch isn't tried")
        return
      }
      test.expectFetchAbort(probe(EL1_FETCH, address), at: address)
    }
  }
  report.test(area, "a stage-1 walk through it aborts") { test in
    withPage(&test) { test, page in testWalk(&test, EL1_LDR_W, through: page, write: false) }
  }
  report.test(area, "AT S1E1R whose walk leads through it aborts") { test in
    withPage(&test) { test, page in testTranslation(&test, through: page) }
  }
}
