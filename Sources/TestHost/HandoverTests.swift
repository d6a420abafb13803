// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// What the boot arguments ask of a host that is trusted at first.
enum HandoverForm {
  /// It is not trusted.
  case none
  /// It hands over an ITS with a table of devices of one level.
  case direct
  /// It hands over an ITS with a table of devices of two levels.
  case twoLevels
  /// It leaves the ITS disabled and ends the trust.
  case disabled
  /// It keeps a live ITS and ends the trust.
  case kept

  /// Whether a live ITS is handed over.
  var isLive: Bool { self == .direct || self == .twoLevels }

  init(_ tree: FlatTree) {
    guard tree.bootArgumentsHold("portcullis.handover") else {
      self = .none
      return
    }
    self =
      tree.bootArgumentsHold("testhost.two-levels")
      ? .twoLevels
      : tree.bootArgumentsHold("testhost.disabled")
        ? .disabled : tree.bootArgumentsHold("testhost.kept") ? .kept : .direct
  }
}

/// An ITS that a trusted host has programmed itself, with devices that signal.
struct LiveITS {
  enum Place {
    private static func at(_ offset: UInt64) -> UInt64 { Arena.handover + offset }
    static var queue: UInt64 { at(0x0_0000) }
    static var devices: UInt64 { at(0x1_0000) }
    static var collections: UInt64 { at(0x2_0000) }
    static var secondLevel: UInt64 { at(0x3_0000) }
    static var translations: UInt64 { at(0x4_0000) }
    static var staging: UInt64 { at(0x5_0000) }
    static var descriptor: UInt64 { at(0x6_0000) }
    /// The host's own tables for devices that it maps later.
    static var later: UInt64 { at(0x7_0000) }
    static var staged: UInt64 { at(0x8_0000) }
    static var vpes: UInt64 { at(0x11_0000) }
    static var forged: UInt64 { at(0x10_0000) }
  }

  static let eventIDBits: UInt64 = 4
  static let eventCount: UInt32 = 4
  static let deviceCount: UInt64 = 8

  var its = ITSDriver()
  let twoLevels: Bool
  let cpus: UInt64
  let example = HandoverExample(
    descriptor: Place.descriptor, stagingQueue: Place.staging, stagedTables: Place.staged)

  init(twoLevels: Bool) {
    self.twoLevels = twoLevels
    var count: UInt64 = 0
    while count < UInt64(EL1_CPU_LIMIT), Redistributors.base(of: count) != nil { count += 1 }
    cpus = count
    its.queue = Place.queue
    its.devices.base = Place.devices
    its.collections.base = Place.collections
    if twoLevels {
      its.devices.isIndirect = true
      its.devices.pageSize = .kib4
    }
  }

  /// Device `index` of those that live before the handover; with two levels, half of them far away.
  func device(_ index: UInt64) -> HandoverExample.Device {
    let id = index + 1 + (twoLevels && index >= Self.deviceCount / 2 ? 512 : 0)
    // Two tables on a page.
    return HandoverExample.Device(
      id: UInt32(truncatingIfNeeded: id), eventIDBits: Self.eventIDBits,
      table: Place.translations + index * 0x800)
  }

  static func interrupt(_ device: UInt32, _ event: UInt32) -> UInt64 {
    UInt64(EL1_LPI_FIRST) + UInt64((device % 256) * 8 + event)
  }

  mutating func map(_ device: HandoverExample.Device) {
    its.append(.mapd(device.id, table: device.table, eventIDBits: device.eventIDBits))
    for event in 0..<Self.eventCount {
      its.append(
        .mapti(
          device.id, event,
          interrupt: UInt32(truncatingIfNeeded: Self.interrupt(device.id, event)), collectionID: 0))
    }
    its.append(.sync(target: Redistributors.target(of: currentCPU())))
  }

