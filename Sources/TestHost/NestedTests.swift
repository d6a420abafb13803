// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The host sees an SMMU with a stage 1, and is told that by a boot argument.
func testNestedSMMU(_ report: inout TestReport, _ device: EduDevice) {
  let smmu = SMMUDriver()
  testStage1(&report, device, smmu)
  testStage1Attacks(&report, device, smmu)
  // The SMMU itself may do with these what it likes.
  if Hypercall.count(256) ?? 0 > 0 {
    testRefusedEntries(&report, device, smmu)
    testRefusedCommands(&report, smmu)
  }
  if !smmu.stop() {
    report.test("virtual smmu", "it is off again") { $0.fail("it is not") }
  }
}

/// Starts with stage 1 for a device, of which the second page is `target`.
private func begin(
  _ test: inout Test, _ device: EduDevice, _ smmu: SMMUDriver, target: UInt64 = SMMUDriver.data
) {
  if !smmu.start() { test.fail("the SMMU can't be started") }
  if !smmu.build(target: target) || !smmu.attach(device.stream) {
    test.fail("commands are not carried out")
  }
}

private func testStage1(_ report: inout TestReport, _ device: EduDevice, _ smmu: SMMUDriver) {
  let area: StaticString = "virtual smmu"
  report.test(area, "the tree has it, and what names it") { test in
    let tree = FlatTree(address: el1_device_tree())
    if !tree.hasProperty("compatible\0", of: "smmuv3@") { test.fail("there is no SMMU") }
    if !tree.hasProperty("iommu-map\0", of: "pcie@") { test.fail("there is no iommu-map") }
  }
  report.test(area, "it offers a stage 1, no stage 2, no ATS, no MSIs and no PRI") { test in
    let offered: UInt64 = 1 << 0 | 1 << 1 | 1 << 10 | 1 << 13 | 1 << 16
    test.expect("IDR0", smmu.read(0) & offered, equals: 1 << 1)
  }
  report.test(area, "a device reaches memory where stage 1 has it") { test in
    begin(&test, device, smmu)
    test.expectNoFault { test in
      device.write(0x1234_5678_9abc_def0, to: 0)
      test.expect("the word in memory", el1_load64(SMMUDriver.data), equals: 0x1234_5678_9abc_def0)
      el1_store64(SMMUDriver.data + 8, 0x0fed_cba9_8765_4321)
      test.expect("the word read", device.read(8), equals: 0x0fed_cba9_8765_4321)
    }
    if smmu.takeEvent() != nil { test.fail("there is an event") }
  }
  report.test(area, "what stage 1 has not is told to the host, and not logged by EL2") { test in
    begin(&test, device, smmu)
    test.expectNoFault { _ in _ = device.read(SMMUDriver.unmapped) }
    guard let event = smmu.takeEvent() else {
      test.fail("there is no event")
      return
    }
    test.expect("the number", event.word0 & 0xff, equals: DMAFaults.translation)
    test.expect("the stream", event.word0 >> 32, equals: UInt64(device.stream))
    test.expect("S2", event.word1 >> 39 & 1, equals: 0)
    test.expect("the address", event.address & ~7, equals: SMMUDriver.unmapped)
  }
  report.test(area, "a page that stage 1 loses is out of the device's reach") { test in
    begin(&test, device, smmu, target: Arena.spare)
    device.write(1, to: SMMUDriver.second)
    test.expect("the word in memory", el1_load64(Arena.spare), equals: 1)
    if !smmu.build(target: SMMUDriver.data) { test.fail("commands are not carried out") }
    device.write(2, to: SMMUDriver.second)
    test.expect("the word that was there", el1_load64(Arena.spare), equals: 1)
    test.expect("the word that is there", el1_load64(SMMUDriver.data), equals: 2)
  }
}

