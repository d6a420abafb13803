// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// The counts of what SMMUs have recorded.
enum DMAFaults {
  private static let events: UInt64 = 161
  private static let overflows: UInt64 = 162
  private static let aborts: UInt64 = 163
  private static let lastStream: UInt64 = 169
  private static let lastAddress: UInt64 = 170
  private static let lastNumber: UInt64 = 171

  static let translation: UInt64 = 0x10
  static let permission: UInt64 = 0x13

  /// How many there were; reading it has EL2 read what there is, some at a time.
  static var count: UInt64 {
    var count = Hypercall.count(events) ?? 0
    while let next = Hypercall.count(events), next != count { count = next }
    return count
  }
  /// How often some were lost: SMMUs tell of a queue without room in one way or the other.
  static var lossCount: UInt64 {
    (Hypercall.count(overflows) ?? 0) + (Hypercall.count(aborts) ?? 0)
  }
  static var stream: UInt64 { Hypercall.count(lastStream) ?? .max }
  static var address: UInt64 { Hypercall.count(lastAddress) ?? 0 }
  static var number: UInt64 { Hypercall.count(lastNumber) ?? 0 }
}

extension Test {
  /// Expects a fault of this device at the first bytes of `address`, recorded in `body` and told of.
  @inline(never)
  mutating func expectFault(
    _ device: EduDevice, at address: UInt64, number: UInt64 = DMAFaults.translation,
    _ body: () -> Void
  ) {
    let before = DMAFaults.count
    body()
    expect("the faults recorded", DMAFaults.count - before, in: 1...16)
    expect("the stream", DMAFaults.stream, equals: UInt64(device.stream))
    expect("the address", DMAFaults.address, in: address...address + 7)
    expect("the event", DMAFaults.number, equals: number)
  }

  /// Expects that nothing is recorded in `body`.
  @inline(never)
  mutating func expectNoFault(_ body: (inout Test) -> Void) {
    let before = DMAFaults.count
    body(&self)
    expect("the faults recorded", DMAFaults.count - before, equals: 0)
  }
}

/// The host as everything that its devices can do for it, on a board with an SMMU and two educational devices.
func testDMA(_ report: inout TestReport, isNested: Bool, hasSecondVM: Bool) {
  StageOne.mapConfigurationSpace()
  Redistributors.begin()
  guard let device = EduDevice(0), let other = EduDevice(1) else {
    report.test("dma", "there are two devices") { $0.fail("there are not") }
    return
  }
  testOwnMemory(&report, device, area: "dma")
  testOwnMemory(&report, other, area: "dma, second device")
  testMessages(&report, device)
  if isNested {
    testNestedSMMU(&report, device)
  } else {
    testHiddenSMMU(&report)
  }
  testDMAAttacks(&report, device)
  if hasSecondVM { testDMADonation(&report, device) }
  testDMAFaults(&report, device, other, isNested: isNested)
}

/// What devices are there for.
private func testOwnMemory(
  _ report: inout TestReport, _ device: EduDevice, area: StaticString
) {
  let place = Arena.spare
  report.test(area, "a device writes and reads its host's memory") { test in
    el1_store64(place, 0)
    test.expectNoFault { test in
      device.write(0x1234_5678_9abc_def0, to: place)
      test.expect("the word in memory", el1_load64(place), equals: 0x1234_5678_9abc_def0)
      el1_store64(place, 0x0fed_cba9_8765_4321)
      test.expect("the word read", device.read(place), equals: 0x0fed_cba9_8765_4321)
    }
  }
  report.test(area, "a device writes across a page's end") { test in
    test.expectNoFault { test in
      el1_zero(place, 0x2000)
      device.fill(0x5555_aaaa_5555_aaaa, count: 2048)
      device.beginWriting(place + 0xc00, count: 2048)
      if !device.wait() { test.fail("the DMA doesn't end") }
    }
    for offset in stride(from: 0xbf8, to: 0x1408, by: 8) as StrideTo<UInt64> {
      let isInside = (0xc00..<0x1400).contains(offset)
      test.expect(
        "a word", el1_load64(place + offset), equals: isInside ? 0x5555_aaaa_5555_aaaa : 0)
    }
  }
  report.test(area, "a device reaches the host's pages on both sides of EL2's memory") { test in
    guard let information = Hypercall.information() else {
      test.fail("no hypervisor tells where its memory is")
      return
    }
    test.expectNoFault { _ in
      _ = device.read(information.memoryBase - 8)
      _ = device.read(information.memoryEnd)
    }
  }
  report.test(area, "a device reaches memory that the host shares with EL2") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    test.expectNoFault { _ in _ = device.read(its.queue) }
  }
}

