// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// What drivers of an ITS do each in their own way, all of which works on hardware.
///
/// The bits of a command that mean nothing are what was in the slot before, in every test of the host.
func testHabits(_ report: inout TestReport) {
  let area: StaticString = "its habits"
  let device: UInt32 = 9
  let control = Board.itsControl

  func interrupt(_ event: UInt32) -> UInt64 { Devices.interrupt(device, event) }
  func mapd() -> ITSCommand {
    .mapd(device, table: Devices().table(device), eventIDBits: Devices.eventIDBits)
  }
  func mapti(_ event: UInt32) -> ITSCommand {
    .mapti(
      device, event, interrupt: UInt32(truncatingIfNeeded: interrupt(event)), collectionID: 0)
  }
  func map(_ its: inout ITSDriver) -> Bool {
    el1_zero(Devices().table(device), 0x1000)
    el1_clean(Devices().table(device), 0x1000)
    its.append(mapd())
    for event in 0..<Devices.eventsEach {
      its.append(mapti(event))
      its.append(.event(.inv, device, event))
    }
    return its.finish()
  }
  func mapped(_ test: inout Test) -> ITSDriver {
    var its = ITSDriver()
    test.expect("the ITS is started", its.start() ? 1 : 0, equals: 1)
    test.expect("the device is mapped", map(&its) ? 1 : 0, equals: 1)
    return its
  }
  func expectEvents(_ test: inout Test, _ its: inout ITSDriver, times: UInt64 = 1) {
    for event in 0..<Devices.eventsEach {
      test.expectInterrupt(&its, device, event, interrupt: interrupt(event), times: times)
    }
  }
  /// Writes registers of 64 bits by their halves, `first` and then the other.
  func store(_ register: UInt64, _ value: UInt64, first: UInt64) {
    store32(register + first, value >> (first * 8) & 0xffff_ffff)
    let second = 4 - first
    store32(register + second, value >> (second * 8) & 0xffff_ffff)
  }

  report.test(area, "MAPD of the same table before each MAPTI, and no SYNC") { test in
    var its = ITSDriver()
    test.expect("the ITS is started", its.start() ? 1 : 0, equals: 1)
    el1_zero(Devices().table(device), 0x1000)
    el1_clean(Devices().table(device), 0x1000)
    for event in 0..<Devices.eventsEach {
      its.append(mapd())
      its.append(mapti(event))
      its.append(.event(.inv, device, event))
    }
    test.expect("the commands are read", its.finish() ? 1 : 0, equals: 1)
    expectEvents(&test, &its)
  }
  for first in stride(from: UInt64(0), through: 4, by: 4) {
    report.test(
      area,
      first == 0
        ? "registers of 64 bits by halves, the lower first"
        : "registers of 64 bits by halves, the upper first"
    ) { test in
      var its = ITSDriver()
      test.expect("the ITS is programmed", its.program() ? 1 : 0, equals: 1)
      if let register = ITSDriver.register(of: .devices) {
        store(register, its.devices.value, first: first)
      }
      if let register = ITSDriver.register(of: .collections) {
        store(register, its.collections.value, first: first)
      }
      let queue = GITSCommandBase(
        base: its.queue, pages: its.queuePages, attributes: MemoryAttributes.coherent)
      store(control + Register.gitsCBASER, queue.rawValue, first: first)
      store(control + Register.gitsCWRITER, 0, first: first)
      ITSDriver.enable()
      its.append(.mapc(0, target: Redistributors.target(of: currentCPU())))
      test.expect("the device is mapped", map(&its) ? 1 : 0, equals: 1)
      expectEvents(&test, &its)
      test.expect(
        "GITS_CREADR by 64 bits", load64(control + Register.gitsCREADR), equals: its.next)
    }
  }
  report.test(area, "the page size that GITS_BASER<n> has when it is looked at") { test in
    var its = ITSDriver()
    if let register = ITSDriver.register(of: .devices) {
      its.devices.pageSize = GITSTableBase(rawValue: load64(register)).pageSize
    }
    test.expect("the ITS is started", its.start() ? 1 : 0, equals: 1)
    test.expect("the device is mapped", map(&its) ? 1 : 0, equals: 1)
    expectEvents(&test, &its)
  }
  report.test(area, "GITS_CBASER and GITS_BASER<n> right behind the store that clears Enabled") {
    test in
    var its = ITSDriver()
    test.expect("the ITS is started", its.start() ? 1 : 0, equals: 1)
    let base = control + Register.gitsCBASER
    let queue = load64(base)
    for _ in 0..<16 {
      store32(control + Register.gitsCTLR, 0)
      store64(base, queue)
      store64(control + Register.gitsCWRITER, 0)
      ITSDriver.enable()
      its.next = 0
      test.expect("the device is mapped", map(&its) ? 1 : 0, equals: 1)
    }
    expectEvents(&test, &its)
  }
  report.test(area, "off and on again with the same tables, as they were: all is mapped") { test in
    var its = mapped(&test)
    test.expect("the ITS is off", ITSDriver.disable() ? 1 : 0, equals: 1)
    let base = control + Register.gitsCBASER
    store64(base, load64(base))
    store64(control + Register.gitsCWRITER, 0)
    its.next = 0
    for index in 0..<8 as Range<UInt64> {
      let register = control + Register.gitsBASER0 + 8 * index
      store64(register, load64(register))
    }
    ITSDriver.enable()
    expectEvents(&test, &its)
  }
  report.test(area, "off and on again with the same tables, zeroed: nothing is mapped") { test in
    var its = mapped(&test)
    test.expect("the ITS is started again", its.start() ? 1 : 0, equals: 1)
    expectEvents(&test, &its, times: 0)
    // It can be mapped again.
    test.expect("the device is mapped", map(&its) ? 1 : 0, equals: 1)
    expectEvents(&test, &its)
  }
}