  /// Programs and enables it, and maps the devices.
  mutating func start() -> Bool {
    guard its.program() else { return false }
    el1_zero(Place.secondLevel, Arena.page)
    if let register = ITSDriver.register(of: .vpes) {
      el1_zero(Place.vpes, Arena.page)
      store64(register, ITSDriver.Table(base: Place.vpes).value)
    }
    el1_zero(Place.translations, Arena.page)
    if twoLevels {
      for index in 0..<2 as Range<UInt64> {
        el1_store64(
          Place.devices + index * 8,
          TableFirstLevelEntry(page: Place.secondLevel + index * 0x1000).rawValue)
      }
    }
    el1_barrier()
    ITSDriver.enable()
    for cpu in 0..<cpus {
      its.append(
        .mapc(UInt16(truncatingIfNeeded: cpu), target: Redistributors.target(of: cpu)))
    }
    for index in 0..<Self.deviceCount { map(device(index)) }
    return its.finish()
  }

  func describe() {
    example.describe(cpus: cpus, devices: Self.deviceCount) { device($0) }
  }
}

extension Test {
  fileprivate mutating func expectAnswer(_ seen: Int64, equals expected: Int64) {
    expect("the answer", UInt64(bitPattern: seen), equals: UInt64(bitPattern: expected))
  }

  /// Expects an event of each device that is mapped to be taken once.
  fileprivate mutating func expectInterrupts(_ live: inout LiveITS) {
    for index in 0..<LiveITS.deviceCount {
      let id = live.device(index).id
      for event in 0..<LiveITS.eventCount {
        expectInterrupt(&live.its, id, event, interrupt: LiveITS.interrupt(id, event))
      }
    }
  }
}

/// The life of a trusted host that hands its live ITS over, and of the host that it becomes.
func testHandover(_ report: inout TestReport, _ psci: PSCI, twoLevels: Bool) {
  Redistributors.begin()
  testStalledHandover(&report, twoLevels: twoLevels)
  var live = LiveITS(twoLevels: twoLevels)
  report.test("handover", "the ITS is the trusted host's: every event of every device arrives") {
    test in
    if !live.start() { test.fail("the ITS can't be started") }
    test.expectInterrupts(&live)
  }
  testRefusedHandovers(&report, &live)
  testLiveHandover(&report, OtherCPU(psci), &live)
  testLifeAfter(&report, &live)
  testEndOfTrust(&report, &live)
  testAttacksAfter(&report, &live)
}