/// The doorbell is for every device.
private func testMessages(_ report: inout TestReport, _ device: EduDevice) {
  let interrupt: UInt32 = 8192 + 1000
  let doorbell = Board.itsTranslation + Register.gitsTRANSLATER

  func withEvent(_ test: inout Test, _ body: (inout Test) -> Void) {
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    el1_zero(Arena.translations, Arena.page)
    its.append(.mapd(device.stream, table: Arena.translations, eventIDBits: 4))
    its.append(.mapti(device.stream, 3, interrupt: interrupt, collectionID: 0))
    // QEMU has a requester's number with MSIs alone: what else the device writes is that of none.
    its.append(.mapd(0, table: Arena.translations + 0x1000, eventIDBits: 4))
    its.append(.mapti(0, 3, interrupt: interrupt, collectionID: 0))
    if !its.finish() { test.fail("the event can't be mapped") }
    body(&test)
  }
  func expectOne(_ test: inout Test, _ body: () -> Void) {
    let before = Interrupts.count(UInt64(interrupt))
    body()
    _ = Interrupts.take { Interrupts.count(UInt64(interrupt)) > before }
    Interrupts.settle()
    test.expect("the LPIs taken", Interrupts.count(UInt64(interrupt)) - before, equals: 1)
  }

  report.test("dma", "the device's MSI arrives") { test in
    withEvent(&test) { test in
      test.expectNoFault { test in
        if !device.function.enableMSI(address: doorbell, data: 3) {
          test.fail("the device has no MSI")
        }
        for _ in 0..<3 {
          expectOne(&test) { device.raise() }
          device.acknowledge()
        }
      }
    }
  }
  report.test("dma", "a DMA to the doorbell reaches the ITS") { test in
    withEvent(&test) { test in
      test.expectNoFault { test in expectOne(&test) { device.write(3, to: doorbell, count: 4) } }
    }
  }
}

/// The SMMU is EL2's own.
private func testHiddenSMMU(_ report: inout TestReport) {
  let area: StaticString = "smmu"
  func withCount(_ test: inout Test, _ body: (inout Test) -> Void) {
    // Accesses that a device refuses: the tenth reason.
    let before = Hypercall.refusedByDevices
    body(&test)
    // The library leaves that to its embedder.
    let due: UInt64 = Hypercall.isEmbedded ? 0 : 1
    test.expect("the refused accesses", Hypercall.refusedByDevices - before, equals: due)
  }

  report.test(area, "the tree has no SMMU, and nothing that names one") { test in
    let tree = FlatTree(address: el1_device_tree())
    if tree.hasProperty("compatible\0", of: "smmuv3@") { test.fail("there is an SMMU") }
    if tree.hasProperty("iommu-map\0", of: "pcie@") { test.fail("there is an iommu-map") }
    if !tree.hasProperty("msi-map\0", of: "pcie@") { test.fail("there is no msi-map") }
  }
  for place in 0..<4 as Range<UInt64> {
    let name: StaticString =
      switch place {
      case 0: "its first register can be neither read nor written"
      case 1: "the last of the first page can't"
      case 2: "the second page's index of events can't"
      default: "the last register can't"
      }
    let address =
      Board.smmu
      + (place == 0 ? 0 : place == 1 ? 0xfffc : place == 2 ? 0x1_00a8 : Board.smmuSize - 4)
    report.test(area, name) { test in
      withCount(&test) { test in
        test.expectAbort(probe(EL1_LDR_W, address), at: address, write: false)
      }
      withCount(&test) { test in
        test.expectAbort(probe(EL1_STR_W, address, value: 0), at: address, write: true)
      }
    }
  }
  report.test(area, "no width goes through") { test in
    withCount(&test) { test in
      test.expectAbort(probe(EL1_LDRB, Board.smmu), at: Board.smmu, write: false)
    }
    withCount(&test) { test in
      test.expectAbort(probe(EL1_LDR_X, Board.smmu + 0x80), at: Board.smmu + 0x80, write: false)
    }
  }
}

