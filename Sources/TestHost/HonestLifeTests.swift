// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// The devices of an honest host: each has a table of its own and some events, each event an LPI.
struct Devices {
  static let count: UInt32 = 64
  static let eventsEach: UInt32 = 8
  /// EventIDs of 4 bits: 16 entries.
  static let eventIDBits: UInt64 = 4

  /// The bytes between two translation tables.
  var stride: UInt64 = 0x1000

  func table(_ device: UInt32) -> UInt64 { Arena.translations + UInt64(device) * stride }

  static func interrupt(_ device: UInt32, _ event: UInt32) -> UInt64 {
    UInt64(EL1_LPI_FIRST) + UInt64(device * eventsEach + event)
  }

  /// Maps all devices and events to collection 0.
  func map(_ its: inout ITSDriver) -> Bool {
    el1_zero(Arena.translations, UInt64(Self.count) * stride)
    el1_clean(Arena.translations, UInt64(Self.count) * stride)
    for device in 0..<Self.count {
      its.append(.mapd(device, table: table(device), eventIDBits: Self.eventIDBits))
      for event in 0..<Self.eventsEach {
        its.append(
          .mapti(
            device, event, interrupt: UInt32(truncatingIfNeeded: Self.interrupt(device, event)),
            collectionID: 0))
        its.append(.event(.inv, device, event))
      }
      its.append(.sync(target: Redistributors.target(of: currentCPU())))
    }
    return its.finish()
  }

  func unmap(_ its: inout ITSDriver) -> Bool {
    for device in 0..<Self.count {
      for event in 0..<Self.eventsEach { its.append(.event(.discard, device, event)) }
      its.append(.unmapd(device))
    }
    return its.finish()
  }
}

extension Test {
  /// Expects something that must hold for the rest of a test to mean anything.
  fileprivate mutating func require(_ holds: Bool, _ otherwise: StaticString) {
    if !holds { fail(otherwise) }
  }

  /// Sends `INT` for an event and expects the CPU to take the LPI as often as told: once, or never.
  mutating func expectInterrupt(
    _ its: inout ITSDriver, _ device: UInt32, _ event: UInt32, interrupt: UInt64,
    on cpu: UInt64 = currentCPU(), times: UInt64 = 1
  ) {
    let before = Interrupts.count(interrupt, on: cpu)
    if !its.run(.event(.int, device, event)) { fail("the ITS doesn't read INT") }
    if times != 0 {
      _ = Interrupts.take { Interrupts.count(interrupt, on: cpu) >= before + times }
    } else {
      Interrupts.settle()
    }
    expect("the LPIs taken", Interrupts.count(interrupt, on: cpu) - before, equals: times)
  }

  /// Makes every event of every device pending by `INT` and expects each LPI once, and no other.
  fileprivate mutating func expectAllInterrupts(_ its: inout ITSDriver) {
    let first = UInt64(EL1_LPI_FIRST)
    let count = UInt64(Devices.count * Devices.eventsEach)
    let cpu = currentCPU()
    let taken = el1_record(cpu, UInt64(EL1_WORD_INTERRUPTS))
    var sum: UInt64 = 0
    for interrupt in first..<first + count { sum += Interrupts.count(interrupt) }
    for device in 0..<Devices.count {
      for event in 0..<Devices.eventsEach {
        let interrupt = Devices.interrupt(device, event)
        let before = Interrupts.count(interrupt)
        its.append(.event(.int, device, event))
        its.ring()
        guard Interrupts.take(until: { Interrupts.count(interrupt) != before }) else {
          fail("an LPI isn't taken")
          expect("the INTID", 0, equals: interrupt)
          return
        }
        expect("how often the LPI was taken", Interrupts.count(interrupt) - before, equals: 1)
      }
    }
    Interrupts.settle()
    var after: UInt64 = 0
    for interrupt in first..<first + count { after += Interrupts.count(interrupt) }
    expect("the LPIs of the devices", after - sum, equals: count)
    expect("all interrupts", el1_record(cpu, UInt64(EL1_WORD_INTERRUPTS)) - taken, equals: count)
    if !its.wait() { fail("the ITS doesn't read all commands") }
  }
}

