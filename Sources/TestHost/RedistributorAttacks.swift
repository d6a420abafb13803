// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Attacks by the LPI tables of a Redistributor, which it reads and writes by itself.
extension Attacker {
  /// An LPI whose bit in a pending table at the canary is clear.
  static let clearInterrupt: UInt32 = 8192 + 896
  /// An LPI whose bit in a pending table at the canary is set.
  static let setInterrupt: UInt32 = 8192 + 912
  /// Inner Shareable and write-back.
  static let attributes: UInt64 = 7 << 7 | 1 << 10

  /// Has a CPU's Redistributor use other tables: `change` writes its registers, from the RD frame on, while
  /// LPIs are disabled.
  func whileDisabled(on cpu: UInt64 = currentCPU(), _ change: (UInt64) -> Void) {
    guard let frame = Redistributors.base(of: cpu) else { return }
    Redistributors.disable(cpu)
    change(frame)
    Redistributors.enable(cpu)
  }

  /// Sends an LPI, by `opcode` of an event, to a CPU.
  mutating func signal(
    _ opcode: ITSOpcode = .int, _ interrupt: UInt32 = clearInterrupt, on cpu: UInt64 = currentCPU()
  ) {
    el1_zero(Arena.translations, 0x1_0000)
    its.append(.mapc(1, target: Redistributors.target(of: cpu)))
    its.append(.mapd(device, table: Arena.translations, eventIDBits: 4))
    its.append(.mapti(device, 0, interrupt: interrupt, collectionID: 1))
    its.append(.sync(target: Redistributors.target(of: cpu)))
    send(.event(opcode, device, 0))
  }
}

/// Attacks by GICR_PENDBASER and GICR_PROPBASER, and what the guard of them answers.
func testRedistributorAttacks(_ report: inout TestReport) {
  testPendingAttacks(&report)
  testRedistributorRules(&report)
}

/// An attack, after which all Redistributors get their honest tables again.
private func redistributorAttack(
  _ report: inout TestReport, _ name: StaticString, _ body: (inout Attacker) -> Void
) {
  attack(&report, name) { host in
    body(&host)
    Redistributors.restart()
  }
}

private func testPendingAttacks(_ report: inout TestReport) {
  let base = Redistributors.Offset.pendingBase
  redistributorAttack(&report, "B-85 LPI pending table in EL2's memory, by a 64-bit store") {
    host in
    host.whileDisabled { store64($0 + base, host.canary | Attacker.attributes) }
    host.signal()
  }
  redistributorAttack(&report, "B-85 LPI pending table in the second half of the canary, PTZ set") {
    host in
    host.whileDisabled { store64($0 + base, (host.canary + Arena.page) | 1 << 62) }
    host.signal()
  }
  redistributorAttack(&report, "B-07 LPI pending table in EL2's memory, low half first") { host in
    host.whileDisabled {
      store32($0 + base, (host.canary | Attacker.attributes) & 0xffff_ffff)
      store32($0 + base + 4, host.canary >> 32)
    }
    host.signal()
  }
  redistributorAttack(&report, "B-07 LPI pending table in EL2's memory, high half first") { host in
    host.whileDisabled {
      store32($0 + base + 4, host.canary >> 32)
      store32($0 + base, (host.canary | Attacker.attributes) & 0xffff_ffff)
    }
    host.signal()
  }
  redistributorAttack(
    &report, "B-80 pending table whose bits join those of the one before to EL2's"
  ) {
    host in
    let lowest = host.canary & (0 &- host.canary)
    host.whileDisabled { store64($0 + base, host.canary & ~lowest) }
    host.whileDisabled { store64($0 + base, load64($0 + base) | lowest) }
    host.signal()
  }
  redistributorAttack(&report, "B-85 an LPI cleared in a pending table in EL2's memory") { host in
    host.whileDisabled { store64($0 + base, host.canary | Attacker.attributes) }
    host.signal(.clear, Attacker.setInterrupt)
  }
  redistributorAttack(&report, "B-85 pending table moved while LPIs are enabled, then enabled anew")
  {
    host in
    guard let frame = Redistributors.base(of: currentCPU()) else { return }
    store64(frame + base, host.canary | Attacker.attributes)
    host.whileDisabled { store64($0 + base, host.canary | Attacker.attributes) }
    host.signal()
  }
  redistributorAttack(&report, "B-85 pending table of another CPU's Redistributor in EL2's memory")
  {
    host in
    let cpu = Redistributors.last
    host.whileDisabled(on: cpu) { store64($0 + base, host.canary | Attacker.attributes) }
    host.signal(on: cpu)
  }
  redistributorAttack(&report, "B-85 pending table in EL2's memory, non-cacheable") { host in
    host.whileDisabled { store64($0 + base, host.canary | 1 << 7) }
    host.signal()
  }
}