/// Each of these succeeds where nobody confines devices.
private func testDMAAttacks(_ report: inout TestReport, _ device: EduDevice) {
  /// Whether a word that was read came from memory: an access that aborts leaves the mark, or zeroes.
  func isLeaked(_ word: UInt64, count: UInt64 = 8) -> Bool {
    let mask: UInt64 = count == 8 ? .max : 1 << (count * 8) - 1
    return word & mask != 0 && word & mask != EduDevice.mark & mask
  }
  func expectNoLeak(_ test: inout Test, _ address: UInt64, count: UInt64 = 8) {
    let word = device.read(address, count: count)
    if isLeaked(word, count: count) {
      test.expect("what a device has read", word, equals: EduDevice.mark)
    }
  }
  func withCanary(_ test: inout Test, _ body: (inout Test, Hypercall.Canary) -> Void) {
    guard let canary = Hypercall.canary() else {
      test.fail("no hypervisor tells where its canary is")
      return
    }
    _ = Hypercall.overwrittenCanaryWords()
    body(&test, canary)
    test.expect(
      "words of EL2's memory that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
  }

  report.test("dma attack", "a device writes into EL2's memory") { test in
    withCanary(&test) { _, canary in device.write(.max, to: canary.base) }
  }
  report.test("dma attack", "a device writes into the last word of EL2's canary") { test in
    withCanary(&test) { _, canary in device.write(.max, to: canary.base + canary.size - 8) }
  }
  report.test("dma attack", "a device reads EL2's memory") { test in
    withCanary(&test) { test, canary in expectNoLeak(&test, canary.base) }
  }
  report.test("dma attack", "a device reads EL2's code") { test in
    guard let information = Hypercall.information() else {
      test.fail("no hypervisor tells where its memory is")
      return
    }
    // The first word of one may be zero.
    for index in 0..<2 as Range<UInt64> { expectNoLeak(&test, information.memoryBase + index * 8) }
  }
  report.test("dma attack", "a device reads a register of the ITS that EL2 has claimed") { test in
    expectNoLeak(&test, Board.itsControl + Register.gitsIIDR, count: 4)
  }
  report.test("dma attack", "a device switches the ITS off") { test in
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started") }
    device.write(0, to: Board.itsControl + Register.gitsCTLR, count: 4)
    el1_zero(Arena.translations, Arena.page)
    its.append(.mapd(7, table: Arena.translations, eventIDBits: 4))
    its.append(.mapti(7, 1, interrupt: 8192 + 1001, collectionID: 0))
    test.expectInterrupt(&its, 7, 1, interrupt: 8192 + 1001)
  }
  report.test("dma attack", "a device reads a Redistributor's registers that EL2 has claimed") {
    test in
    expectNoLeak(&test, Board.redistributors + Redistributors.Offset.type)
  }
  report.test("dma attack", "a device reads the SMMU's registers") { test in
    expectNoLeak(&test, Board.smmu, count: 4)
  }
}

/// What EL2 tells of devices that reach for what they may not.
private func testDMAFaults(
  _ report: inout TestReport, _ device: EduDevice, _ other: EduDevice, isNested: Bool
) {
  let area: StaticString = "dma fault"
  func testFaults(_ name: StaticString, _ device: EduDevice, _ address: UInt64) {
    report.test(area, name) { test in
      test.expectFault(device, at: address) { _ = device.read(address) }
      test.expectFault(device, at: address) { device.write(.max, to: address) }
    }
  }
  let canary = Hypercall.canary()?.base ?? 0
  let hypervisor = Hypercall.information()
  testFaults("in EL2's memory, of the first device", device, canary)
  testFaults("in EL2's memory, of the second device", other, canary + 0x1_2348)
  testFaults("at the first byte of EL2's memory", device, hypervisor?.memoryBase ?? 0)
  testFaults(
    "at the last word of EL2's memory", other,
    (hypervisor?.memoryEnd ?? 8) - 8)
  testFaults("in the ITS's control frame", device, Board.itsControl + Register.gitsCBASER)
  testFaults("at the end of the ITS's control frame", other, Board.itsTranslation - 8)
  testFaults("in a Redistributor", device, Board.redistributors + 0x78)
  testFaults("in the SMMU", device, Board.smmu + 0x80)
  testFaults("in the SMMU's second page", other, Board.smmu + 0x1_00a8)
  report.test(area, "the doorbell's frame can't be read") { test in
    // A page that nobody has rung: QEMU records no event where its TLB has the page from a write.
    let address = Board.itsTranslation + 0x3000
    test.expectFault(device, at: address, number: DMAFaults.permission) {
      _ = device.read(address, count: 4)
    }
  }
  report.test(area, "an MSI to the control frame instead of the doorbell") { test in
    let address = Board.itsControl + Register.gitsTRANSLATER
    test.expectFault(device, at: address) {
      _ = device.function.enableMSI(address: address, data: 3)
      device.raise()
      device.acknowledge()
    }
  }
  report.test(area, "at an address that no table has") { test in
    // QEMU records none.
    let word = device.read(1 << 47)
    if word != 0 { test.expect("what a device has read", word, equals: EduDevice.mark) }
    test.expectFault(device, at: canary) { _ = device.read(canary) }
  }
  report.test(area, "more than the SMMU has room for: some are lost, and life goes on") { test in
    let before = DMAFaults.count
    let losses = DMAFaults.lossCount
    for _ in 0..<4 {
      device.beginReading(canary, count: 2048)
      if !device.wait() { test.fail("the DMA doesn't end") }
    }
    test.expect("the faults recorded", DMAFaults.count - before, in: 256...4096)
    test.expect("the losses", DMAFaults.lossCount - losses, in: 1...4)
    test.expectFault(other, at: canary) { _ = other.read(canary) }
    test.expectNoFault { _ in _ = other.read(Arena.spare) }
  }
  // An SMMU that the host sees has its own tests; a library tells nobody whether it has read them.
  guard !isNested, !Hypercall.isEmbedded else { return }
  report.test(area, "an access of the host to the SMMU has them read as well") { test in
    let before = Hypercall.refusedByDevices
    _ = device.read(canary)
    test.expectAbort(probe(EL1_LDR_W, Board.smmu), at: Board.smmu, write: false)
    test.expect("the refused accesses", Hypercall.refusedByDevices - before, equals: 1)
  }
}