/// The life of a host that does nothing wrong; after a handover the ITS's tables are what they were.
func testHonestLife(_ report: inout TestReport, tablesAreFixed: Bool = false) {
  Redistributors.begin()
  testProbe(&report, tablesAreFixed: tablesAreFixed)
  testTables(&report, tablesAreFixed: tablesAreFixed)
  testEvents(&report)
  testQueue(&report)
  testNewKernel(&report)
}

/// Interrupts that no test has asked for, up to here.
func testUnexpectedInterrupts(_ report: inout TestReport) {
  report.test("its", "no CPU has taken an interrupt that is neither an LPI of a test nor a timer's")
  {
    test in
    for cpu in 0..<UInt64(EL1_CPU_LIMIT) {
      test.expect("the interrupts", el1_record(cpu, UInt64(EL1_WORD_UNEXPECTED)), equals: 0)
    }
  }
}

/// What a driver finds out by writing a register and reading it back.
private func testProbe(_ report: inout TestReport, tablesAreFixed: Bool) {
  let area: StaticString = "its probe"

  report.test(area, "there is a device table, and room for the devices") { test in
    test.require(ITSDriver.register(of: .devices) != nil, "no GITS_BASER is for devices")
    let typer = ITSDriver.typer
    test.expect("GITS_TYPER.Physical", typer.hasPhysicalLPIs ? 1 : 0, equals: 1)
    test.expect("the bits of a DeviceID", typer.deviceIDBits, in: 7...32)
    test.expect("the bits of an EventID", typer.eventIDBits, in: 4...32)
    test.require(
      ITSDriver.register(of: .collections) != nil || typer.hardwareCollections != 0,
      "there are no collections")
  }
  func expectReadBack(
    _ test: inout Test, _ register: UInt64, _ before: GITSTableBase, _ pageSize: TablePageSize
  ) {
    for form in 0..<2 {
      let table = ITSDriver.Table(
        base: Arena.spare, pages: 3, pageSize: pageSize, isIndirect: form == 1)
      store64(register, table.value)
      let after = GITSTableBase(rawValue: load64(register))
      // On this board no field that software may set is fixed.
      test.expect(
        "what software may set", after.rawValue & GITSTableBase.writable, equals: table.value)
      test.expect(
        "what it may not", after.rawValue & GITSTableBase.fixed,
        equals: before.rawValue & GITSTableBase.fixed)
    }
  }
  report.test(area, "GITS_BASER<n> reads back what was written, its fixed fields apart") { test in
    guard !tablesAreFixed else {
      test.skip("page sizes and levels are fixed after a handover")
      return
    }
    test.require(ITSDriver.disable(), "the ITS isn't quiescent")
    for index in 0..<8 as Range<UInt64> {
      let register = Board.itsControl + Register.gitsBASER0 + 8 * index
      let before = GITSTableBase(rawValue: load64(register))
      guard before.kind == .devices || before.kind == .collections else { continue }
      expectReadBack(&test, register, before, .kib4)
      expectReadBack(&test, register, before, .kib16)
      expectReadBack(&test, register, before, .kib64)
      store64(register, before.rawValue)
      test.expect("GITS_BASER<n> in the end", load64(register), equals: before.rawValue)
    }
  }
  report.test(area, "an unused GITS_BASER<n> reads as zero whatever is written") { test in
    for index in 0..<8 as Range<UInt64> {
      let register = Board.itsControl + Register.gitsBASER0 + 8 * index
      guard GITSTableBase(rawValue: load64(register)).kind == .none else { continue }
      store64(register, .max)
      test.expect("GITS_BASER<n>", load64(register), equals: 0)
    }
  }
  report.test(area, "GITS_CBASER reads back with its attributes, and GITS_CREADR is zero") { test in
    test.require(ITSDriver.disable(), "the ITS isn't quiescent")
    let base = GITSCommandBase(
      base: Arena.queue, pages: 16, attributes: MemoryAttributes.coherent)
    store64(Board.itsControl + Register.gitsCBASER, base.rawValue)
    test.expect(
      "GITS_CBASER", load64(Board.itsControl + Register.gitsCBASER), equals: base.rawValue)
    test.expect("GITS_CREADR", load64(Board.itsControl + Register.gitsCREADR), equals: 0)
    store64(Board.itsControl + Register.gitsCWRITER, 0)
    test.expect("GITS_CWRITER", load64(Board.itsControl + Register.gitsCWRITER), equals: 0)
  }
  report.test(area, "GITS_CTLR.Enabled reads back, and clears again") { test in
    var its = ITSDriver()
    test.require(its.program(), "the ITS can't be programmed")
    ITSDriver.enable()
    test.expect("Enabled", load32(Board.itsControl + Register.gitsCTLR) & 1, equals: 1)
    test.require(ITSDriver.disable(), "the ITS isn't quiescent")
    test.expect("Enabled", load32(Board.itsControl + Register.gitsCTLR) & 1, equals: 0)
  }
  report.test(area, "where GITS_TYPER.Virtual is clear nothing of virtual LPIs is offered") {
    test in
    let typer = ITSDriver.typer
    guard !typer.hasVirtualLPIs else {
      test.skip("the ITS offers virtual LPIs")
      return
    }
    test.expect("VMOVP", typer.movesVPEsAlone ? 1 : 0, equals: 0)
    test.expect("the features of GICv4.1", typer.hasGICv41 ? 1 : 0, equals: 0)
    test.require(ITSDriver.register(of: .vpes) == nil, "a GITS_BASER is for vPEs")
    // VMAPP, VMOVP and VSYNC do nothing, and the queue goes on.
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    its.append(
      ITSCommand(0x29, 1 << 32, 1 << 63, Arena.vpePending | 15))
    its.append(ITSCommand(0x22, 1 << 32, 0))
    its.append(ITSCommand(0x25, 1 << 32))
    test.require(its.finish(), "the queue doesn't go on")
  }
}