private func testRedistributorRules(_ report: inout TestReport) {
  let pending = Redistributors.Offset.pendingBase
  let configuration = Redistributors.Offset.configurationBase
  report.test("Redistributor", "B-85 LPIs stay disabled with a pending table in EL2's memory") {
    test in
    guard let canary = Hypercall.canary(), let frame = Redistributors.base(of: currentCPU()) else {
      return test.fail("no canary, or no Redistributor")
    }
    Redistributors.disable(currentCPU())
    store64(frame + pending, canary.base | Attacker.attributes)
    Redistributors.enable(currentCPU())
    test.expect("GICR_CTLR.EnableLPIs", load32(frame) & 1, equals: 0)
    Redistributors.restart()
    test.expect("GICR_CTLR.EnableLPIs of honest tables", load32(frame) & 1, equals: 1)
    _ = Hypercall.overwrittenCanaryWords()
  }
  // No attack: without mediation nothing is counted, which must not stand for one that has succeeded.
  report.test("statistics", "the tables that Redistributors have in use are counted") { test in
    test.expect(
      "the tables held", Hypercall.count(67) ?? 0, equals: 2 * (Redistributors.last + 1))
  }
  report.test("Redistributor", "B-85 no LPI is enabled by what is in EL2's memory") { test in
    guard let canary = Hypercall.canary(), let frame = Redistributors.base(of: currentCPU()) else {
      return test.fail("no canary, or no Redistributor")
    }
    // Byte 2 of each word of the canary is 0x59: enabled. The host's own table says that it is not.
    let interrupt: UInt32 = 8192 + 8 * 100 + 2
    Redistributors.disable(currentCPU())
    store64(frame + configuration, canary.base | Attacker.attributes | 15)
    Redistributors.enable(currentCPU())
    Redistributors.configure(UInt64(interrupt), isEnabled: false)
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    el1_zero(Arena.translations, Arena.page)
    its.append(.mapd(1, table: Arena.translations, eventIDBits: 4))
    its.append(.mapti(1, 1, interrupt: interrupt, collectionID: 0))
    test.expectInterrupt(&its, 1, 1, interrupt: UInt64(interrupt), times: 0)
    Redistributors.restart()
    _ = Hypercall.overwrittenCanaryWords()
  }
  report.test("Redistributor", "B-85 the table registers are locked while LPIs are enabled") {
    test in
    guard let frame = Redistributors.base(of: currentCPU()) else {
      return test.fail("no Redistributor")
    }
    let before = (load64(frame + configuration), load64(frame + pending))
    store64(frame + pending, Arena.spare | Attacker.attributes)
    store64(frame + configuration, Arena.spare | 14)
    store32(frame + configuration + 4, 1)
    test.expect("GICR_PENDBASER", load64(frame + pending), equals: before.1)
    test.expect("GICR_PROPBASER", load64(frame + configuration), equals: before.0)
    Redistributors.restart()
  }
  report.test("Redistributor", "what the host writes to the table registers it reads back") {
    test in
    guard let frame = Redistributors.base(of: currentCPU()) else {
      return test.fail("no Redistributor")
    }
    Redistributors.disable(currentCPU())
    let value = Arena.configuration | Attacker.attributes | 15
    store64(frame + configuration, value)
    test.expect("GICR_PROPBASER", load64(frame + configuration), equals: value)
    test.expect("its high half", load32(frame + configuration + 4), equals: value >> 32)
    let table = Arena.pending(currentCPU()) | Attacker.attributes
    store64(frame + pending, table)
    test.expect("GICR_PENDBASER", load64(frame + pending), equals: table)
    Redistributors.restart()
    test.expect("GICR_CTLR.EnableLPIs", load32(frame) & 1, equals: 1)
  }
  report.test("Redistributor", "B-09 reserved registers read as zero and take no writes") { test in
    guard let frame = Redistributors.base(of: currentCPU()) else {
      return test.fail("no Redistributor")
    }
    let offsets: InlineArray<6, UInt64> = [0x20, 0x24, 0x100, 0x110, 0xc000, 0xffcc]
    for index in offsets.indices {
      let offset = offsets[index]
      test.expectCompletion(probe(EL1_STR_W, frame + offset, value: 0xffff_ffff))
      test.expectLoad(probe(EL1_LDR_W, frame + offset), of: 0)
    }
  }
  report.test("Redistributor", "B-85 a vPE in EL2's memory does not become resident") { test in
    guard let canary = Hypercall.canary(), let frame = Redistributors.base(of: currentCPU()) else {
      return test.fail("no canary, or no Redistributor")
    }
    guard GICRTyper(rawValue: load64(frame + 8)).hasVirtualLPIs else {
      return test.skip("no virtual LPIs")
    }
    store64(frame + 0x2_0070, Arena.configuration | 15)
    store64(frame + 0x2_0078, canary.base | 1 << 63)
    test.expect("GICR_VPENDBASER.Valid", load64(frame + 0x2_0078) >> 63, equals: 0)
    store64(frame + 0x2_0078, 0)
  }
}
