// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing

@testable import ITS
@testable import SimulatedHardware

/// A driver's habits, with a name.
struct Habit: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let habits: HostHabits

  init(_ name: String, _ change: (inout HostHabits) -> Void) {
    testDescription = name
    var habits = HostHabits()
    change(&habits)
    self.habits = habits
  }

  static let all: [Habit] = [
    Habit("the usual") { _ in },
    Habit("MAPD before each MAPTI") { $0.mapsDeviceEachTime = true },
    Habit("lower halves first") { $0.access = .lowerFirst },
    Habit("upper halves first") { $0.access = .upperFirst },
    Habit("tables written twice") { $0.rewritesTables = true },
    Habit("the page size that is read") { $0.looksAtTables = true },
    Habit("no SYNC") { $0.omitsSync = true },
    Habit("GITS_CREADR by 32 bits") { $0.pollsByDoubleword = false },
    Habit("no look at Quiescent") { $0.omitsQuiescent = true },
    Habit("DeviceIDs far apart") { $0.deviceStride = 509 },
    Habit("all of them") {
      $0.mapsDeviceEachTime = true
      $0.access = .upperFirst
      $0.rewritesTables = true
      $0.looksAtTables = true
      $0.omitsSync = true
      $0.pollsByDoubleword = false
      $0.omitsQuiescent = true
      $0.deviceStride = 997
    },
  ]
}

@Suite("Hosts of other habits") struct HabitTests {
  /// The kinds of hardware: those of all tests, and one whose registers hold what was chosen at its design.
  private static func options(_ variant: Variant) -> ITSWorldOptions {
    var options = variant.options
    options.services[0].stepsToQuiescence = 70
    options.services[0].deviceIDBits = 16
    for index in options.services[0].tables.indices {
      options.services[0].tables[index].reset = 2 << 8 | 7 << 59
    }
    return options
  }