/// Devices and their tables, in all forms.
private func testTables(_ report: inout TestReport, tablesAreFixed: Bool) {
  let area: StaticString = "its tables"

  func life(_ test: inout Test, _ its: ITSDriver, _ devices: Devices) {
    var its = its
    test.require(its.start(), "the ITS can't be started")
    test.require(devices.map(&its), "the devices can't be mapped")
    test.expectAllInterrupts(&its)
    test.require(devices.unmap(&its), "the devices can't be unmapped")
  }

  report.test(area, "64 devices of 8 events in a direct table: each LPI arrives once") {
    life(&$0, ITSDriver(), Devices())
  }
  report.test(area, "a direct table of 65536 devices") {
    var its = ITSDriver()
    its.devices = ITSDriver.Table(base: Arena.devices, pages: 8)
    life(&$0, its, Devices())
  }
  report.test(area, "direct tables of 4 KiB pages") {
    var its = ITSDriver()
    its.devices = ITSDriver.Table(base: Arena.devices, pages: 2, pageSize: .kib4)
    its.collections = ITSDriver.Table(base: Arena.collections, pages: 1, pageSize: .kib4)
    life(&$0, its, Devices())
  }
  report.test(area, "direct tables of 16 KiB pages") {
    var its = ITSDriver()
    its.devices = ITSDriver.Table(base: Arena.devices, pages: 2, pageSize: .kib16)
    its.collections = ITSDriver.Table(base: Arena.collections, pages: 1, pageSize: .kib16)
    life(&$0, its, Devices())
  }
  report.test(area, "a two-level device table of 64 KiB pages") {
    var its = ITSDriver()
    its.devices = ITSDriver.Table(base: Arena.firstLevel, isIndirect: true)
    test2(&$0, its, pageSize: .kib64)
  }
  report.test(area, "a two-level device table of 4 KiB pages") {
    var its = ITSDriver()
    its.devices = ITSDriver.Table(base: Arena.firstLevel, pageSize: .kib4, isIndirect: true)
    test2(&$0, its, pageSize: .kib4)
  }

  /// Starts with an empty level 1, and gives the ITS a level-2 page before the first device needs it.
  func test2(_ test: inout Test, _ its: ITSDriver, pageSize: TablePageSize) {
    var its = its
    test.require(its.start(), "the ITS can't be started")
    el1_zero(Arena.secondLevel(0), Arena.page)
    el1_clean(Arena.secondLevel(0), Arena.page)
    el1_store64(Arena.firstLevel, TableFirstLevelEntry(page: Arena.secondLevel(0)).rawValue)
    el1_clean(Arena.firstLevel, 8)
    el1_barrier()
    test.require(Devices().map(&its), "the devices can't be mapped")
    test.expectAllInterrupts(&its)
    test.require(Devices().unmap(&its), "the devices can't be unmapped")
  }

  report.test(area, "translation tables of less than a page, side by side") {
    // 16 entries of up to 16 bytes.
    life(&$0, ITSDriver(), Devices(stride: 0x100))
  }
  report.test(area, "the device of the last DeviceID") { test in
    guard !tablesAreFixed else {
      test.skip("the table that was handed over has no room for it")
      return
    }
    var its = ITSDriver()
    its.devices = ITSDriver.Table(base: Arena.devices, pages: 8)
    test.require(its.start(), "the ITS can't be started")
    let bits = min(ITSDriver.typer.deviceIDBits, 16)
    let device = UInt32(truncatingIfNeeded: 1 << bits) &- 1
    its.append(.mapd(device, table: Devices().table(0), eventIDBits: 4))
    its.append(.mapti(device, 15, interrupt: 8192, collectionID: 0))
    test.expectInterrupt(&its, device, 15, interrupt: 8192)
  }
  report.test(area, "a device that was unmapped is silent, and mapped anew it isn't") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    test.expectInterrupt(&its, 3, 2, interrupt: Devices.interrupt(3, 2))
    test.require(its.run(.unmapd(3)), "the device can't be unmapped")
    test.expectInterrupt(&its, 3, 2, interrupt: Devices.interrupt(3, 2), times: 0)
    test.expectInterrupt(&its, 4, 2, interrupt: Devices.interrupt(4, 2))
    el1_zero(Arena.spare, Arena.page)
    its.append(.mapd(3, table: Arena.spare + 0x100, eventIDBits: 4))
    // The new table is empty: what was mapped before isn't any more.
    test.expectInterrupt(&its, 3, 2, interrupt: Devices.interrupt(3, 2), times: 0)
    its.append(
      .mapti(
        3, 2, interrupt: UInt32(truncatingIfNeeded: Devices.interrupt(3, 2)), collectionID: 0))
    test.expectInterrupt(&its, 3, 2, interrupt: Devices.interrupt(3, 2))
  }
  report.test(area, "a mapped device that's mapped again with a new table") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    el1_zero(Arena.spare, Arena.page)
    its.append(.mapd(5, table: Arena.spare, eventIDBits: 5))
    its.append(.mapti(5, 31, interrupt: 8192 + 600, collectionID: 0))
    test.expectInterrupt(&its, 5, 31, interrupt: 8192 + 600)
    test.expectInterrupt(&its, 6, 0, interrupt: Devices.interrupt(6, 0))
  }
}

