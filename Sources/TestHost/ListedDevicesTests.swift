// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// A board whose tree gives 16 DeviceIDs to devices, and whose policy permits these alone.
func testListedDevices(_ report: inout TestReport) {
  let area: StaticString = "listed devices"
  Redistributors.begin()

  report.test(area, "a device of the list is mapped, and its interrupt arrives") { test in
    expectServed(&test, 0)
    expectServed(&test, 15)
  }
  report.test(area, "MAPD of another one is refused, for that reason, and has no effect") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    let before = refusals()
    mapUnknown(&its, 16)
    mapUnknown(&its, 1000)
    test.expect("commands refused for it", refusals() &- before, equals: 2)
    // Of a device that is not mapped nothing can be mapped, nor does it ring.
    expectServed(&test, 1)
  }
  report.test(area, "a device of the list is mapped anew and unmapped behind that") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    let before = refusals()
    its.append(.mapd(3, table: Arena.translations, eventIDBits: 4))
    its.append(.mapd(3, table: Arena.translations, eventIDBits: 5))
    its.append(.unmapd(3))
    if !its.finish() { test.fail("the queue doesn't go on") }
    test.expect("commands refused for it", refusals() &- before, equals: 0)
  }
}

/// Commands of ITS 0 that were refused as of no device: reason 15.
private func refusals() -> UInt64 { Hypercall.count(512 + 256 + 15) ?? .max }

private func mapUnknown(_ its: inout ITSDriver, _ device: UInt32) {
  el1_zero(Arena.translations, Arena.page)
  its.append(.mapd(device, table: Arena.translations, eventIDBits: 4))
  its.append(.mapti(device, 1, interrupt: 8192 + 902, collectionID: 0))
  _ = its.finish()
}

/// Expects that an honest driver is served, with this device.
private func expectServed(_ test: inout Test, _ device: UInt32) {
  var its = ITSDriver()
  if !its.start() { test.fail("the ITS can't be started") }
  el1_zero(Arena.translations, Arena.page)
  its.append(.mapd(device, table: Arena.translations, eventIDBits: 4))
  its.append(.mapti(device, 1, interrupt: 8192 + 901, collectionID: 0))
  test.expectInterrupt(&its, device, 1, interrupt: 8192 + 901)
}
