// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The hypervisor's own calls, and calls that nobody knows.
func testHypercalls(_ report: inout TestReport) {
  report.test("hypercall", "the hypervisor tells its interface version and its memory") { test in
    guard let information = Hypercall.information() else {
      test.fail("no hypervisor answers")
      return
    }
    test.expect("the version", information.apiVersion, equals: Hypercall.apiVersion)
    test.expect("the base's offset in a page", information.memoryBase & 0xfff, equals: 0)
    test.expect("the size", information.memorySize, in: 0x1000...0x4000_0000)
    test.expect("the number of protected regions", information.protectedRegions, in: 1...64)
  }
  report.test("hypercall", "the hypervisor's memory isn't where the host was loaded") { test in
    guard let information = Hypercall.information() else {
      test.fail("no hypervisor answers")
      return
    }
    let end = information.memoryBase &+ information.memorySize
    if el1_image_start() < end, information.memoryBase < el1_image_end() {
      test.fail("the host's image lies in EL2's memory")
      test.expect("the base of EL2's memory", information.memoryBase, equals: el1_image_end())
    }
  }
  report.test("hypercall", "ITS 0 is the one at the board's address") { test in
    guard let its = Hypercall.its(0) else {
      test.fail("no hypervisor answers")
      return
    }
    test.expect("the control frame", its.controlFrame, equals: Board.itsControl)
  }
  report.test("hypercall", "an ITS that isn't there is NOT_SUPPORTED") { test in
    expectNotSupported(&test, Conduit.hvc.call(Hypercall.function, 1, 8))
    expectNotSupported(&test, Conduit.hvc.call(Hypercall.function, 1, .max))
  }
  report.test("hypercall", "an unknown selector is NOT_SUPPORTED") { test in
    expectNotSupported(&test, Conduit.hvc.call(Hypercall.function, 3))
    expectNotSupported(&test, Conduit.hvc.call(Hypercall.function, .max))
  }
  report.test("hypercall", "a trace that isn't kept is NOT_SUPPORTED") { test in
    expectNotSupported(&test, Conduit.hvc.call(Hypercall.function, Hypercall.trace, 0))
  }
  report.test("hypercall", "an unknown vendor function by HVC is NOT_SUPPORTED") { test in
    expectNotSupported(&test, Conduit.hvc.call(Hypercall.unknownFunction))
  }
  report.test("hypercall", "an unknown 64-bit function by HVC is NOT_SUPPORTED") { test in
    expectNotSupported(&test, Conduit.hvc.call(0xc700_ffff, 1, 2, 3))
  }
  report.test("hypercall", "a yielding call by HVC is NOT_SUPPORTED") { test in
    expectNotSupported(&test, Conduit.hvc.call(0x0000_0001))
  }
  report.test("hypercall", "the SVE hint is no part of a function's number") { test in
    let hint: UInt64 = 1 << 16
    let psci = PSCI()
    test.expect(
      "the version of PSCI", psci.conduit.call(PSCI.version | hint).x0,
      equals: psci.conduit.call(PSCI.version).x0)
    test.expect(
      "the hypervisor's answer", Conduit.hvc.call(Hypercall.function | hint).x0, equals: 0)
    expectNotSupported(&test, Conduit.hvc.call(Hypercall.function | 1 << 17))
  }
  report.test("hypercall", "an unknown function by SMC is NOT_SUPPORTED") { test in
    expectNotSupported(&test, Conduit.smc.call(0xc200_ffff))
    expectNotSupported(&test, Conduit.smc.call(0xc700_ffff, 1, 2, 3))
  }
}

private func expect(
  _ test: inout Test, _ what: StaticString, _ number: UInt64, grows growth: UInt64,
  _ body: () -> Void
) {
  let before = Hypercall.count(number)
  body()
  let after = Hypercall.count(number)
  guard let before, let after else {
    test.fail("nothing is counted")
    return
  }
  test.expect(what, after &- before, equals: growth)
}

private func load(_ offset: UInt64) { _ = probe(EL1_LDR_W, Board.itsControl + offset) }

/// What EL2 counts, against what this host does.
func testStatistics(_ report: inout TestReport) {
  report.test("statistics", "there is one ITS, and a clock") { test in
    test.expect("ITSes", Hypercall.count(0) ?? 0, equals: 1)
    test.expect("counts in a second", Hypercall.count(1) ?? 0, in: 1_000_000...10_000_000_000)
  }
  report.test("statistics", "stores are counted by register, and those without effect") { test in
    expect(&test, "stores to GITS_IIDR", 512 + 96 + 1, grows: 1) {
      _ = probe(EL1_STR_W, Board.itsControl + Register.gitsIIDR)
    }
    expect(&test, "stores without effect", 512 + 288, grows: 1) {
      _ = probe(EL1_STR_W, Board.itsControl + Register.gitsIIDR)
    }
  }
  report.test("statistics", "a number of nothing is INVALID") { test in
    test.expect("a hole", Hypercall.count(9) ?? .max, equals: .max)
    test.expect("an ITS that isn't there", Hypercall.count(2 * 512) ?? .max, equals: .max)
    test.expect("the largest", Hypercall.count(.max) ?? .max, equals: .max)
  }
}