/// What can be done to an event.
private func testEvents(_ report: inout TestReport) {
  let area: StaticString = "its events"

  func withDevices(_ test: inout Test, _ body: (inout Test, inout ITSDriver) -> Void) {
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    body(&test, &its)
  }
  let interrupt = Devices.interrupt(1, 3)

  report.test(area, "INV makes a change of the configuration known") { test in
    withDevices(&test) { test, its in
      Redistributors.configure(interrupt, isEnabled: false)
      test.require(its.run(.event(.inv, 1, 3)), "the ITS doesn't read INV")
      test.expectInterrupt(&its, 1, 3, interrupt: interrupt, times: 0)
      let before = Interrupts.count(interrupt)
      Redistributors.configure(interrupt, isEnabled: true)
      test.require(its.run(.event(.inv, 1, 3)), "the ITS doesn't read INV")
      _ = Interrupts.take { Interrupts.count(interrupt) != before }
      test.expect("the LPIs once enabled", Interrupts.count(interrupt) - before, equals: 1)
    }
  }
  report.test("statistics", "the pages that EL2 takes for devices come back when they go") {
    test in
    withDevices(&test) { test, its in
      func gauge(_ number: UInt64) -> UInt64 { Hypercall.count(number) ?? .max }
      let pages = gauge(512 + 320)
      let tables = gauge(128)
      test.expect("the devices mapped", gauge(512 + 322), equals: UInt64(Devices.count))
      test.expect("the pages in use", pages, in: UInt64(Devices.count)...(.max - 1))
      test.expect("the table pages in use", tables, in: 1...(.max - 1))
      let arena: UInt64 = Hypercall.isEmbedded ? 1024 : 2048
      test.expect("all pages of the ITS", pages &+ gauge(512 + 321), in: arena...arena)
      for _ in 0..<3 {
        test.require(Devices().unmap(&its), "the devices can't be unmapped")
        // EL2 learns with the next doorbell that the hardware has let go of them.
        let sync = ITSCommand.sync(target: Redistributors.target(of: currentCPU()))
        test.require(its.run(sync), "the ITS doesn't read SYNC")
        test.expect("the devices left", gauge(512 + 322), equals: 0)
        test.expect("the tables that wait", gauge(512 + 324), equals: 0)
        test.expect("the pages fewer", pages &- gauge(512 + 320), equals: UInt64(Devices.count))
        test.require(Devices().map(&its), "the devices can't be mapped again")
        test.expect("the pages in use again", gauge(512 + 320), equals: pages)
      }
      test.expect("the table pages in use at the end", gauge(128), equals: tables)
      test.expect("the unfinished doorbells", gauge(512 + 325), equals: 0)
    }
  }
  report.test(area, "INVALL makes all changes of the configuration known") { test in
    withDevices(&test) { test, its in
      Redistributors.configure(interrupt, isEnabled: false)
      test.require(its.run(.invall(0)), "the ITS doesn't read INVALL")
      test.expectInterrupt(&its, 1, 3, interrupt: interrupt, times: 0)
      let before = Interrupts.count(interrupt)
      Redistributors.configure(interrupt, isEnabled: true)
      test.require(its.run(.invall(0)), "the ITS doesn't read INVALL")
      _ = Interrupts.take { Interrupts.count(interrupt) != before }
      test.expect("the LPIs once enabled", Interrupts.count(interrupt) - before, equals: 1)
    }
  }
  report.test(area, "CLEAR takes back what INT has made pending") { test in
    withDevices(&test) { test, its in
      Redistributors.configure(interrupt, isEnabled: false)
      test.require(its.run(.event(.inv, 1, 3)), "the ITS doesn't read INV")
      test.expectInterrupt(&its, 1, 3, interrupt: interrupt, times: 0)
      test.require(its.run(.event(.clear, 1, 3)), "the ITS doesn't read CLEAR")
      let before = Interrupts.count(interrupt)
      Redistributors.configure(interrupt, isEnabled: true)
      test.require(its.run(.event(.inv, 1, 3)), "the ITS doesn't read INV")
      Interrupts.settle()
      test.expect("the LPIs once enabled", Interrupts.count(interrupt) - before, equals: 0)
      test.expectInterrupt(&its, 1, 3, interrupt: interrupt)
    }
  }
  report.test(area, "DISCARD unmaps one event and leaves the others") { test in
    withDevices(&test) { test, its in
      test.require(its.run(.event(.discard, 1, 3)), "the ITS doesn't read DISCARD")
      test.expectInterrupt(&its, 1, 3, interrupt: interrupt, times: 0)
      test.expectInterrupt(&its, 1, 4, interrupt: Devices.interrupt(1, 4))
      its.append(
        .mapti(1, 3, interrupt: UInt32(truncatingIfNeeded: interrupt), collectionID: 0))
      test.expectInterrupt(&its, 1, 3, interrupt: interrupt)
    }
  }
  report.test(area, "MAPI gives an event the LPI of the same number") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    el1_zero(Arena.spare, 4 * Arena.page)
    its.append(.mapd(9, table: Arena.spare, eventIDBits: 14))
    its.append(.mapi(9, 8192 + 700, collectionID: 0))
    test.expectInterrupt(&its, 9, 8192 + 700, interrupt: 8192 + 700)
  }
  report.test(area, "a write of GITS_TRANSLATER by the CPU is an event of device 0") { test in
    withDevices(&test) { test, its in
      let interrupt = Devices.interrupt(0, 5)
      let before = Interrupts.count(interrupt)
      store32(Board.itsTranslation + Register.gitsTRANSLATER, 5)
      _ = Interrupts.take { Interrupts.count(interrupt) != before }
      test.expect("the LPIs", Interrupts.count(interrupt) - before, equals: 1)
      _ = its
    }
  }
}