/// Handovers that are refused: the ITS is the host's as before.
private func testRefusedHandovers(_ report: inout TestReport, _ live: inout LiveITS) {
  /// The place of the descriptor and the number of the ITS, which a test may change.
  struct Call {
    var index: UInt64 = 0
    var descriptor = LiveITS.Place.descriptor

    func store(_ word: UInt64, _ value: UInt64) { el1_store64(descriptor + word * 8, value) }
    func add(_ word: UInt64, _ value: UInt64) {
      store(word, el1_load64(descriptor + word * 8) &+ value)
    }
  }
  func refused(
    _ name: StaticString, _ answer: Int64, _ spoil: (inout Call) -> Void, mend: () -> Void = {}
  ) {
    report.test("handover refused", name) { test in
      live.describe()
      var call = Call()
      spoil(&call)
      el1_barrier()
      test.expectAnswer(HandoverExample.call(call.index, call.descriptor), equals: answer)
      mend()
      test.expectInterrupt(&live.its, 1, 1, interrupt: LiveITS.interrupt(1, 1))
    }
  }
  let (devices, collections): (UInt64, UInt64) = (24, 24 + 2 * LiveITS.deviceCount)
  let hypervisor = Hypercall.information()?.memoryBase ?? 0

  refused("no such ITS", -3) { $0.index = 8 }
  refused("no such ITS, by far", -3) { $0.index = .max }
  refused("a descriptor that isn't aligned", -16) { $0.descriptor += 8 }
  refused("a descriptor in EL2's memory", -16) { $0.descriptor = hypervisor }
  refused("a descriptor where a device is", -16) { $0.descriptor = Board.console }
  refused("a descriptor beyond all memory", -16) { $0.descriptor = ~0xfff }
  refused("another version", -17) { $0.store(0, 2) }
  refused("a reserved word", -17) { $0.store(7, 1) }
  refused("too many devices", -17) { $0.store(4, 1 << 32) }
  refused("too many collections", -17) { $0.store(5, .max) }
  refused("another control frame", -17) { $0.add(1, 0x1000) }
  refused("a staging queue that isn't aligned", -17) { $0.add(3, 0x100) }
  refused("an ITS that's disabled", -19) { _ in
    _ = ITSDriver.disable()
  } mend: {
    ITSDriver.enable()
  }
  refused("B-15 another queue than the hardware's", -21) { $0.store(2, 0) }
  refused("B-15 another table than the hardware's", -21) { $0.add(8, 0x1_0000) }
  refused("B-15 a table that isn't there", -21) { $0.store(15, 1 << 63) }
  refused("a device without events", -25) { $0.store(devices + 2, 2) }
  refused("a device that's named twice", -25) { $0.store(devices + 2, 1 | 4 << 32) }
  refused("a device beyond the table", -25) { $0.store(devices + 2, 0xffff_ffff | 4 << 32) }
  refused("a translation table that isn't aligned", -25) { $0.add(devices + 3, 0x80) }
  refused("a collection of no Redistributor", -26) { $0.store(collections, 0x7fff << 16) }
  refused("a collection beyond the table", -26) { $0.add(collections, 0xffff) }
  refused("a translation table in the table of collections", -27) {
    $0.store(devices + 3, LiveITS.Place.collections)
  }
  refused("a translation table in EL2's memory", -27) { $0.store(devices + 3, hypervisor) }
  refused("B-70 two devices with one translation table", -30) {
    $0.add(devices + 3, 0x800)
  }
  refused("B-70 a translation table that begins within another", -30) {
    // 2^4 events fit 256 bytes; the first device says that it has 2^6.
    $0.store(devices, UInt64(live.device(0).id) | 6 << 32)
    $0.add(devices + 3, UInt64(bitPattern: -0x700))
  }
  refused("a staging queue in EL2's memory", -27) { $0.store(3, hypervisor) }
  refused("a staging queue that is the hardware's", -27) { $0.store(3, LiveITS.Place.queue) }
  report.test("handover refused", "B-21 a refusal leaves no lock behind, nor anything else") {
    test in
    for round in 0..<64 as Range<UInt64> {
      live.describe()
      var call = Call()
      let expected: Int64
      // One that fails before anything is claimed, and three that fail after something was.
      switch round % 4 {
      case 0:
        call.store(0, 2)
        expected = -17
      case 1:
        call.store(devices + 2, 2)
        expected = -25
      case 2:
        call.store(3, hypervisor)
        expected = -27
      default:
        call.index = 8
        expected = -3
      }
      el1_barrier()
      test.expectAnswer(HandoverExample.call(call.index, call.descriptor), equals: expected)
    }
    test.expectInterrupts(&live)
  }
  guard live.twoLevels else { return }
  let entry = LiveITS.Place.devices + 300 * 8
  for kind in 0..<2 as Range<UInt64> {
    refused(
      kind == 0
        ? "B-54 a first-level entry with a reserved bit" : "a second-level page in EL2's memory",
      kind == 0 ? -24 : -27
    ) { _ in
      el1_store64(entry, 1 << 63 | (kind == 0 ? 1 << 60 | LiveITS.Place.forged : hypervisor))
    } mend: {
      el1_store64(entry, 0)
    }
  }
}

/// A queue at which the ITS has stalled is not empty.
private func testStalledHandover(_ report: inout TestReport, twoLevels: Bool) {
  report.test("handover refused", "B-32 commands that the ITS hasn't read") { test in
    var live = LiveITS(twoLevels: twoLevels)
    if !live.start() { test.fail("the ITS can't be started") }
    // An entry can't be written where nothing is.
    live.its.append(.mapd(9, table: Board.hole, eventIDBits: LiveITS.eventIDBits))
    live.its.append(.mapti(9, 0, interrupt: 8192, collectionID: 0))
    live.its.ring()
    if live.its.wait() { test.fail("the ITS doesn't stall") }
    live.describe()
    test.expectAnswer(HandoverExample.call(0, LiveITS.Place.descriptor), equals: -20)
  }
}

