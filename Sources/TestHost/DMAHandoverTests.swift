// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Memory that EL2 claims while devices reach it: a trusted host hands its live ITS over.
///
/// What is claimed here is claimed behind the snapshot, as the control frame was before it.
func testDMAHandover(_ report: inout TestReport) {
  StageOne.mapConfigurationSpace()
  Redistributors.begin()
  guard let device = EduDevice(0), let other = EduDevice(1) else {
    report.test("dma", "there are two devices") { $0.fail("there are not") }
    return
  }
  var live = LiveITS(twoLevels: false)
  // An entry of a DeviceID that no device has.
  let entry = LiveITS.Place.devices + 0x800
  report.test("dma handover", "the live ITS's table is the host's, and its devices reach it") {
    test in
    if !live.start() { test.fail("the ITS can't be started") }
    test.expectNoFault { test in
      device.write(0x77, to: entry)
      test.expect("the word in memory", el1_load64(entry), equals: 0x77)
      device.write(0, to: entry)
      test.expect("the word read", device.read(LiveITS.Place.devices + 8), differsFrom: 0)
    }
    test.expectInterrupt(&live.its, 1, 1, interrupt: LiveITS.interrupt(1, 1))
  }
  report.test("dma handover", "what a refused handover has claimed is given back to devices, too") {
    test in
    for _ in 0..<3 {
      live.describe()
      // The staging queue, at which everything is claimed already.
      el1_store64(LiveITS.Place.descriptor + 3 * 8, LiveITS.Place.queue)
      el1_barrier()
      let answer = HandoverExample.call(0, LiveITS.Place.descriptor)
      test.expect("the answer", UInt64(bitPattern: answer), equals: UInt64(bitPattern: -27))
      test.expectNoFault { test in
        device.write(0x99, to: entry)
        test.expect("the word in memory", el1_load64(entry), equals: 0x99)
        device.write(0, to: entry)
        test.expect("the word read", other.read(LiveITS.Place.devices + 8), differsFrom: 0)
      }
    }
  }
  testDMAUnderWay(&report, device, other, &live)
  testClaimedTables(&report, device, other, &live)
}

/// A DMA that was begun before the handover and ends behind it.
private func testDMAUnderWay(
  _ report: inout TestReport, _ device: EduDevice, _ other: EduDevice, _ live: inout LiveITS
) {
  // The entry of the device with DeviceID 1, without which none of its events arrives, and that of the next.
  let table = LiveITS.Place.devices + 8
  let before = DMAFaults.count
  var wasUnderWay = false
  report.test("dma handover", "the ITS is handed over while two devices are at its tables") {
    test in
    device.fill(0)
    other.fill(EduDevice.mark)
    live.describe()
    device.beginWriting(table, count: 8)
    other.beginReading(table + 8, count: 8)
    let answer = HandoverExample.call(0, LiveITS.Place.descriptor)
    wasUnderWay = device.isBusy && other.isBusy
    test.expect("the answer", UInt64(bitPattern: answer), equals: 0)
    live.its.queue = LiveITS.Place.staging
    if !wasUnderWay { test.fail("the DMA has ended before the handover") }
    if !device.wait() || !other.wait() { test.fail("the DMA doesn't end") }
  }
  report.test("dma attack", "a DMA under way to a table that is claimed meanwhile") { test in
    if !wasUnderWay { test.fail("the DMA has ended before the handover") }
    // The ITS reads the entry anew.
    live.its.append(.event(.inv, 1, 1))
    test.expectInterrupt(&live.its, 1, 1, interrupt: LiveITS.interrupt(1, 1))
  }
  report.test("dma attack", "a DMA under way from a table that is claimed meanwhile") { test in
    let word = other.word
    if word != 0, word != EduDevice.mark {
      test.expect("what a device has read", word, equals: EduDevice.mark)
    }
  }
  report.test("dma fault", "of the DMAs that were under way") { test in
    test.expect("the faults recorded", DMAFaults.count - before, in: 2...16)
    test.expect("the address", DMAFaults.address, in: table...table + 15)
    test.expect("the event", DMAFaults.number, equals: DMAFaults.translation)
  }
}

/// What was claimed is out of reach, and what was not is in it.
private func testClaimedTables(
  _ report: inout TestReport, _ device: EduDevice, _ other: EduDevice, _ live: inout LiveITS
) {
  func testFaults(_ name: StaticString, _ device: EduDevice, _ address: UInt64) {
    report.test("dma fault", name) { test in
      test.expectFault(device, at: address) { _ = device.read(address) }
      test.expectFault(device, at: address) { device.write(.max, to: address) }
    }
  }
  testFaults("in the queue that was handed over", device, LiveITS.Place.queue)
  testFaults("at the end of that queue", other, LiveITS.Place.queue + 0xfff8)
  testFaults("in the table of devices", device, LiveITS.Place.devices)
  testFaults("in the table of collections", other, LiveITS.Place.collections)
  testFaults("in a translation table", device, LiveITS.Place.translations + 0x800)
  report.test("dma handover", "every event of every device arrives as before") { test in
    for index in 0..<LiveITS.deviceCount {
      let id = live.device(index).id
      test.expectInterrupt(&live.its, id, 1, interrupt: LiveITS.interrupt(id, 1))
    }
  }
  report.test("dma handover", "devices reach the staging queue, which is the host's") { test in
    test.expectNoFault { _ in _ = device.read(LiveITS.Place.staging) }
  }
  report.test("dma handover", "the trust ends, and nothing changes for devices") { test in
    test.expect("the answer", UInt64(bitPattern: HandoverExample.finalise()), equals: 0)
    test.expectFault(device, at: LiveITS.Place.devices) { _ = device.read(LiveITS.Place.devices) }
    test.expectNoFault { _ in _ = device.read(Arena.spare) }
  }
}