/// The command queue.
private func testQueue(_ report: inout TestReport) {
  let area: StaticString = "its queue"

  report.test(area, "it's wrapped three times, in batches that divide nothing") { test in
    var its = ITSDriver()
    its.queuePages = 1
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    var wraps: UInt64 = 0
    for batch in 0..<12 as Range<UInt32> {
      let start = its.next
      for index in 0..<36 as Range<UInt32> {
        its.append(.event(.inv, index % Devices.count, batch % Devices.eventsEach))
      }
      if its.next < start { wraps += 1 }
      test.expectInterrupt(
        &its, batch, batch % Devices.eventsEach,
        interrupt: Devices.interrupt(batch, batch % Devices.eventsEach))
    }
    test.expect("how often the queue wrapped", wraps, in: 3...4)
  }
  report.test(area, "2047 commands at once, and every one is carried out") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    let total = UInt64(Devices.count * Devices.eventsEach)
    var before: UInt64 = 0
    for index in 0..<total { before += Interrupts.count(UInt64(EL1_LPI_FIRST) + index) }
    for index in 0..<2047 as Range<UInt32> {
      let number = index % (Devices.count * Devices.eventsEach)
      let opcode = index < Devices.count * Devices.eventsEach ? ITSOpcode.int : .inv
      its.append(
        .event(opcode, number / Devices.eventsEach, number % Devices.eventsEach))
    }
    test.require(its.finish(), "the ITS doesn't read all commands")
    Interrupts.settle()
    var after: UInt64 = 0
    for index in 0..<total { after += Interrupts.count(UInt64(EL1_LPI_FIRST) + index) }
    test.expect("the LPIs", after - before, equals: total)
  }
  report.test(area, "a host that only waits for the interrupt of its last command gets it") {
    test in
    // Nobody reads GITS_CREADR meanwhile.
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    let interrupt = Devices.interrupt(63, 7)
    let before = Interrupts.count(interrupt)
    for index in 0..<1000 as Range<UInt32> {
      its.append(.event(.inv, index % Devices.count, index % Devices.eventsEach))
    }
    its.append(.event(.int, 63, 7))
    its.ring()
    _ = Interrupts.take { Interrupts.count(interrupt) != before }
    test.expect("the LPIs", Interrupts.count(interrupt) - before, equals: 1)
    test.require(its.wait(), "the ITS doesn't read all commands")
  }
  report.test(area, "a 64-bit doorbell is as good as one of 32 bits") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    let interrupt = Devices.interrupt(7, 7)
    let before = Interrupts.count(interrupt)
    its.append(.event(.int, 7, 7))
    el1_barrier()
    store64(Board.itsControl + Register.gitsCWRITER, its.next)
    _ = Interrupts.take { Interrupts.count(interrupt) != before }
    test.expect("the LPIs", Interrupts.count(interrupt) - before, equals: 1)
    test.expect("GITS_CWRITER", load64(Board.itsControl + Register.gitsCWRITER), equals: its.next)
  }
  report.test(area, "a second doorbell with the same value does nothing") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    test.expectInterrupt(&its, 2, 2, interrupt: Devices.interrupt(2, 2))
    let before = Interrupts.count(Devices.interrupt(2, 2))
    its.ring()
    Interrupts.settle()
    test.expect("the LPIs", Interrupts.count(Devices.interrupt(2, 2)) - before, equals: 0)
    test.require(its.wait(), "GITS_CREADR has moved")
  }
  report.test(area, "commands of devices that aren't there are passed over") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    its.append(.event(.int, 1000, 0))
    its.append(.event(.inv, 1000, 0))
    its.append(.event(.discard, 1, 15))
    its.append(.unmapd(1000))
    its.append(.mapti(1000, 0, interrupt: 8192, collectionID: 0))
    its.append(.movi(1000, 0, collectionID: 0))
    its.append(.invall(77))
    test.require(its.finish(), "the ITS doesn't read all commands")
    test.expectInterrupt(&its, 2, 1, interrupt: Devices.interrupt(2, 1))
  }
  report.test(area, "commands written while the ITS is disabled wait until it's enabled") { test in
    var its = ITSDriver()
    test.require(its.start(), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    test.require(ITSDriver.disable(), "the ITS isn't quiescent")
    let interrupt = Devices.interrupt(11, 1)
    let before = Interrupts.count(interrupt)
    let read = load32(Board.itsControl + Register.gitsCREADR)
    test.expect("GITS_CREADR, from which the queue goes on", read, differsFrom: 0)
    its.append(.event(.int, 11, 1))
    its.ring()
    Interrupts.settle()
    test.expect("the LPIs while disabled", Interrupts.count(interrupt) - before, equals: 0)
    test.expect("GITS_CREADR", load32(Board.itsControl + Register.gitsCREADR), equals: read)
    ITSDriver.enable()
    _ = Interrupts.take { Interrupts.count(interrupt) != before }
    test.expect("the LPIs once enabled", Interrupts.count(interrupt) - before, equals: 1)
    test.require(its.wait(), "the ITS doesn't read all commands")
  }
}