/// What the image counts beside that: a hypervisor that links the library keeps it itself.
func testBoardStatistics(_ report: inout TestReport) {
  report.test("statistics", "loads and stores are counted by register, and as traps") { test in
    expect(&test, "loads of GITS_IIDR", 512 + 1, grows: 3) {
      for _ in 0..<3 { load(Register.gitsIIDR) }
    }
    expect(&test, "loads of GITS_PIDR2", 512 + 80, grows: 2) {
      for _ in 0..<2 { load(Register.gitsPIDR2) }
    }
    expect(&test, "traps", 2, grows: 2) { for _ in 0..<2 { load(Register.gitsIIDR) } }
  }
  report.test("statistics", "refused accesses are counted by reason, and calls") { test in
    expect(&test, "refused widths", 16 + 1, grows: 1) {
      _ = probe(EL1_LDRB, Board.itsControl + Register.gitsIIDR)
    }
    expect(&test, "calls", 4, grows: 2) { _ = Hypercall.count(0) }
  }
  report.test("statistics", "the longest trap took some time") { test in
    // Read before the sum, which only grows.
    let longest = Hypercall.count(5) ?? 0
    test.expect("counts of the clock", longest, in: 1...(.max))
    test.expect("those of all traps", Hypercall.count(8) ?? 0, in: longest...(.max))
    // Mostly a data abort. But time is the machine's that emulates the board, and where that was busy
    // elsewhere just then, any trap is the longest: from HVC to data abort.
    test.expect("the class of its syndrome", (Hypercall.count(6) ?? 0) >> 26, in: 0x16...0x24)
  }
}

/// The call that reads the trace, where there is one.
func testTrace(_ report: inout TestReport) {
  report.test("trace", "its first record is the header, as often as it is read and not taken") {
    test in
    for _ in 0..<2 {
      let first = Conduit.hvc.call(Hypercall.function, Hypercall.trace, 0)
      test.expect("x0", first.x0, equals: 0)
      test.expect("the kind, the ITS, the CPU and no more", first.x1, equals: 1)
      test.expect("the magic", first.x3, equals: 0x4543_4152_5452_4f50)
    }
  }
  report.test("trace", "a record has two halves") { test in
    let other = Conduit.hvc.call(Hypercall.function, Hypercall.trace, 2)
    test.expect("x0", other.x0, equals: UInt64(bitPattern: -3))
  }
}

private func expectNotSupported(_ test: inout Test, _ result: CallResult) {
  guard !result.undefined else {
    test.fail("the call is an undefined instruction: nobody answers it")
    return
  }
  // A 32-bit status may leave the upper half zero.
  test.expect("x0", PSCI.extended(result.x0), equals: notSupported)
}

/// PSCI on the calling CPU.
func testFirmware(_ report: inout TestReport, _ psci: PSCI) {
  report.test("psci", "VERSION is 0.2 or later") { test in
    let version = psci.conduit.call(PSCI.version)
    test.expect("the version", version.x0, in: 0x0000_0002...0x0001_ffff)
    if version.undefined { test.fail("the call is an undefined instruction") }
  }
  report.test("psci", "FEATURES knows CPU_ON and refuses what doesn't exist") { test in
    test.expect(
      "CPU_ON", PSCI.extended(psci.conduit.call(PSCI.features, PSCI.cpuOn).x0), equals: 0)
    test.expect(
      "an unknown function", PSCI.extended(psci.conduit.call(PSCI.features, 0x8400_00ff).x0),
      equals: notSupported)
  }
  report.test("psci", "AFFINITY_INFO of the calling CPU is ON") { test in
    test.expect("the state", psci.affinityInfo(of: affinity()), equals: PSCI.on)
  }
  report.test("psci", "AFFINITY_INFO of no CPU is INVALID_PARAMETERS") { test in
    test.expect("the state", psci.affinityInfo(of: 0x00ff_ff00), equals: PSCI.invalidParameters)
  }
  report.test("psci", "CPU_ON of the calling CPU is ALREADY_ON") { test in
    test.expect(
      "the status", psci.start(affinity(), at: el1_secondary_entry_address(), context: 0),
      equals: PSCI.alreadyOn)
  }
  report.test("psci", "CPU_ON of no CPU is INVALID_PARAMETERS") { test in
    test.expect(
      "the status", psci.start(0x00ff_ff00, at: el1_secondary_entry_address(), context: 0),
      equals: PSCI.invalidParameters)
  }
}

/// The affinity fields of the calling CPU's MPIDR_EL1.
private func affinity() -> UInt64 { el1_read_mpidr() & 0xff_00ff_ffff }

/// The last of all tests: no trap before has taken more stack than the library says, of the CPU that runs this.
func testStack(_ report: inout TestReport) {
  report.test("hypercall", "no trap has taken more stack than portcullis.h says") { test in
    let result = Conduit.hvc.call(Hypercall.function, 0x182)
    test.expect("the answer", result.x0, equals: 0)
    test.expect("bytes of stack", result.x1, in: 1...result.x2)
  }
}