/// The handover itself.
private func testLiveHandover(
  _ report: inout TestReport, _ other: OtherCPU?, _ live: inout LiveITS
) {
  let hadVPEs = ITSDriver.register(of: .vpes) != nil
  // What the other CPU reads meanwhile is the hardware's or the mediation's, whole: never a mediation
  // that isn't there yet.
  report.test("handover", "B-22 the ITS is handed over, live, while another CPU looks on") { test in
    let offset = live.its.next
    test.expect("the queue's place", offset, differsFrom: 0)
    // Another CPU looks on.
    if let other, !other.start(EL1_JOB_WATCH) { test.fail("the other CPU doesn't start") }
    let before = live
    let answer = live.example.handOver(
      0, &live.its, cpus: live.cpus, devices: LiveITS.deviceCount
    ) { before.device($0) }
    test.expectAnswer(answer, equals: 0)
    if let other {
      let rounds = el1_record(other.index, UInt64(EL1_WORD_ROUNDS))
      if !other.waitForRounds(rounds + 10) { test.fail("the other CPU is stuck") }
      test.expect("what it saw", el1_record(other.index, UInt64(EL1_WORD_WRONG)), equals: 0)
      if !other.stop() { test.fail("the other CPU doesn't stop") }
    }
    let base = GITSCommandBase(rawValue: load64(ITSDriver.control + Register.gitsCBASER))
    test.expect("the queue", base.base, equals: LiveITS.Place.staging)
    test.expect("GITS_CTLR.Enabled", load32(ITSDriver.control) & 1, equals: 1)
    test.expect("GITS_CREADR", load32(ITSDriver.control + Register.gitsCREADR), equals: offset)
    test.expect("GITS_CWRITER", load32(ITSDriver.control + Register.gitsCWRITER), equals: offset)
    let table = GITSTableBase(rawValue: load64(ITSDriver.control + Register.gitsBASER0))
    if ITSDriver.register(of: .vpes) != nil { test.fail("a table of vPEs is offered") }
    test.expect("the table of devices", table.base, equals: LiveITS.Place.staged)
  }
  func expectGone(_ name: StaticString, _ place: UInt64) {
    report.test("handover", name) { test in
      test.expectAbort(probe(EL1_LDR_X, place), at: place, write: false)
      test.expectAbort(probe(EL1_STR_X, place, value: 0), at: place, write: true)
    }
  }
  expectGone("B-17 the old queue is out of reach", LiveITS.Place.queue)
  expectGone("B-17 the end of the old queue is out of reach", LiveITS.Place.queue + 0xfff8)
  expectGone("B-17 the table of devices is out of reach", LiveITS.Place.devices)
  expectGone("B-17 the table of collections is out of reach", LiveITS.Place.collections)
  expectGone("B-64 the translation tables are out of reach", LiveITS.Place.translations)
  expectGone(
    "B-64 the last translation table is out of reach",
    LiveITS.Place.translations + (LiveITS.deviceCount - 1) * 0x800)
  if hadVPEs {
    expectGone("B-46 the table of vPEs is out of reach", LiveITS.Place.vpes)
  }
  if live.twoLevels {
    expectGone("B-53 a second-level page is out of reach", LiveITS.Place.secondLevel)
    expectGone("B-53 the next one is out of reach", LiveITS.Place.secondLevel + 0x1000)
  }
  report.test("handover", "every event of every device arrives as before") { test in
    test.expectInterrupts(&live)
  }
  report.test("handover", "an ITS isn't handed over twice") { test in
    live.describe()
    test.expectAnswer(HandoverExample.call(0, LiveITS.Place.descriptor), equals: -4)
    test.expectInterrupt(&live.its, 1, 0, interrupt: LiveITS.interrupt(1, 0))
  }
}