  @Test(
    "F-21, F-22, F-26, F-34: every event that a driver maps arrives", arguments: Habit.all,
    Variant.all + Variant.pageSizes)
  func life(_ habit: Habit, _ variant: Variant) throws {
    let world = try ITSWorld(Self.options(variant))
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.habits = habit.habits
    driver.pageSize = variant.pageSize ?? .kib4
    driver.isIndirect = variant.isIndirect
    if !variant.isIndirect { driver.devicePages = 128 }
    driver.start()
    if habit.habits.looksAtTables { #expect(driver.pageSize == variant.pageSize ?? .kib64) }
    driver.mapCollections()
    let stride = habit.habits.deviceStride
    for round in 0..<2 as Range<UInt32> {
      for device in 0..<32 as Range<UInt32> {
        driver.mapDevice(device * stride, bits: 2, events: 4, interrupt: 8192 + device * 4)
        #expect(driver.isDone)
      }
      for device in 0..<32 as Range<UInt32> {
        driver.post(
          (0..<4).map { .event(.int, device * stride, $0) } + [.sync(target: driver.target(0))])
      }
      #expect(driver.isDone)
      #expect(world.taken(by: 0) == (0..<128).map { 8192 + $0 })
      #expect(world.its.counters.allRefused == 0)
      #expect(world.its.counters.ignored == 0)
      world.expectSound()
      world.gic.delivered = []
      // Off, and on again, with everything where it was, on hardware that is not Quiescent at once.
      if round == 0 {
        world.service().pace = .manual
        driver.start()
        world.service().pace = .instant
      }
    }
    #expect(world.its.devices.count == 32)
  }

  /// A host that has mapped device 1 with two events of 4 bits.
  private static func mapped(_ variant: Variant) throws -> (ITSWorld, HostDriver) {
    let world = try ITSWorld(variant.options)
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.isIndirect = variant.isIndirect
    driver.start()
    driver.mapCollections()
    driver.mapDevice(1, bits: 4, events: 2)
    return (world, driver)
  }

  // MARK: MAPD once more

  @Test(
    "F-22: MAPD with the address and Size that a device has keeps its events, another one does not",
    arguments: Variant.all)
  func mappedAgain(_ variant: Variant) throws {
    let (world, driver) = try Self.mapped(variant)
    func delivers(_ event: UInt32) -> Bool {
      world.gic.delivered = []
      return world.service().message(device: 1, event: event) == nil
        && world.taken(by: 0) == [8200 + event]
    }
    let before = world.its.arena.freeCount
    let done = world.service().completedCommands
    driver.post(.mapd(1, table: driver.table(1), eventIDBits: 4))
    #expect(delivers(0) && delivers(1))
    // There is nothing that the hardware had to do, and nothing that it has to let go of.
    #expect(world.service().completedCommands == done)
    #expect(world.its.arena.freeCount == before && world.its.retirement.isEmpty)
    world.expectSound()
    for (table, bits) in [
      (driver.table(2), 4), (driver.table(2), 5), (driver.table(1), 5), (driver.table(1), 4),
    ] as [(UInt64, UInt64)] {
      driver.post(.mapd(1, table: table, eventIDBits: bits), .sync(target: driver.target(0)))
      #expect(world.service().message(device: 1, event: 0) == .unmappedInterrupt(0))
      driver.post(
        .mapti(1, 0, interrupt: 8200, collectionID: 0),
        .mapd(1, table: table, eventIDBits: bits), .sync(target: driver.target(0)))
      #expect(delivers(0))
      world.expectSound()
    }
    // All that was replaced is free again.
    #expect(world.its.arena.freeCount == before)
    // Unmapped, it is no longer known by that name.
    driver.post(
      .unmapd(1), .mapd(1, table: driver.table(1), eventIDBits: 4),
      .sync(target: driver.target(0)))
    #expect(world.service().message(device: 1, event: 0) == .unmappedInterrupt(0))
    #expect(world.its.counters.allRefused == 0)
    world.expectSound()
  }

  // MARK: GITS_BASER<n> once more

  /// A host that has mapped a device, and has its tables in the same place once more.
  private func restarted(
    _ variant: Variant, zeroes: Set<GITSTableBase.Kind>
  ) throws -> (ITSWorld, HostDriver) {
    let (world, driver) = try Self.mapped(variant)
    driver.disable()
    if zeroes.contains(.devices) { world.zero(driver.devices, size: 4096) }
    if zeroes.contains(.collections) { world.zero(driver.collections, size: 4096) }
    driver.installQueue()
    driver.installTables()
    driver.write(0, 1, .word)
    world.expectSound()
    return (world, driver)
  }

  @Test(
    "F-23: A host that has zeroed its tables, and gives the same again, has nothing mapped",
    arguments: Variant.all + Variant.pageSizes)
  func sameTables(_ variant: Variant) throws {
    let (world, driver) = try restarted(variant, zeroes: [.devices, .collections])
    #expect(world.its.devices.count == 0)
    #expect(world.its.collections.count == 0)
    #expect(world.service().message(device: 1, event: 0) == .unmappedDevice(1))
    // And once more, with what it has mapped since.
    driver.mapCollections()
    driver.mapDevice(1, events: 1)
    #expect(world.its.devices.count == 1)
    world.zero(driver.devices, size: 4096)
    driver.start()
    #expect(world.its.devices.count == 0)
    #expect(world.its.collections.count == 2)
    world.expectSound()
  }

  @Test(
    "F-23: A host that resumes, with its tables as they were, has mapped what it had",
    arguments: Variant.all + Variant.pageSizes)
  func resumed(_ variant: Variant) throws {
    let (world, driver) = try restarted(variant, zeroes: [])
    for _ in 0..<3 {
      driver.post(.event(.int, 1, 0), .sync(target: driver.target(0)))
      #expect(world.taken(by: 0) == [8200])
      #expect(world.its.devices.count == 1 && world.its.collections.count == 2)
      world.gic.delivered = []
      driver.start()
      world.expectSound()
    }
  }

  @Test("F-23: The table that was zeroed is the one that is empty", arguments: [true, false])
  func oneTable(_ isDevices: Bool) throws {
    let (world, _) = try restarted(
      Variant(isIndirect: false), zeroes: [isDevices ? .devices : .collections])
    #expect(world.its.devices.count == (isDevices ? 0 : 1))
    #expect(world.its.collections.count == (isDevices ? 2 : 0))
  }

  @Test("F-23: A table that EL2 cannot look at is taken for one that was left alone")
  func unreadableTable() throws {
    let world = try ITSWorld(Variant(isIndirect: false).options)
    let driver = HostDriver(world)
    // EL2 has it, or another ITS; the host can name it all the same.
    let claim = try #require(world.donate(driver.devices))
    driver.start()
    driver.mapCollections()
    driver.mapDevice(1, events: 1)
    driver.start()
    #expect(world.its.devices.count == 1)
    world.expectSound()
    // What is given back is zero, and was never marked.
    #expect(world.giveBack(claim))
    world.zero(driver.devices, size: 4096)
    driver.start()
    #expect(world.its.devices.count == 1)
    #expect(world.load(at: driver.devices) == 1)
    world.expectSound()
  }

  @Test("F-23: EL2 writes to no table but an empty one of one level")
  func marks() throws {
    for (isIndirect, before, after) in [
      (false, 0, 1), (false, 0x1234, 0x1234), (true, 0, 0),
    ] as [(Bool, UInt64, UInt64)] {
      let world = try ITSWorld(Variant(isIndirect: isIndirect).options)
      let driver = HostDriver(world)
      driver.isIndirect = isIndirect
      world.store(.double, before, at: driver.devices)
      driver.start()
      #expect(world.load(at: driver.devices) == after)
      driver.mapDevice(1)
      driver.start()
      #expect(world.its.devices.count == 1)
      world.expectSound()
    }
  }

  // MARK: What is promised

  @Test(
    "F-26: GITS_BASER<n> reads at first as the hardware's did, without what is not in use",
    arguments: Variant.all)
  func firstLook(_ variant: Variant) throws {
    var options = variant.options
    let reset: UInt64 = 1 << 63 | 1 << 62 | 2 << 8 | 3 << 53 | 7 << 59 | 1 << 10 | 0x5a5a_0000 | 3
    for index in options.services[0].tables.indices {
      options.services[0].tables[index].reset = reset
    }
    var plain = options
    plain.isMediated = false
    let hardware = HostDriver(try ITSWorld(plain))
    let driver = HostDriver(try ITSWorld(options))
    for number in 0..<8 as Range<UInt64> {
      let offset = 0x100 + number * 8
      let found = try #require(hardware.read(offset))
      let isOffered = [.devices, .collections].contains(GITSTableBase(rawValue: found).kind)
      #expect(driver.read(offset) == (isOffered ? found & ~(3 << 62) : 0), "\(number)")
    }
  }

  @Test(
    "F-25: Each DeviceID that GITS_TYPER promises, and a table of the host holds, is mapped",
    arguments: [12, 16, 17, 18, 20, 24] as [UInt64],
    [nil, .kib4, .kib16, .kib64] as [TablePageSize?])
  func promised(_ bits: UInt64, _ pageSize: TablePageSize?) throws {
    for isIndirect in [false, true] {
      var options = Variant(isIndirect: isIndirect, pageSize: pageSize).options
      options.services[0].deviceIDBits = bits
      options.processors = 1
      let world = try ITSWorld(options)
      world.enableLPIs()
      let driver = HostDriver(world)
      driver.isIndirect = isIndirect
      driver.pageSize = pageSize ?? .kib64
      driver.devicePages = 256
      driver.start()
      driver.mapCollections()
      let promised = GITSTyper(rawValue: try #require(driver.read(8))).deviceIDBits
      #expect(promised <= bits)
      // As much as half of EL2's 4 MiB hold in one level, and all in two.
      #expect(promised >= min(bits, isIndirect || pageSize == .kib4 ? bits : 18))
      let table = GITSTableBase(rawValue: try #require(driver.read(0x100)))
      let last = UInt32(min(1 << promised, table.capacity) - 1)
      world.store(
        .double, 1 << 63 | driver.secondLevel,
        at: driver.devices + UInt64(last) / (table.pageSize.bytes / 8) * 8)
      driver.post(
        .mapd(last, table: driver.table(0), eventIDBits: 1),
        .mapti(last, 1, interrupt: 8193, collectionID: 0), .event(.int, last, 1))
      #expect(world.taken(by: 0) == [8193])
      #expect(world.its.counters.allRefused == 0)
      world.expectSound()
    }
  }

  @Test(
    "F-25: Each collection that GITS_TYPER promises is mapped",
    arguments: [4, 10, 12, 16] as [UInt64])
  func promisedCollections(_ bits: UInt64) throws {
    var options = ITSWorldOptions()
    options.services[0].collectionIDBits = bits
    let world = try ITSWorld(options)
    let driver = HostDriver(world)
    driver.start()
    let promised = GITSTyper(rawValue: try #require(driver.read(8))).collectionIDBits
    #expect(promised == min(bits, 10))
    driver.post(.mapc(UInt16(1 << promised - 1), target: driver.target(0)))
    #expect(world.its.collections.count == 1)
    #expect(world.its.counters.allRefused == 0)
    world.expectSound()
  }
}

extension ITSWorld {
  /// The host zeroes memory, as far as it was anything else.
  func zero(_ base: UInt64, size: UInt64) {
    for address in stride(from: base, to: base + size, by: 8) where load(at: address) != 0 {
      store(.double, 0, at: address)
    }
    gic.memory.clean(base, size: size)
  }
}
