// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Memory that the host gives to another VM, of a hypervisor that has one (`harness.guest`).
///
/// That VM fills it with the canary's pattern, and its words count as the canary's.
private enum Donation {
  /// Gives 64 KiB away: nil where that is done, else the page that prevents it.
  static func give(_ address: UInt64) -> UInt64? {
    let result = Conduit.hvc.call(Hypercall.function, 0x180, address)
    return result.x0 == 0 ? nil : result.x1
  }

  /// Has them back, cleared.
  static func take(_ address: UInt64) -> Bool {
    Conduit.hvc.call(Hypercall.function, 0x181, address).x0 == 0
  }
}

/// Neither what is given away while the hardware uses it nor what is given away before is written to.
func testDonations(_ report: inout TestReport) {
  /// Gives memory away, and tells whether the other VM then finds it changed by what `body` does.
  ///
  /// Whether its use prevents the gift is not asked where `isUsed` is nil: the words alone count then.
  func give(
    _ test: inout Test, _ address: UInt64, isUsed: Bool?, _ body: (inout Attacker) -> Void
  ) {
    guard var host = Attacker() else { return test.fail("no hypervisor tells where its canary is") }
    if !host.its.start() { test.fail("the ITS can't be started") }
    let prevents = Donation.give(address)
    if let isUsed {
      test.expect("the page that prevents it", prevents ?? 0, equals: isUsed ? address : 0)
    }
    _ = Hypercall.overwrittenCanaryWords()
    body(&host)
    test.expect("words that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
    if prevents == nil, !Donation.take(address) { test.fail("the memory does not come back") }
    Redistributors.restart()
  }

  report.test("donation", "a queue in use stays the host's") { test in
    give(&test, Arena.queue, isUsed: true) { host in
      el1_zero(Arena.translations, Arena.page)
      host.mapEvent(host.device, table: Arena.translations)
    }
  }
  report.test("donation", "a pending table in use stays the host's") { test in
    give(&test, Arena.pending(currentCPU()), isUsed: true) { $0.signal() }
  }
  report.test("donation", "a pending table of another CPU in use stays the host's") { test in
    let cpu = Redistributors.last
    give(&test, Arena.pending(cpu), isUsed: true) { $0.signal(on: cpu) }
  }
  // Of a queue the hardware reads alone; into a pending table it writes.
  report.test("donation", "a pending table that is given away is not written to") { test in
    give(&test, Arena.pending(currentCPU()), isUsed: nil) { $0.signal() }
  }
  report.test("donation", "a pending table of another CPU that is given away is not written to") {
    test in
    let cpu = Redistributors.last
    give(&test, Arena.pending(cpu), isUsed: nil) { $0.signal(on: cpu) }
  }
  report.test("donation", "a device table that is given away is not written to") { test in
    give(&test, Arena.devices, isUsed: false) {
      $0.mapEvent($0.device, table: Arena.spare)
      $0.its.append(.mapd($0.device, table: Arena.spare, eventIDBits: 4))
      $0.send(.mapti($0.device, 1, interrupt: Attacker.interrupt, collectionID: 0))
    }
  }
  report.test("donation", "a translation table that is given away is not written to") { test in
    give(&test, Arena.spare, isUsed: false) { $0.mapEvent($0.device, table: Arena.spare) }
  }
  report.test("donation", "memory that is given away does not become a pending table") { test in
    give(&test, Arena.spare, isUsed: false) { host in
      host.whileDisabled {
        store64($0 + Redistributors.Offset.pendingBase, Arena.spare | Attacker.attributes)
      }
      host.signal()
    }
  }
  report.test("donation", "what has come back becomes a pending table") { test in
    if Donation.give(Arena.spare) != nil { test.fail("it is not given away") }
    if !Donation.take(Arena.spare) { test.fail("it does not come back") }
    guard let frame = Redistributors.base(of: currentCPU()) else {
      return test.fail("no Redistributor")
    }
    Redistributors.disable(currentCPU())
    store64(frame + Redistributors.Offset.pendingBase, Arena.spare | Attacker.attributes)
    Redistributors.enable(currentCPU())
    test.expect("GICR_CTLR.EnableLPIs", load32(frame) & 1, equals: 1)
    Redistributors.restart()
  }
  report.test("donation", "what was never given away does not come back") { test in
    if Donation.take(Arena.spare) { test.fail("it does") }
  }
}

/// What the host gives to another VM its devices give up too.
func testDMADonation(_ report: inout TestReport, _ device: EduDevice) {
  // Beside what the device takes its words from.
  let place = Arena.spare + Arena.page
  // So that an SMMU that keeps translations has this one.
  device.write(.max, to: place)
  let isGiven = Donation.give(place) == nil
  report.test("dma attack", "a device writes into memory that is given away") { test in
    _ = Hypercall.overwrittenCanaryWords()
    device.write(.max, to: place)
    device.write(.max, to: place + 0xfff8)
    test.expect(
      "words of EL2's memory that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
  }
  let isBack = Donation.take(place)
  report.test("dma", "memory comes and goes, and a device reaches it again") { test in
    if !isGiven { test.fail("the memory can't be given away") }
    if !isBack { test.fail("the memory does not come back") }
    test.expectNoFault { test in
      device.write(0x1234_5678, to: place)
      test.expect("the word in memory that is back", el1_load64(place), equals: 0x1234_5678)
    }
  }
}