/// What a driver does with devices that were handed over, and with new ones.
private func testLifeAfter(_ report: inout TestReport, _ live: inout LiveITS) {
  let own = currentCPU()
  report.test("handover", "an event is masked, and unmasked with what is pending") { test in
    let interrupt = LiveITS.interrupt(1, 2)
    Redistributors.configure(interrupt, isEnabled: false)
    live.its.append(.event(.inv, 1, 2))
    test.expectInterrupt(&live.its, 1, 2, interrupt: interrupt, times: 0)
    let before = Interrupts.count(interrupt)
    Redistributors.configure(interrupt, isEnabled: true)
    if !live.its.run(.event(.inv, 1, 2)) { test.fail("the ITS doesn't read INV") }
    _ = Interrupts.take { Interrupts.count(interrupt) > before }
    test.expect("the LPIs taken", Interrupts.count(interrupt) - before, equals: 1)
  }
  report.test("handover", "an event moves to another collection, and back") { test in
    live.its.append(.movi(2, 1, collectionID: UInt16(truncatingIfNeeded: live.cpus - 1)))
    live.its.append(.sync(target: Redistributors.target(of: own)))
    live.its.append(.movi(2, 1, collectionID: 0))
    live.its.append(.sync(target: Redistributors.target(of: live.cpus - 1)))
    test.expectInterrupt(&live.its, 2, 1, interrupt: LiveITS.interrupt(2, 1))
  }
  report.test("handover", "a live device gets a new event") { test in
    live.its.append(.mapti(3, 9, interrupt: 8192 + 2100, collectionID: 0))
    test.expectInterrupt(&live.its, 3, 9, interrupt: 8192 + 2100)
  }
  report.test("handover", "a live device is unmapped: its events are gone") { test in
    live.its.append(.event(.discard, 3, 0))
    live.its.append(.unmapd(3))
    live.its.append(.sync(target: Redistributors.target(of: own)))
    test.expectInterrupt(&live.its, 3, 1, interrupt: LiveITS.interrupt(3, 1), times: 0)
  }
  report.test("handover", "it is mapped anew") { test in
    live.map(
      HandoverExample.Device(
        id: 3, eventIDBits: LiveITS.eventIDBits, table: LiveITS.Place.later))
    for event in 0..<LiveITS.eventCount {
      test.expectInterrupt(&live.its, 3, event, interrupt: LiveITS.interrupt(3, event))
    }
  }
  func testNewDevice(_ name: StaticString, _ id: UInt32) {
    report.test("handover", name) { test in
      for _ in 0..<2 {
        live.map(
          HandoverExample.Device(
            id: id, eventIDBits: LiveITS.eventIDBits, table: LiveITS.Place.later + 0x1000))
        for event in 0..<LiveITS.eventCount {
          test.expectInterrupt(&live.its, id, event, interrupt: LiveITS.interrupt(id, event))
        }
        live.its.append(.unmapd(id))
        live.its.append(.sync(target: Redistributors.target(of: own)))
        test.expectInterrupt(&live.its, id, 1, interrupt: LiveITS.interrupt(id, 1), times: 0)
      }
    }
  }
  testNewDevice("the whole life of a device that was not there before", 20)
  if live.twoLevels {
    testNewDevice("a device whose second-level page was not there before", 1100)
  }
  report.test("handover", "the queue wraps three times, and no command is lost") { test in
    let interrupt = LiveITS.interrupt(4, 0)
    let before = Interrupts.count(interrupt)
    let slots = live.its.queueSize / ITSCommand.size
    for _ in 0..<(3 * slots / 64) {
      for _ in 0..<63 { live.its.append(.sync(target: Redistributors.target(of: own))) }
      live.its.append(.event(.int, 4, 0))
      if !live.its.finish() { test.fail("the ITS doesn't read all commands") }
      Interrupts.settle()
    }
    test.expect("the LPIs taken", Interrupts.count(interrupt) - before, equals: 3 * slots / 64)
  }
}

/// The end of the trust, once.
private func testEndOfTrust(_ report: inout TestReport, _ live: inout LiveITS) {
  report.test("handover", "the trust ends, with everything handed over") { test in
    test.expectAnswer(HandoverExample.finalise(), equals: 0)
    test.expectInterrupts(&live)
  }
  report.test("handover", "it doesn't end twice") { test in
    test.expectAnswer(HandoverExample.finalise(), equals: -4)
  }
  report.test("handover", "B-15 nothing is handed over afterwards") { test in
    live.describe()
    test.expectAnswer(HandoverExample.call(0, LiveITS.Place.descriptor), equals: -4)
    test.expectInterrupt(&live.its, 1, 1, interrupt: LiveITS.interrupt(1, 1))
  }
}

