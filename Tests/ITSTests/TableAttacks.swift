// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing
import Traps

@testable import ITS
@testable import SimulatedHardware

@Suite("Attacks on tables and translation tables") struct TableAttacks {
  @Test(
    "B-50 Any address of a translation table does, in a page or between two",
    arguments: [0, 0x100, 0xd00, 0xf00, 0x1000] as [UInt64])
  func addresses(_ offset: UInt64) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.post(
      .mapd(3, table: driver.table(3) + offset, eventIDBits: 6),
      .mapti(3, 63, interrupt: 8200, collectionID: 0))
    #expect(driver.isDone)
    #expect(world.its.counters.allRefused == 0)
    world.expectSound()
  }

  @Test("B-51 A DeviceID beyond the table changes nothing", arguments: [true, false])
  func outOfRange(_ isIndirect: Bool) throws {
    let world = try ITSWorld(Variant(isIndirect: isIndirect).options)
    let driver = HostDriver(world)
    driver.isIndirect = isIndirect
    driver.start()
    var stores = 0
    for id in [0x1_0000, 0x7fff_ffff, 0xffff_ffff] as [UInt32] {
      world.onHypervisorStore = { _ in stores += 1 }
      driver.post(.mapd(id, table: canary, eventIDBits: 5), .unmapd(id))
      world.onHypervisorStore = nil
    }
    #expect(stores == 0)
    #expect(world.its.counters.count(.deviceOutOfRange) == 6)
    world.expectSound()
  }

  @Test("B-52 Each entry of the first level points to a page of its own")
  func firstLevels() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.isIndirect = true
    driver.start()
    driver.mapCollections()
    for id in stride(from: 0, to: 0x4000, by: 0x200) as StrideTo<UInt32> {
      driver.mapDevice(id)
      world.expectSound()
    }
    let pages = world.service().reachable.filter { $0.use == .table(.devices) }
    #expect(Set(pages.map(\.base)).count == 32)
  }

  @Test(
    "B-53 Entries that the host has forged in a page of the second level, for other devices",
    arguments: Variant.pageSizes.filter(\.isIndirect) + Variant.all.filter(\.isIndirect))
  func forgedEntries(_ variant: Variant) throws {
    try attack(variant.options) { driver in
      let world = driver.world
      driver.isIndirect = true
      driver.pageSize = variant.pageSize ?? .kib4
      driver.start()
      driver.mapCollections()
      for id in 0..<64 as Range<UInt64> where id != 3 {
        world.store(
          .double, TableEntry.device(table: canary, eventIDBits: 8).word0,
          at: driver.secondLevel + id * 8)
      }
      world.gic.memory.clean(driver.secondLevel, size: 512)
      driver.mapDevice(3)
      world.gic.memory.clean(driver.devices, size: 64)
      driver.post(.mapti(7, 1, interrupt: 8192, collectionID: 0))
      if world.options.isMediated { #expect(world.its.counters.count(.deviceNotMapped) == 1) }
    }
  }

  @Test(
    "B-53 What lay in the arena before is nothing that the hardware could find",
    arguments: Variant.all)
  func dirtyArena(_ variant: Variant) throws {
    let forged = TableEntry.device(table: canary, eventIDBits: 8).word0
    let world = try ITSWorld(variant.options) { world in
      let arena = world.arena(0)
      for page in stride(from: 0, to: arena.count, by: 1) as StrideTo<UInt64> {
        for offset in 0..<16 as Range<UInt64> {
          world.gic.memory.store(
            .double, forged, at: arena.first.address.rawValue + page << 12 + offset * 8)
        }
      }
      world.gic.memory.cleanAll()
    }
    let driver = HostDriver(world)
    driver.isIndirect = variant.isIndirect
    driver.start()
    world.expectSound()
    for device in 0..<8 as Range<UInt32> {
      let device = device * (variant.isIndirect ? 0x200 : 1)
      driver.mapDevice(device, bits: 9)
      world.expectSound()
      for event in 0..<8 as Range<UInt32> {
        #expect(
          world.service().message(device: device, event: event)
            == .unmappedInterrupt(event) || event == 0)
      }
    }
  }

  @Test("B-54 An entry of the first level that is not aligned to its page")
  func unaligned() throws {
    var options = Variant(pageSize: .kib64).options
    options.services[0].entryCache = .none
    try attack(options) { driver in
      driver.isIndirect = true
      driver.pageSize = .kib64
      driver.start()
      // The host names the last page before EL2's own as the hardware would not understand it.
      driver.world.store(
        .double,
        TableFirstLevelEntry(page: ITSWorld.hypervisor.first.address.rawValue + 0xf000).rawValue,
        at: driver.devices)
      driver.world.gic.memory.clean(driver.devices, size: 8)
      driver.world.gic.memory.publish()
      driver.post(.mapd(3, table: driver.table(3), eventIDBits: 5))
    }
  }

  @Test("B-55 A first-level entry that goes away while devices are mapped, and its page with it")
  func clearedEntry() throws {
    try attack { driver in
      let world = driver.world
      driver.isIndirect = true
      driver.start()
      driver.mapCollections()
      driver.mapDevice(3)
      world.store(.double, 0, at: driver.devices)
      driver.post(.mapd(4, table: driver.table(4), eventIDBits: 5))
      world.store(
        .double, TableEntry.device(table: canary, eventIDBits: 8).word0, at: driver.secondLevel + 24
      )
      world.store(
        .double, TableFirstLevelEntry(page: driver.secondLevel).rawValue, at: driver.devices)
      driver.post(.mapti(3, 1, interrupt: 8192, collectionID: 0))
    }
  }

  @Test("B-55 A page of the second level stays as long as the ITS is enabled")
  func secondLevelStays() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.isIndirect = true
    driver.start()
    driver.mapCollections()
    for round in 0..<3 {
      for id in [0, 0x200, 0x400] as [UInt32] {
        driver.mapDevice(id)
        driver.post(.unmapd(id), .sync(target: 0))
      }
      let pages = world.service().reachable.filter { $0.use == .table(.devices) }
      #expect(pages.count == 3, "round \(round)")
      world.expectSound()
    }
  }

  @Test("B-56 A translation table that begins in one page and ends in the next, a guest's")
  func acrossPages() throws {
    try attack { driver in
      driver.start()
      driver.world.donate(driver.base + 0x80_1000)
      driver.post(.mapd(3, table: driver.base + 0x80_0d00, eventIDBits: 7))
    }
  }

  @Test("B-57 A guest gets the page of a mapped device's table")
  func donated() throws {
    try attack { driver in
      driver.start()
      driver.mapCollections()
      driver.mapDevice(3)
      driver.world.donate(driver.table(3))
      _ = driver.world.service().message(device: 3, event: 0)
    }
  }

  @Test("B-58 Unmapping a device with the address of another's table lets that one be")
  func otherTable() throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    driver.mapDevice(2)
    let free = world.its.arena.freeCount
    driver.post(
      ITSCommand(8 | 2 << 32, 4, driver.table(1)), ITSCommand(8 | 9 << 32, 4, driver.table(1)),
      .sync(target: 0))
    driver.ring()
    #expect(world.its.arena.freeCount == free + 1)
    world.gic.delivered = []
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.taken(by: 0) == [8200])
    world.expectSound()
  }

  @Test("B-59 Two devices with one table address: each has its own, and unmapping one is once")
  func sharedPage() throws {
    try attack { driver in
      let world = driver.world
      driver.start()
      driver.mapCollections()
      driver.post(
        .mapd(1, table: driver.table(1), eventIDBits: 3),
        .mapd(2, table: driver.table(1) + 0x100, eventIDBits: 3),
        .mapti(2, 0, interrupt: 8201, collectionID: 0), .sync(target: 0))
      driver.post(.unmapd(1), .sync(target: 0))
      driver.post(.unmapd(1), .sync(target: 0))
      world.donate(driver.table(1))
      #expect(world.service().message(device: 2, event: 0) == nil)
      if world.options.isMediated { #expect(world.its.devices.count == 1) }
    }
  }

  @Test(
    "B-60 What is freed is what was mapped, not what the unmapping says",
    arguments: [0, 31] as [UInt64])
  func otherSize(_ size: UInt64) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(0)
    let free = world.its.arena.freeCount
    driver.post(.mapd(3, table: driver.table(3), eventIDBits: 12), .sync(target: 0))
    #expect(world.its.arena.freeCount == free - 12)
    var words: [[UInt64]] = []
    world.service().onCommand = { words.append([$0.word0, $0.word1, $0.word2, $0.word3]) }
    driver.post(ITSCommand(8 | 3 << 32, size, canary), .sync(target: 0))
    driver.ring()
    #expect(words.first == [8 | 3 << 32, 0, 0, 0])
    #expect(world.its.arena.freeCount == free)
    world.expectSound()
  }

  @Test("B-61 Mapping a device anew a thousand times takes no more memory than once")
  func remapped() throws {
    var options = ITSWorldOptions()
    options.arenaPages = 256
    options.services[0].tables[0].permitsTwoLevels = false
    options.services[0].deviceIDBits = 10
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.post(.mapd(3, table: driver.table(3), eventIDBits: 9))
    let free = world.its.arena.freeCount
    for round in 0..<1000 as Range<UInt64> {
      driver.post(.mapd(3, table: driver.table(UInt32(round % 7)), eventIDBits: 9 - round % 3))
    }
    driver.post(.mapd(3, table: driver.table(3), eventIDBits: 9))
    driver.ring()
    #expect(world.its.arena.freeCount == free)
    #expect(world.its.counters.allRefused == 0)
    world.expectSound()
  }

  @Test("B-61 Unmapping and mapping anew in one batch waits for memory, and is not refused")
  func remappedAtOnce() throws {
    var options = ITSWorldOptions()
    options.services[0].eventIDBits = 18
    let world = try ITSWorld(options)
    let driver = HostDriver(world)
    driver.start()
    driver.mapCollections()
    world.service().pace = .steps(1)
    // A table of 3 MiB in an arena of 4.
    driver.post(.mapd(3, table: driver.table(3), eventIDBits: 18))
    #expect(world.its.counters.count(.outOfMemory) == 0)
    driver.post(.unmapd(3), .mapd(4, table: driver.table(4), eventIDBits: 18), .sync(target: 0))
    #expect(world.its.counters.count(.outOfMemory) == 0)
    #expect(world.its.devices.count == 1)
    world.service().run()
    world.expectSound()
  }

  @Test(
    "B-62 Size is bounded by what the ITS has, and nothing overflows",
    arguments: [10, 16] as [UInt64])
  func sizes(_ bits: UInt64) throws {
    var options = ITSWorldOptions()
    options.services[0].eventIDBits = bits
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.mapCollections()
    for size in 0..<32 as Range<UInt64> {
      driver.post(ITSCommand(8 | 3 << 32, size, driver.table(3) | 1 << 63))
      world.expectSound()
      #expect(world.its.devices.eventIDBits(of: 3, memory: world.memory) == min(size + 1, bits))
    }
    #expect(world.its.counters.count(.eventOutOfRange) == 32 - bits)
  }

  @Test("B-62 A table larger than all memory is refused")
  func hugeTable() throws {
    var options = ITSWorldOptions()
    options.services[0].eventIDBits = 32
    options.services[0].translationEntrySize = 16
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    for size in 20..<32 as Range<UInt64> {
      driver.post(ITSCommand(8 | 3 << 32, size, canary | 1 << 63))
    }
    #expect(world.its.counters.count(.outOfMemory) == 12)
    #expect(world.its.devices.count == 0)
    world.expectSound()
  }

  @Test("Entries that GITS_TYPER says are half as large do not reach beyond their table")
  func understatedEntries() throws {
    func areApart(_ implementer: UInt32) throws -> Bool {
      var options = ITSWorldOptions()
      options.services[0].translationEntrySize = 16
      options.services[0].saidTranslationEntrySize = 8
      options.services[0].implementer = implementer
      let world = try ITSWorld(options)
      let driver = HostDriver(world).start()
      for device in 3..<7 as Range<UInt32> {
        driver.post(.mapd(device, table: driver.table(device), eventIDBits: 9))
      }
      let tables = world.service().reachable.filter { $0.use == .translationTable }
        .sorted { $0.base < $1.base }
      #expect(tables.count == 4 && tables.allSatisfy { $0.size == 512 * 16 })
      return zip(tables, tables.dropFirst()).allSatisfy { $0.base + $0.size <= $1.base }
    }
    #expect(try areApart(0x1070))
    // The same hardware, where nobody knows it.
    #expect(try !areApart(0x1071))
  }

  @Test("B-64 The host edits entries of a translation table")
  func editedEvents() throws {
    var options = Variant(targetsAreAddresses: true).options
    options.services[0].checksPendingRange = false
    options.services[0].interruptIDBits = 16
    try attack(options) { driver in
      let world = driver.world
      world.enableLPIs()
      driver.start()
      driver.mapCollections()
      driver.mapDevice(3)
      // An interrupt far beyond the pending table of the Redistributor.
      let entry = TranslationEntry.physical(0x80_0000, collection: 0)
      world.store(.double, entry.word, at: driver.table(3))
      world.gic.memory.publish()
      _ = world.service().message(device: 3, event: 0)
    }
  }

  @Test("B-65 B-66 EL2 reads nothing of the host's but its queue: no first level, no table")
  func neverWalked() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.isIndirect = true
    driver.start()
    let queue = driver.queue
    world.onHypervisorLoad = { address in
      #expect(
        address &- queue < 0x1000
          || ITSWorld.hypervisor.contains(PageFrameNumber(address >> 12)))
    }
    driver.mapCollections()
    for id in [0, 0x200, 0x1000] as [UInt32] {
      driver.mapDevice(id)
      world.store(.double, .max, at: driver.devices + UInt64(id) / 64)
      driver.post(.mapd(id + 1, table: driver.table(0), eventIDBits: 5), .unmapd(id))
    }
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-66 A MAPD that changes while its table is being zeroed gets no table of another size")
  func changedMeanwhile() throws {
    var options = ITSWorldOptions()
    options.policy.bytesPerTrap = 4096
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(0)
    let free = world.its.arena.freeCount
    let start = driver.writeOffset
    driver.stage([.mapd(3, table: driver.table(3), eventIDBits: 10)])
    // 12 KiB, in three traps.
    #expect(world.write(0, 0x88, .double, driver.writeOffset) == .again)
    driver.put(.mapd(5, table: driver.table(5), eventIDBits: 16), at: start)
    driver.ring()
    world.expectSound()
    // It is the command that was read, once.
    #expect(world.its.devices.find(3, memory: world.memory)?.table.count == 3)
    #expect(world.its.devices.find(5, memory: world.memory) == nil)
    #expect(world.its.arena.freeCount == free - 3)
    driver.post(
      .mapti(3, 1023, interrupt: 8200, collectionID: 0),
      .mapti(5, 65535, interrupt: 8200, collectionID: 0))
    #expect(world.its.counters.count(.deviceNotMapped) == 1)
    world.expectSound()
  }

  @Test("B-66 A new queue drops the MAPD that waits, and the table that it was to have")
  func droppedMeanwhile() throws {
    var options = ITSWorldOptions()
    options.policy.bytesPerTrap = 4096
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(0)
    let free = world.its.arena.freeCount
    driver.stage([.mapd(3, table: driver.table(3), eventIDBits: 16)])
    #expect(world.write(0, 0x88, .double, driver.writeOffset) == .again)
    #expect(world.its.arena.freeCount == free - 192)
    driver.start()
    #expect(world.its.arena.freeCount == free)
    driver.post(.sync(target: 0))
    #expect(driver.isDone)
    #expect(world.its.devices.find(3, memory: world.memory) == nil)
    world.expectSound()
  }

  @Test("B-67 Hardware that sees memory only finds both levels, and zeroes where nothing is")
  func nonCoherent() throws {
    for isTold in [false, true] {
      var options = Variant(isCoherent: isTold).options
      options.hasCache = true
      options.isNonCoherent = isTold
      if !isTold { options.services[0].isCoherent = false }
      let world = try ITSWorld(options)
      world.enableLPIs()
      let driver = HostDriver(world)
      driver.isIndirect = true
      driver.start()
      driver.mapCollections()
      for id in [0, 0x200, 0x1000] as [UInt32] {
        driver.mapDevice(id, events: 3)
        world.expectSound()
      }
      driver.post(.event(.int, 0x1000, 2), .sync(target: 0))
      #expect(world.taken(by: 0) == [8202])
    }
  }

  @Test("B-68 The table of devices is where the hardware says, and only there")
  func otherOrder() throws {
    var options = ITSWorldOptions()
    options.services = [ITSConfiguration(.gicv41)]
    options.services[0].tables = [
      .init(.vpes), .init(.collections), .init(.collections), .init(.devices), .init(.devices),
    ]
    let world = try ITSWorld(options)
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(3)
    driver.post(.event(.int, 3, 0), .sync(target: 0))
    #expect(world.taken(by: 0) == [8200])
    #expect(!world.service().tableBase(0).isValid)
    #expect(world.service().tableBase(3).isValid)
    #expect(!world.service().tableBase(4).isValid)
    world.expectSound()
  }

  @Test("B-69 A DeviceID beyond the table that the host has set up is refused")
  func hostCapacity() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    // One page of eight-byte entries.
    driver.post(
      .mapd(511, table: driver.table(0), eventIDBits: 5),
      .mapd(512, table: driver.table(0), eventIDBits: 5))
    #expect(world.its.counters.count(.deviceOutOfRange) == 1)
    #expect(world.its.devices.count == 1)
    driver.disable()
    driver.write(0x100, 0)
    driver.write(0, 1, .word)
    driver.post(.mapd(0, table: driver.table(0), eventIDBits: 5))
    #expect(world.its.counters.count(.deviceOutOfRange) == 2)
    world.expectSound()
  }

  @Test("B-70 Queue, tables and translation tables in one another: the hardware's lie apart")
  func overlapping() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.disable()
    driver.installQueue()
    for number in 0..<2 as Range<UInt64> {
      driver.write(
        0x100 + number * 8,
        GITSTableBase(
          base: driver.queue, pages: 1, pageSize: .kib4, isIndirect: false,
          attributes: MemoryAttributes.coherent
        ).rawValue)
    }
    driver.write(0, 1, .word)
    driver.mapCollections()
    driver.post(
      (0..<8).map { .mapd($0, table: driver.queue, eventIDBits: 5) }
        + (0..<8).map { .mapti($0, 3, interrupt: 8192 + $0, collectionID: 0) })
    #expect(driver.isDone)
    #expect(world.its.counters.allRefused == 0)
    world.expectSound()
  }

  @Test("B-70 Two ITSes with one queue: each has its own copy, and holds the pages by itself")
  func oneQueue() throws {
    let world = try ITSWorld(ITSWorldOptions([ITSConfiguration(), ITSConfiguration()]))
    let first = HostDriver(world, 0).start()
    let second = HostDriver(world, 1)
    second.queueBase = first.queue
    first.post(.sync(target: 0), .sync(target: 0))
    second.start()
    second.write(0x88, 32)
    #expect(second.read(0x90) == 32)
    first.disable()
    first.write(0x80, 0)
    second.write(0x88, 64)
    #expect(second.read(0x90) == 64)
    world.expectSound()
  }

  @Test("B-26 Entries of collections that the host forges, in its table")
  func forgedCollections() throws {
    try attack(Variant(targetsAreAddresses: true).options) { driver in
      let world = driver.world
      driver.start()
      driver.mapCollections()
      driver.mapDevice(3)
      world.store(
        .double, TableEntry.collection(target: canary >> 16).word0, at: driver.collections)
      world.gic.memory.publish()
      _ = world.service().message(device: 3, event: 0)
    }
  }

  @Test(
    "B-28 B-29 What the hardware walks is as large as its registers say",
    arguments: Variant.pageSizes)
  func capacities(_ variant: Variant) throws {
    let world = try ITSWorld(variant.options)
    let driver = HostDriver(world)
    driver.pageSize = variant.pageSize ?? .kib4
    driver.isIndirect = variant.isIndirect
    driver.start()
    let table = world.service().tableBase(0)
    let page = variant.pageSize?.bytes ?? 4096
    #expect(table.pageSize.bytes == page)
    #expect(table.base % page == 0)
    #expect(table.isIndirect == variant.isIndirect)
    #expect(world.its.deviceTable.capacity == 1 << world.service().configuration.deviceIDBits)
    #expect(table.capacity >= world.its.deviceTable.capacity)
    // The first and the last that the host's table has room for.
    let hosts = GITSTableBase(rawValue: driver.read(0x100) ?? 0)
    let last = UInt32(min(hosts.capacity, world.its.deviceTable.capacity) - 1)
    driver.post(
      .mapd(0, table: driver.table(0), eventIDBits: 5),
      .mapd(last, table: driver.table(0), eventIDBits: 5),
      .mapd(last + 1, table: driver.table(0), eventIDBits: 5))
    #expect(world.its.counters.count(.deviceOutOfRange) == 1)
    #expect(world.its.devices.count == 2)
    world.expectSound()
  }
}
