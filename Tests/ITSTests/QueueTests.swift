// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing
import Traps

@testable import ITS
@testable import SimulatedHardware

@Suite("The queue") struct QueueTests {
  @Test("2047 commands at once; one slot stays empty", arguments: [0, 1000] as [UInt64])
  func full(_ start: UInt64) throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.queuePages = 16
    driver.start()
    driver.mapCollections()
    driver.mapDevice(3)
    driver.post(Array(repeating: .sync(target: 0), count: Int(start)))
    let before = world.service().completedCommands
    driver.stage(
      Array(repeating: .sync(target: 0), count: 2046) + [.event(.int, 3, 0)])
    #expect(try #require(driver.ring()) > 3)
    #expect(driver.isDone)
    #expect(world.service().completedCommands == before + 2047)
    #expect(world.taken(by: 0) == [8200])
    world.expectSound()
  }

  @Test("A queue of 256 pages is larger than the hardware's, and is taken in turns")
  func large() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.queuePages = 256
    driver.start()
    driver.mapCollections()
    let before = world.service().completedCommands
    world.service().pace = .manual
    driver.stage(Array(repeating: .sync(target: 1), count: 10_000))
    driver.ring()
    world.service().run()
    #expect(driver.isDone)
    #expect(world.service().completedCommands == before + 10_000)
    world.expectSound()
  }

  @Test("A batch is published with one write of GITS_CWRITER", arguments: [1, 2, 16, 256])
  func publications(_ count: Int) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.queuePages = 4
    driver.start()
    driver.mapCollections()
    let before = world.its.counters.publications
    driver.post((0..<count).map { .sync(target: UInt64($0) % 2) })
    #expect(world.its.counters.publications == before + 1)
    // With something unmapped, too: the SYNCs are part of the batch.
    driver.mapDevice(1)
    let again = world.its.counters.publications
    driver.post(.unmapd(1), .sync(target: 0))
    #expect(world.its.counters.publications == again + 1)
  }

  @Test("Commands before GITS_CTLR.Enabled wait for it")
  func early() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.disable()
    driver.installQueue()
    driver.installTables()
    driver.post(.sync(target: 0))
    #expect(driver.read(0x90) == 0)
    #expect(world.service().completedCommands == 0)
    driver.write(0, 1, .word)
    #expect(driver.isDone)
    #expect(world.service().completedCommands == 1)
  }

  @Test("A queue that is not Valid is not looked at")
  func notValid() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.disable()
    driver.write(0x80, 0x4100_0000)
    driver.write(0, 1, .word)
    driver.write(0x88, 32)
    #expect(driver.read(0x90) == 0)
    #expect(world.pinned[0, default: []].isEmpty)
    world.expectSound()
  }

  @Test(
    "A store that stops for its budget runs again, and one that another CPU has overtaken does not turn the queue back"
  )
  func tokens() throws {
    var options = ITSWorldOptions()
    options.policy.commandsPerTrap = 4
    options.processors = 4
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    var order: [UInt64] = []
    world.service().onCommand = { if $0.number == 5 { order.append($0.target) } }
    driver.stage((0..<10).map { .sync(target: $0 % 4) })
    let first = driver.writeOffset
    #expect(world.write(0, 0x88, .double, first, cpu: 0) == .again)
    // An interrupt on another CPU comes between.
    driver.stage((10..<20).map { .sync(target: $0 % 4) })
    let second = driver.writeOffset
    #expect(world.write(0, 0x88, .word, second, cpu: 1) == .again)
    #expect(driver.read(0x88) == second)
    #expect(world.write(0, 0x88, .double, first, cpu: 0) == .again)
    #expect(driver.read(0x88) == second)
    #expect(world.write(0, 0x88, .word, second, cpu: 1) == .again)
    #expect(world.write(0, 0x88, .double, first, cpu: 0) == .done)
    #expect(world.write(0, 0x88, .word, second, cpu: 1) == .done)
    #expect(driver.read(0x88) == second)
    #expect(driver.isDone)
    #expect(order == (0..<20).map { $0 % 4 })
    #expect(world.its.tokens.count == 0)
    // The same value later is a new store.
    driver.writeOffset = second
    driver.post((0..<3).map { .sync(target: $0) })
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("Reading GITS_CREADR gets the queue on, too")
  func pollers() throws {
    var options = ITSWorldOptions()
    options.policy.commandsPerTrap = 4
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.stage(Array(repeating: .sync(target: 0), count: 20))
    #expect(world.write(0, 0x88, .double, driver.writeOffset) == .again)
    var reads = 0
    while !driver.isDone, reads < 10 { reads += 1 }
    #expect(reads == 3)
  }

  @Test("A CPU beyond those that were announced gets no second run, and harms nothing")
  func unknownCPU() throws {
    var options = ITSWorldOptions()
    options.policy.commandsPerTrap = 4
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.stage(Array(repeating: .sync(target: 0), count: 6))
    #expect(world.write(0, 0x88, .double, driver.writeOffset, cpu: 700) == .done)
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("Hardware that is slow gets all commands, once, in order", arguments: [1, 3])
  func slow(_ pace: Int) throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.queuePages = 16
    driver.start()
    world.service().pace = .steps(pace)
    driver.mapCollections()
    driver.mapDevice(3, bits: 8, events: 200)
    driver.post((0..<200).map { .event(.int, 3, $0) })
    for _ in 0..<5000 where !driver.isDone {}
    #expect(driver.isDone)
    #expect(world.taken(by: 0) == (0..<200).map { 8200 + $0 })
    world.expectSound()
  }

  @Test("Retry goes through to hardware that has stalled by itself")
  func hardwareStalls() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    world.service().stall(after: 1)
    driver.post(.sync(target: 0), .sync(target: 1), .sync(target: 0))
    #expect(driver.read(0x90) == 161)
    driver.ring()
    #expect(driver.read(0x90) == 161)
    driver.ring(isRetry: true)
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("Unmapping on hardware that has stalled frees nothing until it goes on")
  func stalledUnmapping() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    let free = world.its.arena.freeCount
    world.service().stall(after: 0)
    driver.post(.unmapd(1), .sync(target: 0))
    #expect(world.its.arena.freeCount == free)
    world.expectSound()
    driver.ring(isRetry: true)
    driver.ring()
    #expect(world.its.arena.freeCount == free + 1)
    world.expectSound()
  }

  @Test(
    "Stuck hardware: the store retires, tables are never freed, and another queue changes nothing of it"
  )
  func stuck() throws {
    var options = ITSWorldOptions()
    options.services[0].eventIDBits = 18
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(0)
    driver.post(.mapd(3, table: driver.table(3), eventIDBits: 18))
    let free = world.its.arena.freeCount
    world.service().hang(after: 0)
    driver.post(.unmapd(3))
    driver.post(.mapd(4, table: driver.table(4), eventIDBits: 18))
    #expect(world.its.arena.freeCount == free)
    #expect(!driver.isDone)
    world.expectSound()
    driver.disable()
    driver.write(0, 1, .word)
    driver.ring()
    #expect(world.its.arena.freeCount == free)
    world.expectSound()
  }

  @Test("A thousand retirements at once wait for room, and all of them come")
  func manyRetirements() throws {
    var options = ITSWorldOptions()
    options.arenaPages = 2048
    let world = try ITSWorld(options)
    let driver = HostDriver(world)
    driver.queuePages = 64
    driver.start()
    driver.mapCollections()
    driver.mapDevice(0)
    let free = world.its.arena.freeCount
    driver.post((1..<500).map { .mapd($0, table: driver.table($0), eventIDBits: 5) })
    #expect(world.its.arena.freeCount == free - 499)
    world.service().pace = .steps(1)
    driver.stage((1..<500).map { .unmapd($0) })
    driver.ring()
    world.service().run()
    driver.ring()
    #expect(world.its.arena.freeCount == free)
    #expect(world.its.counters.allRefused == 0)
    #expect(world.its.retirement.isEmpty)
    world.expectSound()
  }

  @Test("The ledger of devices is full: the next device is refused, and those that are there go on")
  func tooManyDevices() throws {
    var options = ITSWorldOptions()
    options.arenaPages = 2048
    let world = try ITSWorld(options)
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.queuePages = 64
    driver.isIndirect = true
    driver.start()
    driver.mapCollections()
    let count = UInt32(world.its.devices.capacity)
    driver.stage((0..<count).map { .mapd($0 * 7, table: driver.table(0), eventIDBits: 2) })
    driver.ring()
    #expect(world.its.counters.allRefused == 0)
    driver.post(
      .mapd(1, table: driver.table(0), eventIDBits: 2),
      // One that is there may be mapped anew.
      .mapd(7, table: driver.table(0), eventIDBits: 3))
    #expect(world.its.counters.count(.tooManyDevices) == 1)
    driver.post(.unmapd(14), .mapd(1, table: driver.table(0), eventIDBits: 2))
    #expect(world.its.counters.allRefused == 1)
    #expect(world.its.devices.count == UInt64(count))
    driver.post(
      .mapti(1, 3, interrupt: 8200, collectionID: 0), .event(.int, 1, 3), .sync(target: 0))
    #expect(world.taken(by: 0) == [8200])
    world.expectSound()
  }

  @Test("An arena that is used up refuses MAPD, says so, and serves again what is freed")
  func outOfMemory() throws {
    var options = ITSWorldOptions()
    options.arenaPages = 64
    options.services[0].deviceIDBits = 16
    let world = try ITSWorld(options)
    let driver = HostDriver(world)
    driver.isIndirect = true
    driver.start()
    driver.mapCollections()
    var last: UInt32 = 0
    while world.its.counters.count(.outOfMemory) == 0, last < 1000 {
      last += 1
      let before = (world.its.arena.freeCount, world.its.devices.count)
      driver.post(.mapd(last, table: driver.table(0), eventIDBits: 5))
      if world.its.counters.count(.outOfMemory) == 1 {
        #expect(world.its.arena.freeCount == before.0)
        #expect(world.its.devices.count == before.1)
      }
    }
    #expect(last > 2 && last < 100)
    #expect(world.takeRefusal()?.reason == .outOfMemory)
    // The last page goes to the translation table, and none is left for the second level: both or none.
    driver.post(.unmapd(1), .sync(target: 0))
    driver.ring()
    #expect(world.its.arena.freeCount == 1)
    driver.post(.mapd(0x1000, table: driver.table(0), eventIDBits: 5))
    #expect(world.its.counters.count(.outOfMemory) == 2)
    #expect(world.its.arena.freeCount == 1)
    driver.post(.mapd(1, table: driver.table(0), eventIDBits: 5))
    #expect(world.its.counters.count(.outOfMemory) == 2)
    #expect(world.its.arena.freeCount == 0)
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("MAPD of a DeviceID that no device has is refused by policy, and has no effect")
  func unknownDevices() throws {
    let listed = try #require(PermittedDevices(1...2, 0x100...0x1ff))
    for devices in [listed, .all] {
      var options = ITSWorldOptions()
      options.services[0].errorResponse = .ignore
      options.policy.devices = devices
      let world = try ITSWorld(options)
      world.enableLPIs()
      let driver = HostDriver(world).start()
      driver.mapCollections()
      let isListed = devices.rangeCount > 0
      let free = world.its.arena.freeCount
      for device in [0, 3, 4, 0x80, 0xff] as [UInt32] {
        let count = world.its.counters.count(.unknownDevice)
        driver.post(.mapd(device, table: driver.table(0), eventIDBits: 4))
        #expect(world.its.counters.count(.unknownDevice) == count + (isListed ? 1 : 0))
        if isListed {
          #expect(world.takeRefusal()?.reason == .unknownDevice)
          // It is not mapped, so that none of its events can be.
          driver.post(.mapti(device, 1, interrupt: 8200, collectionID: 0))
          #expect(world.takeRefusal()?.reason == .deviceNotMapped)
          // Nothing is there that could be unmapped, and a host may say so.
          driver.post(.unmapd(device))
        }
      }
      #expect(world.its.counters.allRefused == (isListed ? 10 : 0))
      #expect(world.its.devices.count == (isListed ? 0 : 5))
      #expect(isListed == (world.its.arena.freeCount == free))
      // A device of the list is served, and may be mapped anew and unmapped.
      let refused = world.its.counters.allRefused
      for device in [1, 2, 0x100, 0x1ff] as [UInt32] {
        driver.post(
          .mapd(device, table: driver.table(0), eventIDBits: 4),
          .mapti(device, 3, interrupt: 8192 + device, collectionID: 0), .event(.int, device, 3),
          .sync(target: 0), .mapd(device, table: driver.table(0), eventIDBits: 5), .unmapd(device),
          .sync(target: 0))
        #expect(world.taken(by: 0).contains(8192 + device))
      }
      #expect(world.its.counters.allRefused == refused)
      world.expectSound()
    }
  }

  @Test("A list of DeviceIDs joins ranges that touch, and refuses what it has no room for")
  func permittedDevices() {
    #expect(PermittedDevices.all.permits(0) && PermittedDevices.all.permits(.max))
    #expect(!PermittedDevices.none.permits(0) && !PermittedDevices.none.permits(.max))
    var list = PermittedDevices.none
    var fits = true
    for index in 0..<UInt32(PermittedDevices.capacity) {
      fits = list.add(4 * index...4 * index + 1) && fits
    }
    #expect(fits && list.rangeCount == PermittedDevices.capacity)
    let isTooMuch = !list.add(0x1000...0x1000)
    #expect(isTooMuch && !list.permits(0x1000))
    for id in 0..<UInt32(4 * PermittedDevices.capacity) {
      #expect(list.permits(id) == (id % 4 < 2), "\(id)")
    }
    // It touches two of them.
    fits = list.add(2...3)
    #expect(fits && list.rangeCount == PermittedDevices.capacity - 1)
    // It swallows all up to 97, and touches the first and one behind: six of the others are left.
    fits = list.add(6...100)
    #expect(fits && list.permits(50) && list.permits(101) && !list.permits(102))
    #expect(list.rangeCount == 7 && list.permits(0) && list.permits(5))
    // At both ends of the numbers.
    fits = list.add(.max ... .max)
    fits = list.add(UInt32.max - 3...UInt32.max - 1) && fits
    #expect(fits && list.rangeCount == 8 && list.permits(.max) && !list.permits(.max - 4))
    fits = list.add(0 ... .max)
    #expect(fits && list.rangeCount == 1 && list.permits(0x8000_0000))
  }

  @Test("A rule for each command: what is out of range or not mapped is refused for its reason")
  func reasons() throws {
    var options = ITSWorldOptions()
    options.services[0].collectionIDBits = 4
    options.services[0].errorResponse = .ignore
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    let cases: [(ITSCommand, CommandRefusalReason)] = [
      (.event(.int, 2, 0), .deviceNotMapped), (.event(.clear, 2, 0), .deviceNotMapped),
      (.event(.inv, 2, 0), .deviceNotMapped), (.event(.discard, 2, 0), .deviceNotMapped),
      (.event(.int, 1, 32), .eventOutOfRange), (.event(.inv, 1, .max), .eventOutOfRange),
      (.mapti(2, 0, interrupt: 8192, collectionID: 0), .deviceNotMapped),
      (.mapti(1, 32, interrupt: 8192, collectionID: 0), .eventOutOfRange),
      (.mapti(1, 0, interrupt: 8191, collectionID: 0), .interruptOutOfRange),
      (.mapti(1, 0, interrupt: 0, collectionID: 0), .interruptOutOfRange),
      (.mapti(1, 0, interrupt: 1 << 16, collectionID: 0), .interruptOutOfRange),
      (.mapti(1, 0, interrupt: .max, collectionID: 0), .interruptOutOfRange),
      (.mapti(1, 0, interrupt: 8192, collectionID: 16), .collectionOutOfRange),
      (.mapi(1, 0, collectionID: 0), .interruptOutOfRange),
      (.mapi(2, 8192, collectionID: 0), .deviceNotMapped),
      (.movi(1, 0, collectionID: 16), .collectionOutOfRange),
      (.movi(2, 0, collectionID: 0), .deviceNotMapped),
      (.movi(1, 99, collectionID: 0), .eventOutOfRange),
      (.invall(16), .collectionOutOfRange), (.invall(5), .collectionNotMapped),
      (.invall(.max), .collectionOutOfRange),
      (.mapc(16, target: 0), .collectionOutOfRange), (.unmapc(16), .collectionOutOfRange),
      (.mapc(2, target: 9), .unknownTarget), (.sync(target: 9), .unknownTarget),
      (.mapd(1 << 16, table: 0, eventIDBits: 1), .deviceOutOfRange),
      (.unmapd(1 << 16), .deviceOutOfRange),
      (.mapd(1, table: 0, eventIDBits: 17), .eventOutOfRange), (ITSCommand(0), .reservedCommand),
    ]
    let before = world.service().completedCommands + world.service().failedCommands
    for (command, reason) in cases {
      let count = world.its.counters.count(reason)
      driver.post(command)
      #expect(world.its.counters.count(reason) == count + 1, "\(command) \(reason)")
      #expect(world.takeRefusal()?.reason == reason)
    }
    #expect(world.service().completedCommands + world.service().failedCommands == before)
    #expect(world.its.counters.allRefused == UInt64(cases.count))
    #expect(driver.isDone)
    // 1 is not used.
    for reason in 0..<CommandRefusalReason.count where reason != 1 {
      let reason = try #require(CommandRefusalReason(rawValue: UInt8(reason)))
      #expect(reason.text.utf8CodeUnitCount > 0)
    }
    // What is not mapped needs no unmapping.
    driver.post(.unmapd(9), .unmapc(5))
    #expect(world.its.counters.allRefused == UInt64(cases.count))
    world.expectSound()
  }
}

extension PermittedDevices {
  /// A list of ranges; nil where it has no room for them.
  init?(_ ranges: ClosedRange<UInt32>...) {
    self = .none
    for range in ranges where !add(range) { return nil }
  }
}