/// A second kernel, started by the first: it disables the ITS and brings its own tables.
private func testNewKernel(_ report: inout TestReport) {
  let area: StaticString = "its, second kernel"

  func newKernel() -> ITSDriver {
    var its = ITSDriver()
    its.queue = Arena.secondQueue
    its.queuePages = 4
    its.collections = ITSDriver.Table(base: Arena.secondCollections)
    its.devices = ITSDriver.Table(base: Arena.spare, pages: 2)
    return its
  }

  report.test(area, "with a new queue and new tables it maps all devices anew") { test in
    var old = ITSDriver()
    test.require(old.start(), "the ITS can't be started")
    test.require(Devices().map(&old), "the devices can't be mapped")
    test.expectInterrupt(&old, 1, 1, interrupt: Devices.interrupt(1, 1))
    var its = newKernel()
    test.require(its.start(), "the ITS can't be started anew")
    test.expect("the place in the new queue", its.next, equals: 64)
    test.require(Devices(stride: 0x200).map(&its), "the devices can't be mapped anew")
    test.expectAllInterrupts(&its)
  }
  report.test(area, "in empty tables no device of the first kernel is mapped") { test in
    var old = ITSDriver()
    test.require(old.start(), "the ITS can't be started")
    test.require(Devices().map(&old), "the devices can't be mapped")
    var its = newKernel()
    test.require(its.start(), "the ITS can't be started anew")
    test.expectInterrupt(&its, 1, 1, interrupt: Devices.interrupt(1, 1), times: 0)
  }
  report.test(area, "the first one's queue is read no more") { test in
    var old = ITSDriver()
    test.require(old.start(), "the ITS can't be started")
    var its = newKernel()
    test.require(its.start(), "the ITS can't be started anew")
    test.require(Devices().map(&its), "the devices can't be mapped")
    // Where the new queue's next command is, the old one holds something else.
    for offset in stride(from: UInt64(0), to: old.queueSize, by: 32) {
      el1_store64(old.queue + offset, 0x0000_0001_0000_0003)
      el1_store64(old.queue + offset + 8, 1)
    }
    let before = Interrupts.count(Devices.interrupt(1, 1))
    test.expectInterrupt(&its, 2, 2, interrupt: Devices.interrupt(2, 2))
    Interrupts.settle()
    test.expect(
      "the LPIs of the old queue", Interrupts.count(Devices.interrupt(1, 1)) - before, equals: 0)
  }
}