/// Succeeds where the SMMU is the host's, and stage 1 all that there is.
private func testStage1Attacks(
  _ report: inout TestReport, _ device: EduDevice, _ smmu: SMMUDriver
) {
  func withCanary(_ test: inout Test, _ body: (inout Test, UInt64) -> Void) {
    guard let canary = Hypercall.canary() else {
      test.fail("no hypervisor tells where its canary is")
      return
    }
    _ = Hypercall.overwrittenCanaryWords()
    body(&test, canary.base)
    test.expect(
      "words of EL2's memory that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
  }
  func expectFault(_ test: inout Test, _ body: () -> Void) {
    let before = DMAFaults.count
    body()
    test.expect("the faults recorded", DMAFaults.count - before, in: 1...16)
    test.expect("the stream", DMAFaults.stream, equals: UInt64(device.stream))
    if smmu.takeEvent() != nil { test.fail("the host is told of EL2's stage 2") }
  }

  report.test("dma attack", "a stage 1 that leads a device into EL2's memory") { test in
    withCanary(&test) { test, canary in
      begin(&test, device, smmu, target: canary)
      expectFault(&test) { device.write(.max, to: SMMUDriver.second) }
    }
  }
  report.test("dma attack", "an entry without a stage lets a device into EL2's memory") { test in
    withCanary(&test) { test, canary in
      begin(&test, device, smmu)
      if !smmu.attach(device.stream, configuration: SMMUDriver.bypass) {
        test.fail("commands are not carried out")
      }
      expectFault(&test) { device.write(.max, to: canary) }
    }
  }
  report.test("dma attack", "a stage 2 of the host's leads a device into EL2's memory") { test in
    withCanary(&test) { test, canary in
      if !smmu.start() { test.fail("the SMMU can't be started") }
      if !smmu.attachStage2(device.stream, target: canary) {
        test.fail("commands are not carried out")
      }
      device.write(.max, to: SMMUDriver.second)
    }
  }
  report.test("dma attack", "an event queue in EL2's memory") { test in
    withCanary(&test) { test, canary in
      if !smmu.start(events: canary) { test.fail("the SMMU can't be started") }
      if !smmu.build(target: SMMUDriver.data) || !smmu.attach(device.stream) {
        test.fail("commands are not carried out")
      }
      _ = device.read(SMMUDriver.unmapped)
      if !smmu.hasLostEvents { test.fail("the host is not told that events are lost") }
    }
  }
}

/// The counts of what virtual SMMUs have refused, from the first reason on.
private func refusals(_ reason: UInt64) -> UInt64 { Hypercall.count(272 + reason) ?? 0 }

private func testRefusedEntries(
  _ report: inout TestReport, _ device: EduDevice, _ smmu: SMMUDriver
) {
  let area: StaticString = "virtual smmu"
  func expectUnreachable(_ test: inout Test) {
    el1_store64(SMMUDriver.data, 7)
    device.beginWriting(SMMUDriver.data, count: 8)
    device.wait()
    test.expect("a word that the device may not write", el1_load64(SMMUDriver.data), equals: 7)
  }
  report.test(area, "an entry with a stage 2 of the host's is refused, and the stream invalid") {
    test in
    begin(&test, device, smmu)
    let before = refusals(8)
    if !smmu.attach(device.stream, configuration: SMMUDriver.stage2) {
      test.fail("commands are not carried out")
    }
    test.expect("the refusals", refusals(8) - before, equals: 1)
    expectUnreachable(&test)
  }
  report.test(area, "contexts in EL2's memory are not read") { test in
    guard let canary = Hypercall.canary() else {
      test.fail("no hypervisor tells where its canary is")
      return
    }
    begin(&test, device, smmu)
    if !smmu.attach(device.stream, context: canary.base) {
      test.fail("commands are not carried out")
    }
    expectUnreachable(&test)
    test.expect(
      "words of EL2's memory that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
  }
}

private func testRefusedCommands(_ report: inout TestReport, _ smmu: SMMUDriver) {
  let area: StaticString = "virtual smmu"
  // Numbers of commands: reserved, those of EL2's regime and of a stage 2, and ATS.
  report.test(area, "commands that are not the host's stop its queue, and EL2's goes on") { test in
    let numbers: InlineArray<5, UInt64> = [0xff, 0x20, 0x28, 0x2a, 0x40]
    for index in numbers.indices {
      let number = numbers[index]
      if !smmu.start() { test.fail("the SMMU can't be started") }
      if smmu.send(number) { test.fail("the queue goes on") }
      test.expect("the error", smmu.error, equals: 1)
    }
    if !smmu.start() { test.fail("the SMMU can't be started") }
  }
  report.test(area, "a queue in EL2's memory is not read") { test in
    guard let canary = Hypercall.canary() else {
      test.fail("no hypervisor tells where its canary is")
      return
    }
    if smmu.start(commands: canary.base) { test.fail("the queue goes on") }
    test.expect("the error", smmu.error, equals: 2)
  }
}