/// What the host tries, now that it is not trusted.
private func testAttacksAfter(_ report: inout TestReport, _ live: inout LiveITS) {
  let canary = Hypercall.canary()?.base ?? 0
  // A device table entry as QEMU has it.
  let entry: UInt64 = 1 | (LiveITS.eventIDBits - 1) << 1 | (canary >> 8) << 6
  func attack(_ name: StaticString, _ body: (inout Test) -> Void) {
    report.test("attack after handover", name) { test in
      test.expect("where the canary is", canary, differsFrom: 0)
      _ = Hypercall.overwrittenCanaryWords()
      body(&test)
      if !live.its.finish() { test.fail("the queue doesn't go on after the attack") }
      test.expect("overwritten words", Hypercall.overwrittenCanaryWords(), equals: 0)
      test.expectInterrupt(&live.its, 1, 1, interrupt: LiveITS.interrupt(1, 1))
    }
  }
  attack("B-53 entries forged in the staged table of devices") { _ in
    if live.twoLevels {
      for word in 0..<512 as Range<UInt64> { el1_store64(LiveITS.Place.forged + word * 8, entry) }
      for word in 2..<512 as Range<UInt64> {
        el1_store64(
          LiveITS.Place.staged + word * 8, TableFirstLevelEntry(page: LiveITS.Place.forged).rawValue
        )
      }
    } else {
      for word in 0..<8192 as Range<UInt64> { el1_store64(LiveITS.Place.staged + word * 8, entry) }
    }
    let forged: UInt32 = live.twoLevels ? 2050 : 100
    // A device beside it, so that the page is installed.
    live.map(
      HandoverExample.Device(
        id: forged + 1, eventIDBits: LiveITS.eventIDBits, table: LiveITS.Place.later))
    live.its.append(.mapti(forged, 0, interrupt: 8192 + 2101, collectionID: 0))
    live.its.append(.event(.int, forged, 0))
  }
  attack("B-64 a translation table in EL2's memory") { _ in
    live.its.append(.mapd(30, table: canary, eventIDBits: LiveITS.eventIDBits))
    live.its.append(.mapti(30, 0, interrupt: 8192 + 2102, collectionID: 0))
  }
  attack("B-60 an unmapping that names another table") { _ in
    live.its.append(ITSCommand(0x08 | 5 << 32, 3, canary))
    live.its.append(.mapti(5, 0, interrupt: 8192 + 2103, collectionID: 0))
  }
  attack("a queue that the host gives to nobody stays EL2's") { test in
    for index in 0..<2 {
      let place = index == 0 ? LiveITS.Place.queue : LiveITS.Place.devices
      test.expectAbort(probe(EL1_STR_X, place, value: entry), at: place, write: true)
    }
  }
  attack("GITS_BASER<n> and GITS_CBASER that point to EL2's memory") { test in
    let baser = ITSDriver.control + Register.gitsBASER0
    let cbaser = ITSDriver.control + Register.gitsCBASER
    let (table, queue) = (load64(baser), load64(cbaser))
    _ = ITSDriver.disable()
    store64(baser, table & ~0xffff_ffff_f000 | canary)
    store64(cbaser, queue & ~0xf_ffff_ffff_f000 | canary)
    store64(ITSDriver.control + Register.gitsCWRITER, 32)
    ITSDriver.enable()
    _ = load32(ITSDriver.control + Register.gitsCREADR)
    _ = ITSDriver.disable()
    // An honest host again, which begins anew.
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started after the attack") }
    live.its = its
    live.map(
      HandoverExample.Device(
        id: 1, eventIDBits: LiveITS.eventIDBits, table: Arena.translations))
  }
}

/// A host that has left its ITS disabled ends the trust: the ITS is set up as at boot.
func testTrustEnds(_ report: inout TestReport) {
  report.test("handover", "the trust ends, with the ITS disabled") { test in
    test.expectAnswer(HandoverExample.finalise(), equals: 0)
  }
  report.test("handover", "nothing is handed over afterwards") { test in
    test.expectAnswer(HandoverExample.finalise(), equals: -4)
    test.expectAnswer(HandoverExample.call(0, LiveITS.Place.descriptor), equals: -4)
  }
}

/// A host that ends the trust without having handed its live ITS over: it has no future.
func keepLiveITS() -> Never {
  StageOne.enable()
  Redistributors.begin()
  var live = LiveITS(twoLevels: false)
  Console.write(live.start() ? "# the ITS is live\n" : "# the ITS can't be started\n")
  _ = HandoverExample.finalise()
  Console.write("# the host goes on\n")
  el1_exit(3)
}
