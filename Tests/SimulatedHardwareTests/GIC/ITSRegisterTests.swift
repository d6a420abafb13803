// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Testing

@Suite("Registers of the simulated ITS")
struct ITSRegisterTests {
  @Test("A write of each half of GITS_CBASER and GITS_BASER<n> merges into the register")
  func halves() {
    let driver = SmallITSDriver()
    _ = driver.its.write(.word, 0, at: 0)
    let value = GITSCommandBase(
      base: 0x12_4000_8000, pages: 16, attributes: MemoryAttributes.coherent
    ).rawValue
    _ = driver.its.write(.word, value & 0xffff_ffff, at: 0x80)
    _ = driver.its.write(.word, value >> 32, at: 0x84)
    #expect(driver.read(0x80) == value)
    #expect(driver.its.read(.word, at: 0x84) == value >> 32)
    _ = driver.its.write(.word, 0, at: 0x104)
    #expect(driver.its.tableBase(0).kind == .devices)
    #expect(!driver.its.tableBase(0).isValid && driver.its.tableBase(0).base == ITSPlace.devices)
  }

  @Test("Type and Entry_Size of GITS_BASER<n> are read only, and unused registers read as zero")
  func readOnly() {
    let driver = SmallITSDriver()
    _ = driver.its.write(.word, 0, at: 0)
    driver.write(0x100, .max)
    #expect(driver.its.tableBase(0).kind == .devices)
    #expect(driver.its.tableBase(0).entrySize == 8)
    driver.write(0x138, .max)
    #expect(driver.read(0x138) == 0)
  }

  @Test("A fixed page size, no second level, and Non-shareable are what reads back")
  func fixed() {
    var configuration = ITSConfiguration()
    configuration.isCoherent = false
    configuration.tables[0] = .init(
      .devices, entrySize: 16, fixedPageSize: .kib16, permitsTwoLevels: false)
    let driver = SmallITSDriver(configuration, isIndirect: true, pageSize: .kib64)
    let base = driver.its.tableBase(0)
    #expect(base.pageSize == .kib16 && !base.isIndirect && base.entrySize == 16)
    #expect(base.attributes & MemoryAttributes.shareability == 0)
    #expect(driver.its.tableBase(1).pageSize == .kib64)
    #expect(driver.its.queueBase.attributes & MemoryAttributes.shareability == 0)
  }

  @Test("GITS_TYPER and GITS_PIDR2 say what the version has")
  func identification() {
    let v3 = SmallITSDriver()
    #expect(!v3.its.typer.hasVirtualLPIs && v3.its.read(.word, at: 0xffe8) == 0x30)
    #expect(v3.its.typer.translationEntrySize == 12 && v3.its.typer.deviceIDBits == 16)
    #expect(v3.read(0x08) == v3.its.typer.rawValue)
    let v41 = SmallITSDriver(ITSConfiguration(.gicv41))
    #expect(v41.its.typer.hasVirtualLPIs && v41.its.typer.hasGICv41)
    #expect(v41.its.read(.word, at: 0xffe8) == 0x40)
    #expect(v41.its.tableBase(2).kind == .vpes && v41.its.tableBase(2).entrySize == 32)
  }

  @Test(
    "An access that the architecture doesn't permit is a fault of software",
    arguments: [
      (.double, 0, 0), (.word, 0x82, nil), (.double, 0x84, nil), (.byte, 0x88, nil),
      (.half, 0, nil),
      (.byte, 0x400, nil), (.double, 0x18, 0),
    ] as [(AccessWidth, UInt64, UInt64?)])
  func widths(width: AccessWidth, offset: UInt64, value: UInt64?) {
    let driver = SmallITSDriver()
    #expect(driver.its.read(width, at: offset) == value)
    #expect(driver.its.write(width, 0, at: offset) == (value != nil))
    #expect(driver.gic.faults.count == 2)
    #expect(driver.its.isIdle && !driver.its.isQuiescent)
  }

  @Test("Quiescent follows Enabled after so many steps; moving a table before is a fault")
  func quiescence() {
    var configuration = ITSConfiguration()
    configuration.stepsToQuiescence = 3
    let driver = SmallITSDriver(configuration)
    driver.its.pace = .manual
    #expect(driver.its.read(.word, at: 0) == 1)
    _ = driver.its.write(.word, 0, at: 0)
    driver.its.step()
    #expect(driver.its.read(.word, at: 0) == 0)
    driver.write(0x100, 0)
    driver.write(0x80, 0)
    _ = driver.its.write(.word, 1, at: 0)
    #expect(
      driver.gic.faults == [
        .tableMovedWhileActive(0), .queueMovedWhileActive, .enabledBeforeQuiescent,
      ])
    _ = driver.its.write(.word, 0, at: 0)
    driver.its.run()
    #expect(driver.its.read(.word, at: 0) == 1 << 31)
  }

  @Test("The adapter for devices finds each frame in its window, and aborts outside")
  func window() {
    let driver = SmallITSDriver()
    let memory = GICDeviceMemory(
      driver.gic,
      windows: [
        .init(virtual: VirtualAddress(0xff00_0000), physical: driver.its.base, size: 0x1_0000),
        .init(
          virtual: VirtualAddress(0xff10_0000), physical: driver.gic.redistributors[1].base,
          size: 0x2_0000),
      ])
    #expect(
      memory.read(.double, at: VirtualAddress(0xff00_0008)) == driver.its.typer.rawValue)
    #expect(
      memory.read(.double, at: VirtualAddress(0xff10_0008))
        == driver.gic.redistributors[1].typer.rawValue)
    #expect(memory.read(.word, at: VirtualAddress(0xff01_0000)) == nil)
    #expect(!memory.write(.word, 0, at: VirtualAddress(0)))
    #expect(memory.write(.word, 0, at: VirtualAddress(0xff00_0000)))
    #expect(driver.its.isQuiescent)
  }

  @Test("The Redistributors are one after the other, numbered, and the last says so")
  func redistributors() {
    let gic = SimulatedGIC(processors: 3, hasVirtualLPIs: true)
    #expect(gic.redistributors.map(\.base) == [0x80a_0000, 0x80e_0000, 0x812_0000])
    #expect(gic.redistributors.map(\.typer.isLast) == [false, false, true])
    #expect(gic.redistributors.map(\.typer.processorNumber) == [0, 1, 2])
    #expect(gic.redistributor(0x80e, byAddress: true)?.index == 1)
    #expect(gic.redistributor(0x810, byAddress: true)?.index == 1)
    #expect(gic.redistributor(0x80f, byAddress: true) == nil)
    #expect(gic.redistributor(1, byAddress: false)?.index == 1)
  }
}
