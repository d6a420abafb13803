// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Hardware that the tree says is disabled, programmed by a host that does not heed that.
///
/// The boot arguments tell which: `testhost.unused=its`, `=gic` for the GIC and the ITS below it, `=smmu`.
func testUnusedHardware(_ report: inout TestReport, _ tree: FlatTree) {
  if tree.bootArgumentsHold("testhost.unused=smmu") {
    report.test("unused", "no register of a disabled SMMU can be reached") { test in
      // SMMU_IDR0, the queues' bases and pointers, and the last words of both pages.
      let offsets: [6 of UInt64] = [0x0, 0x90, 0xa0, 0xfffc, 0x1_00a8, 0x1_fffc]
      for index in offsets.indices { expectUnreachable(&test, Board.smmu + offsets[index]) }
    }
    return
  }
  Redistributors.begin()
  if tree.bootArgumentsHold("testhost.unused=gic") {
    unusedAttack(
      &report, "LPI pending table of a disabled GIC in EL2's memory", Board.redistributors,
      Redistributors.Offset.pendingBase
    ) { canary in
      ring {
        Redistributors.disable(0)
        store64(
          Board.redistributors + Redistributors.Offset.pendingBase, canary | Attacker.attributes)
        Redistributors.enable(0)
      }
      Redistributors.restart()
    }
  }
  unusedAttack(
    &report, "device table of a disabled ITS in EL2's memory", Board.itsControl, Register.gitsBASER0
  ) { canary in
    ring {
      _ = ITSDriver.disable()
      store64(Board.itsControl + Register.gitsBASER0, ITSDriver.Table(base: canary).value)
      ITSDriver.enable()
    }
  }
}

/// Has the ITS, after `change`, map an event to an LPI, and signal it, as far as it goes.
private func ring(after change: () -> Void) {
  el1_zero(Arena.translations, Arena.page)
  var its = ITSDriver()
  guard its.start() else { return }
  change()
  its.append(.mapd(1, table: Arena.translations, eventIDBits: 4))
  its.append(.mapti(1, 0, interrupt: Attacker.clearInterrupt, collectionID: 0))
  its.append(.event(.int, 1, 0))
  _ = its.finish()
}

/// Expects that the registers of a frame abort, and that EL2's canary is intact after `body`.
@inline(never)
private func unusedAttack(
  _ report: inout TestReport, _ name: StaticString, _ frame: UInt64, _ register: UInt64,
  _ body: (UInt64) -> Void
) {
  report.test("attack", name) { test in
    guard let canary = Hypercall.canary() else {
      return test.fail("no hypervisor tells where its canary is")
    }
    _ = Hypercall.overwrittenCanaryWords()
    expectUnreachable(&test, frame)
    expectUnreachable(&test, frame + register)
    expectUnreachable(&test, frame + 0xfff8)
    body(canary.base)
    test.expect(
      "words of EL2's memory that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
  }
}

/// Expects that neither a load nor a store of a word gets there.
private func expectUnreachable(_ test: inout Test, _ address: UInt64) {
  test.expectAbort(probe(EL1_LDR_W, address), at: address, write: false)
  test.expectAbort(probe(EL1_STR_W, address, value: 0), at: address, write: true)
}
