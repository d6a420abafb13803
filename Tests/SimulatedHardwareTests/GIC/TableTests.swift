// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Testing

@Suite("Tables of the simulated ITS")
struct TableTests {
  static func firstLevel(_ driver: SmallITSDriver, _ index: UInt64, _ value: UInt64) {
    driver.gic.memory.store(.double, value, at: ITSPlace.devices + index * 8)
    driver.gic.memory.clean(ITSPlace.devices + index * 8, size: 8)
  }

  @Test(
    "A two-level table splits a DeviceID by the page size",
    arguments: [TablePageSize.kib4, .kib16, .kib64])
  func twoLevels(pageSize: TablePageSize) {
    let driver = SmallITSDriver(isIndirect: true, pageSize: pageSize)
    let perPage = UInt32(pageSize.bytes / 8)
    let device = perPage * 2 + 5
    driver.post(.mapd(device, table: 0x4009_0000, eventIDBits: 5))
    #expect(driver.its.lastError == .deviceOutOfRange(device))
    Self.firstLevel(driver, 2, valid | 0x4005_0000)
    driver.post([], retry: true)
    #expect(driver.word(0x4005_0000 + 40) == valid | 0x4009_0000 | 4)
    // No bit of the first level changes.
    #expect(driver.word(ITSPlace.devices + 16) == valid | 0x4005_0000)
  }