/// Interrupts that go to another CPU; a machine with one CPU skips them.
func testTargets(_ report: inout TestReport, _ psci: PSCI) {
  let area: StaticString = "its targets"
  let own = currentCPU()
  let otherCPU = OtherCPU(psci)
  let other = otherCPU?.index ?? own

  func withOther(_ test: inout Test, _ body: (inout Test, inout ITSDriver) -> Void) {
    guard let otherCPU else {
      test.skip("the machine has one CPU")
      return
    }
    test.require(otherCPU.start(EL1_JOB_INTERRUPTS), "the other CPU doesn't enter the host")
    var its = ITSDriver()
    test.require(its.start(cpus: 2), "the ITS can't be started")
    test.require(Devices().map(&its), "the devices can't be mapped")
    body(&test, &its)
    test.require(otherCPU.stop(), "the other CPU doesn't switch itself off")
  }

  let interrupt = Devices.interrupt(8, 1)
  report.test(area, "MOVI moves an event to another CPU and back") { test in
    withOther(&test) { test, its in
      let collection = UInt16(truncatingIfNeeded: other)
      let mine = UInt16(truncatingIfNeeded: own)
      its.append(.movi(8, 1, collectionID: mine))
      test.expectInterrupt(&its, 8, 1, interrupt: interrupt, on: own)
      its.append(.movi(8, 1, collectionID: collection))
      its.append(.sync(target: Redistributors.target(of: own)))
      test.expectInterrupt(&its, 8, 1, interrupt: interrupt, on: other)
      let before = Interrupts.count(interrupt, on: own)
      test.expectInterrupt(&its, 8, 1, interrupt: interrupt, on: other)
      test.expect(
        "the LPIs on this CPU", Interrupts.count(interrupt, on: own) - before, equals: 0)
      its.append(.movi(8, 1, collectionID: mine))
      test.expectInterrupt(&its, 8, 1, interrupt: interrupt, on: own)
    }
  }
  report.test(area, "MAPC moves a collection to another CPU, and MOVALL what's pending") { test in
    withOther(&test) { test, its in
      let mine = UInt16(truncatingIfNeeded: own)
      its.append(.mapc(mine, target: Redistributors.target(of: other)))
      its.append(
        .movall(
          from: Redistributors.target(of: own), to: Redistributors.target(of: other)))
      its.append(.sync(target: Redistributors.target(of: other)))
      its.append(.movi(8, 1, collectionID: mine))
      test.expectInterrupt(&its, 8, 1, interrupt: interrupt, on: other)
    }
  }
}