  @Test("An entry of the first level is cut to the page size: low address bits don't count")
  func misalignedPage() {
    let driver = SmallITSDriver(isIndirect: true, pageSize: .kib64)
    Self.firstLevel(driver, 0, valid | 0x4005_f000)
    driver.post(.mapd(1, table: 0x4009_0000, eventIDBits: 5))
    #expect(driver.word(0x4005_0008) == valid | 0x4009_0000 | 4)
    #expect(
      driver.its.reachable.contains {
        $0.use == .table(.devices) && $0.base == 0x4005_0000 && $0.size == 0x1_0000
      })
  }

  @Test("A table of 64 KiB pages lies above 48 bits where the register is folded")
  func wideAddress() {
    let driver = SmallITSDriver()
    _ = driver.its.write(.word, 0, at: 0)
    let base: UInt64 = 0x000a_1234_5678_0000
    driver.write(
      0x100,
      GITSTableBase(
        base: base, pages: 1, pageSize: .kib64, isIndirect: false,
        attributes: MemoryAttributes.coherent
      ).rawValue)
    _ = driver.its.write(.word, 1, at: 0)
    driver.post(.mapd(2, table: 0x0009_0000_0000_0100, eventIDBits: 1))
    #expect(driver.word(base + 16) == valid | 0x0009_0000_0000_0100)
  }

  @Test("A page that isn't zero when it is installed holds whatever entries were forged in it")
  func forgedEntry() {
    let driver = SmallITSDriver(isIndirect: true)
    driver.post(.mapc(0, target: 0))
    let forged = TableEntry.device(table: ITSPlace.canary, eventIDBits: 5)
    driver.gic.memory.store(.double, forged.word0, at: ITSPlace.secondLevel + 8 * 8)
    driver.gic.memory.clean(ITSPlace.secondLevel, size: 0x1000)
    Self.firstLevel(driver, 0, valid | ITSPlace.secondLevel)
    #expect(
      driver.its.reachable.contains { $0.use == .translationTable && $0.base == ITSPlace.canary })
    driver.post(.mapti(8, 0, interrupt: 8200, collectionID: 0))
    #expect(driver.word(ITSPlace.canary) == valid | 8200)
  }

  @Test("A first-level entry that was used stays in the ITS, and is forgotten when it is disabled")
  func keptFirstLevel() {
    var configuration = ITSConfiguration()
    configuration.entryCache = .writeThrough
    let driver = SmallITSDriver(configuration, isIndirect: true)
    Self.firstLevel(driver, 0, valid | ITSPlace.secondLevel)
    driver.post(.mapd(1, table: 0x4009_0000, eventIDBits: 5))
    Self.firstLevel(driver, 0, 0)
    driver.post(.mapd(2, table: 0x4009_1000, eventIDBits: 5))
    #expect(driver.its.lastError == nil)
    #expect(driver.word(ITSPlace.secondLevel + 16) == valid | 0x4009_1000 | 4)
    #expect(driver.its.reachable.contains { $0.base == ITSPlace.secondLevel })
    _ = driver.its.write(.word, 0, at: 0)
    _ = driver.its.write(.word, 1, at: 0)
    driver.post(.mapd(2, table: 0x4009_1000, eventIDBits: 5))
    #expect(driver.its.lastError == .deviceOutOfRange(2))
    #expect(!driver.its.reachable.contains { $0.base == ITSPlace.secondLevel })
  }

  @Test("A device entry that is kept outlives the one in memory, and is in reach")
  func keptDevice() {
    var configuration = ITSConfiguration()
    configuration.entryCache = .writeThrough
    let driver = SmallITSDriver(configuration)
    driver.mapDevice()
    driver.gic.memory.zero(ITSPlace.devices, size: 0x1000)
    driver.gic.memory.clean(ITSPlace.devices, size: 0x1000)
    #expect(driver.its.message(device: 3, event: 0) == nil)
    #expect(driver.its.reachable.contains { $0.base == driver.table(3) })
    driver.post(.unmapd(3))
    #expect(driver.its.message(device: 3, event: 0) == .unmappedDevice(3))
  }

  @Test("A write-back entry reaches memory when the ITS is made quiescent, not before")
  func writeBack() {
    var configuration = ITSConfiguration()
    configuration.entryCache = .writeBack
    let driver = SmallITSDriver(configuration)
    driver.mapDevice()
    #expect(driver.word(ITSPlace.devices + 24) == 0)
    #expect(driver.its.message(device: 3, event: 0) == nil)
    _ = driver.its.write(.word, 0, at: 0)
    #expect(driver.word(ITSPlace.devices + 24) == valid | driver.table(3) | 4)
  }

  @Test("Entries of 16 bytes are 16 bytes apart")
  func entrySize() {
    var configuration = ITSConfiguration()
    configuration.tables[0].entrySize = 16
    let driver = SmallITSDriver(configuration)
    driver.post(.mapd(3, table: 0x4009_0000, eventIDBits: 5))
    #expect(driver.word(ITSPlace.devices + 48) == valid | 0x4009_0000 | 4)
    driver.post(.mapd(256, table: 0x4009_0000, eventIDBits: 5))
    #expect(driver.its.lastError == .deviceOutOfRange(256))
  }

  @Test("An unmapped translation table stays in reach until a SYNC to each target it has had")
  func lingering() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    driver.post(.movi(3, 0, collectionID: 1), .unmapd(3))
    func isReached() -> Bool {
      driver.its.reachable.contains { $0.use == .translationTable && $0.isWritten }
    }
    #expect(isReached())
    driver.gic.recordsAccesses = true
    driver.its.writeLingering()
    #expect(driver.gic.accesses.map(\.range.base) == [driver.table(3)])
    driver.post(.sync(target: 0))
    #expect(isReached())
    driver.post(.sync(target: 1))
    #expect(!isReached())
  }

  @Test("A Redistributor that a collection has left and that was synchronised isn't awaited")
  func lingeringAfterMove() {
    for synchronizes in [true, false] {
      let driver = SmallITSDriver()
      driver.mapDevice()
      driver.post(.mapc(0, target: 1))
      if synchronizes { driver.post(.sync(target: 0)) }
      driver.post(.unmapd(3), .sync(target: 1))
      #expect(
        driver.its.reachable.contains { $0.use == .translationTable } != synchronizes)
    }
  }

  @Test("What is reached of a translation table is its span in bytes, wherever in a page it starts")
  func span() {
    let driver = SmallITSDriver()
    driver.post(.mapd(3, table: 0x4009_0d00, eventIDBits: 8))
    let reach = driver.its.reachable.filter { $0.use == .translationTable }
    #expect(
      reach == [.init(use: .translationTable, base: 0x4009_0d00, size: 3072, isWritten: true)])
  }
}
