// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Ownership
import Testing

@testable import ITS
@testable import SimulatedHardware

@Suite("A live ITS that is handed over") struct HandoverLifeTests {
  @Test("Live devices go on, new ones are mapped", arguments: Variant.all + Variant.pageSizes)
  func life(_ variant: Variant) throws {
    let host = try HandoverHost.live(variant)
    host.expectWorking()
    try host.handOver()
    host.expectWorking()
    host.world.expectSound()
    try goOn(host)
  }

  private func goOn(_ host: HandoverHost) throws {
    let (world, driver) = (host.world, host.driver)
    // An event moves to the other processor, and back.
    driver.post(
      .movi(1, 2, collectionID: 1), .sync(target: driver.target(0)),
      .event(.int, 1, 2), .sync(target: driver.target(1)))
    #expect(world.taken(by: 1) == [HandoverHost.interrupt(1, 2)])
    driver.post(.movi(1, 2, collectionID: 0), .sync(target: driver.target(1)))
    // It is masked and unmasked: what was pending comes first.
    let byte = 0x4000_0000 + UInt64(HandoverHost.interrupt(2, 0)) - 8192
    for (value, count) in [(0, 0), (1, 2)] as [(UInt64, Int)] {
      world.gic.delivered = []
      world.store(.byte, value, at: byte)
      world.gic.memory.clean(byte, size: 1)
      driver.post(.event(.inv, 2, 0), .event(.int, 2, 0), .sync(target: driver.target(0)))
      #expect(world.taken(by: 0).filter { $0 == HandoverHost.interrupt(2, 0) }.count == count)
    }
    // A new event of a live device.
    world.gic.delivered = []
    driver.post(
      .mapti(3, 31, interrupt: 9000, collectionID: 1), .event(.int, 3, 31),
      .sync(target: driver.target(1)))
    #expect(world.taken(by: 1) == [9000])
    // A live device is unmapped, and mapped anew: to a table of EL2.
    driver.post(.event(.discard, 2, 3), .unmapd(2), .sync(target: driver.target(0)))
    world.expectSound()
    #expect(world.service(driver.index).message(device: 2, event: 0) == .unmappedDevice(2))
    driver.mapDevice(
      2, bits: HandoverHost.bits, events: 4, interrupt: HandoverHost.interrupt(2, 0))
    host.expectInterrupts(of: 2)
    // One is mapped anew without having been unmapped.
    driver.mapDevice(
      3, bits: HandoverHost.bits, events: 4, interrupt: HandoverHost.interrupt(3, 0))
    host.expectInterrupts(of: 3)
    // And devices that EL2 has never heard of, one on a second-level page that isn't there yet.
    for device in driver.isIndirect ? [9, 601, 0x7000] : [9, 200] as [UInt32] {
      driver.mapDevice(
        device, bits: HandoverHost.bits, events: 4,
        interrupt: HandoverHost.interrupt(device % 1024, 0))
      #expect(driver.isDone)
      world.gic.delivered = []
      driver.post(.event(.int, device, 3), .sync(target: driver.target(0)))
      #expect(world.taken(by: 0) == [HandoverHost.interrupt(device % 1024, 3)])
    }
    #expect(world.mediations[driver.index].its.counters.allRefused == 0)
    world.expectSound()
  }

  @Test(
    "B-37 The queue goes on at the place where it is, and wraps", arguments: [0, 1, 60, 127])
  func offsets(_ place: UInt64) throws {
    let host = try HandoverHost.live()
    let driver = host.driver
    while driver.writeOffset / 32 != place { driver.post(.sync(target: driver.target(0))) }
    let offset = driver.writeOffset
    try host.handOver()
    #expect(
      driver.read(0x80).map { GITSCommandBase(rawValue: $0).base } == host.staging)
    #expect(driver.read(0x88) == offset)
    #expect(driver.read(0x90) == offset)
    var seen: [ITSCommand] = []
    host.world.service().onCommand = { seen.append($0) }
    for _ in 0..<200 {
      driver.post(.event(.int, 1, 1), .sync(target: driver.target(0)))
      #expect(driver.isDone)
    }
    // None twice; a SYNC of EL2's own keeps the hardware from resting at the queue's beginning.
    #expect(seen.filter { $0.opcode == .int }.count == 200)
    #expect((400...403).contains(seen.count))
    #expect(host.world.taken(by: 0).count == 200)
    host.world.expectSound()
  }

  @Test("B-17 Queue, tables and translation tables are out of the host's reach afterwards")
  func unreachable() throws {
    let host = try HandoverHost.live(Variant(pageSize: .kib16))
    let (world, driver) = (host.world, host.driver)
    let places =
      [driver.queue, driver.queue + 0xfff, driver.devices, driver.devices + 0x3fff]
      + [driver.collections, driver.secondLevel, driver.secondLevel + 0x3fff]
      + host.devices.map { driver.table($0) }
    for place in places { #expect(world.hostReaches(place), "\(hex(place)) before") }
    try host.handOver()
    for place in places { #expect(!world.hostReaches(place), "\(hex(place)) after") }
    for place in [host.staging, host.descriptorPlace, host.stagedTable(0)] {
      #expect(world.hostReaches(place))
    }
    // What the ITS reaches is exactly that.
    world.expectSound()
    #expect(world.donate(host.staging) == nil, "the staging queue is pinned")
  }

  @Test("Entries that are forged in a staged table do nothing")
  func stagedTables() throws {
    let host = try HandoverHost.live()
    let (world, driver) = (host.world, host.driver)
    try host.handOver()
    for index in 0..<2 as Range<UInt64> {
      for word in 0..<512 as Range<UInt64> {
        world.store(
          .double, TableFirstLevelEntry(page: canary).rawValue,
          at: host.stagedTable(index) + word * 8)
      }
    }
    driver.mapDevice(0x5000, events: 1, interrupt: 9001)
    driver.post(.event(.int, 0x5000, 0), .sync(target: driver.target(0)))
    #expect(world.taken(by: 0).last == 9001)
    host.expectWorking()
    world.expectSound()
  }

  @Test("A translation table that was handed over is never used again")
  func neverFreed() throws {
    let host = try HandoverHost.live()
    let (world, driver) = (host.world, host.driver)
    try host.handOver()
    let free = world.its.arena.freeCount
    let claimed = world.handedOver[0]
    for device in host.devices {
      driver.post(.unmapd(device), .sync(target: driver.target(0)))
    }
    driver.post(.sync(target: driver.target(0)))
    #expect(world.its.devices.count == 0)
    #expect(world.its.retirement.isEmpty)
    #expect(world.its.arena.freeCount == free)
    for device in 0x100..<0x120 as Range<UInt32> { driver.mapDevice(device) }
    for slot in 0..<world.its.devices.slots {
      guard let device = world.its.devices.device(in: slot, memory: world.memory) else { continue }
      #expect(world.its.arena.pages.contains(device.table.first))
    }
    #expect(world.handedOver[0] == claimed)
    for device in host.devices { #expect(!world.hostReaches(driver.table(device))) }
    world.expectSound()
  }

  @Test("A table is freed behind a SYNC to every Redistributor that was a target before")
  func targets() throws {
    let host = try HandoverHost.live()
    let driver = host.driver
    try host.handOver()
    driver.mapDevice(50, interrupt: 9002, collection: 1)
    var seen: [ITSCommand] = []
    host.world.service().onCommand = { seen.append($0) }
    driver.post(.unmapd(50))
    let expected: [ITSCommand] = [
      .unmapd(50), .sync(target: driver.target(0)), .sync(target: driver.target(1)),
    ]
    #expect(seen.map(\.word0) == expected.map(\.word0))
    #expect(seen.map(\.word2) == expected.map(\.word2))
    host.world.expectSound()
  }

  @Test("Two tables on one page, and one across three, are claimed whole")
  func subpageTables() throws {
    let host = HandoverHost(try ITSWorld(HandoverHost.options()))
    let (world, driver) = (host.world, host.driver)
    driver.isIndirect = true
    host.start()
    let table = driver.base + 0xc0_0000
    let extra = [
      Descriptor.Device(id: 20, bits: 5, table: table + 0x100),
      Descriptor.Device(id: 21, bits: 5, table: table + 0x300),
      Descriptor.Device(id: 22, bits: 9, table: table + 0xf00),
    ]
    for device in extra {
      driver.post(
        .mapd(device.id, table: device.table, eventIDBits: device.bits),
        .mapti(
          device.id, 1 << UInt32(device.bits) - 1, interrupt: 8900 + device.id, collectionID: 0),
        .sync(target: driver.target(0)))
    }
    host.describe()
    host.descriptor.devices += extra
    try host.handOver()
    for page in 0..<3 as Range<UInt64> { #expect(!world.hostReaches(table + page << 12)) }
    #expect(world.hostReaches(table + 3 << 12))
    for device in extra {
      driver.post(
        .event(.int, device.id, 1 << UInt32(device.bits) - 1), .sync(target: driver.target(0)))
      #expect(world.taken(by: 0).last == 8900 + device.id)
    }
    // One of the two goes: the page stays, for the other one lives there.
    driver.post(.unmapd(20), .sync(target: driver.target(0)))
    driver.post(.event(.int, 21, 31), .sync(target: driver.target(0)))
    #expect(world.taken(by: 0).last == 8921)
    #expect(world.checkInvariant() == nil)
  }

  @Test("B-22 B-23 What lay in the arena before means nothing")
  func dirtyArena() throws {
    let host = try HandoverHost.live()
    let arena = host.world.arena(0)
    for place in stride(from: 0, to: arena.size, by: 8) {
      host.world.gic.memory.store(.double, .max, at: arena.address.rawValue + place)
    }
    try host.handOver()
    host.expectWorking()
    host.world.expectSound()
  }

  @Test(
    "A device whose second-level page was not there at the handover gets one of EL2's, zeroed",
    arguments: [TablePageSize.kib4, .kib16, .kib64], [true, false])
  func newSecondLevel(_ pageSize: TablePageSize, _ isCoherent: Bool) throws {
    let host = try HandoverHost.live(Variant(isCoherent: isCoherent, pageSize: pageSize))
    let (world, driver) = (host.world, host.driver)
    let device: UInt32 = 0xf00d
    let entry = driver.devices + UInt64(device) / (pageSize.bytes / 8) * 8
    let memory = world.gic.memory
    try host.handOver()
    #expect(memory.load(.double, at: entry) == 0)
    // What EL2 takes from its arena is full of forged entries.
    var arena = world.its.arena
    var pages: [PageRange] = []
    while pages.count < 64, let page = arena.take(1, memory: world.memory) {
      pages.append(page)
      for word in 0..<512 as Range<UInt64> {
        memory.store(.double, 1 << 63 | canary | word, at: page.address.rawValue + word * 8)
      }
      memory.clean(page.address.rawValue, size: 4096)
    }
    for page in pages { arena.giveBack(page, memory: world.memory) }
    arena = world.its.arena
    let free = arena.freeCount
    let interrupt = HandoverHost.interrupt(device % 64, 0)
    driver.mapDevice(device, bits: HandoverHost.bits, events: 4, interrupt: interrupt)
    let value = TableFirstLevelEntry(rawValue: memory.load(.double, at: entry))
    let page = value.page
    #expect(value.isValid && page & (pageSize.bytes - 1) == 0)
    #expect(arena.pages.contains(PageFrameNumber(page >> 12)))
    #expect(arena.pages.contains(PageFrameNumber((page + pageSize.bytes - 1) >> 12)))
    #expect(free - world.its.arena.freeCount == pageSize.bytes >> 12 + 1)
    var entries = 0
    memory.forEachNonzero(in: page, size: pageSize.bytes, by: .nonCoherentDevice) { _, _ in
      entries += 1
    }
    #expect(entries == 1, "only the device is in the page")
    // Its whole life, and that of another one on the same page.
    for device in [device, device + 1] {
      driver.mapDevice(device, bits: HandoverHost.bits, events: 4, interrupt: interrupt)
      for event in 0..<4 as Range<UInt32> {
        world.gic.delivered = []
        driver.post(.event(.int, device, event), .sync(target: driver.target(0)))
        #expect(world.taken(by: 0) == [interrupt + event])
      }
      driver.post(.unmapd(device), .sync(target: driver.target(0)))
      #expect(world.service().message(device: device, event: 0) == .unmappedDevice(device))
    }
    // The page stays, for there may be others.
    #expect(memory.load(.double, at: entry) == value.rawValue)
    #expect(world.its.counters.allRefused == 0)
    host.expectWorking()
    world.expectSound()
  }

  @Test("Without a page for the second level a new device is refused, and the live ones go on")
  func noSecondLevel() throws {
    let host = try HandoverHost.live()
    let (world, driver) = (host.world, host.driver)
    try host.handOver()
    var arena = world.its.arena
    var taken: [PageRange] = []
    while let page = arena.take(1, memory: world.memory) { taken.append(page) }
    // One page is enough for a translation table.
    let last = taken.removeLast()
    arena.giveBack(last, memory: world.memory)
    world.setArena(arena)
    driver.post(.mapd(0x7000, table: driver.table(0), eventIDBits: 4))
    #expect(world.its.counters.count(.outOfMemory) == 1)
    #expect(world.its.arena.freeCount == 1)
    #expect(world.gic.memory.load(.double, at: driver.devices + 0x7000 / 512 * 8) == 0)
    #expect(driver.isDone)
    host.expectWorking()
    world.expectSound()
  }

  @Test("B-26 The second level of the collections is claimed as well, and extended from the arena")
  func collections() throws {
    let host = HandoverHost(try ITSWorld(HandoverHost.options()))
    let (world, driver) = (host.world, host.driver)
    let second = try host.startWithIndirectCollections()
    try host.handOver()
    #expect(!world.hostReaches(second))
    host.expectWorking()
    // A collection beyond the first page, one that can't be mapped, and those that are not mapped.
    driver.post(.unmapc(700), .invall(700))
    #expect(world.its.counters.count(.collectionNotMapped) == 1)
    #expect(world.gic.memory.load(.double, at: driver.collections + 8) == 0)
    driver.post(.mapc(700, target: driver.target(1)), .sync(target: driver.target(1)))
    let entry = TableFirstLevelEntry(
      rawValue: world.gic.memory.load(.double, at: driver.collections + 8))
    #expect(entry.isValid)
    #expect(world.its.arena.pages.contains(PageFrameNumber(entry.page >> 12)))
    driver.post(.movi(1, 0, collectionID: 700), .event(.int, 1, 0), .invall(700))
    #expect(world.taken(by: 1).last == HandoverHost.interrupt(1, 0))
    driver.post(.movi(1, 0, collectionID: 0), .unmapc(700), .sync(target: driver.target(1)))
    #expect(driver.isDone)
    host.expectWorking()
    world.expectSound()
  }

  @Test("Without a page for the second level a new collection is refused")
  func noCollectionPage() throws {
    let host = HandoverHost(try ITSWorld(HandoverHost.options()))
    let (world, driver) = (host.world, host.driver)
    _ = try host.startWithIndirectCollections()
    try host.handOver()
    var arena = world.its.arena
    while arena.take(1, memory: world.memory) != nil {}
    world.setArena(arena)
    driver.post(.mapc(700, target: driver.target(1)), .invall(700))
    #expect(world.its.counters.count(.outOfMemory) == 1)
    #expect(world.its.counters.count(.collectionNotMapped) == 1)
    #expect(world.gic.memory.load(.double, at: driver.collections + 8) == 0)
    host.expectWorking()
    world.expectSound()
  }

  @Test(
    "B-28 B-29 Tables are claimed in the size that the hardware has",
    arguments: [TablePageSize.kib4, .kib16, .kib64], [true, false])
  func tableSizes(_ pageSize: TablePageSize, _ isIndirect: Bool) throws {
    var options = HandoverHost.options(Variant(isIndirect: isIndirect))
    options.services[0].deviceIDBits = 16
    let host = HandoverHost(try ITSWorld(options))
    let (world, driver) = (host.world, host.driver)
    driver.isIndirect = isIndirect
    driver.pageSize = pageSize
    host.start()
    driver.disable()
    driver.write(
      0x100,
      GITSTableBase(
        base: driver.devices, pages: 5, pageSize: pageSize, isIndirect: isIndirect,
        attributes: driver.attributes
      ).rawValue)
    driver.write(0, 1, .word)
    host.describe()
    try host.handOver()
    for page in 0..<(pageSize.bytes * 5 / 4096) {
      #expect(!world.hostReaches(driver.devices + page << 12))
    }
    #expect(world.hostReaches(driver.devices + pageSize.bytes * 5))
    if isIndirect {
      for page in 0..<(pageSize.bytes / 4096) {
        #expect(!world.hostReaches(driver.secondLevel + page << 12))
      }
    }
    host.expectWorking()
    world.expectSound()
  }

  @Test(
    "A table of vPEs is claimed with the others, and not offered any more",
    arguments: [ITSConfiguration.Version.gicv40, .gicv41])
  func tableOfVPEs(_ version: ITSConfiguration.Version) throws {
    let host = HandoverHost(try ITSWorld(HandoverHost.options(Variant(version: version))))
    let (world, driver) = (host.world, host.driver)
    driver.isIndirect = true
    host.start()
    host.installTableOfVPEs(at: driver.vpes)
    host.describe()
    try host.handOver()
    #expect(!world.hostReaches(driver.vpes))
    #expect(driver.register(of: .vpes) == nil)
    driver.post(ITSCommand(0x29, 1 << 32, 1 << 63 | driver.target(0) << 16, canary | 15))
    #expect(world.its.counters.count(.virtualInterrupts) == 1)
    host.expectWorking()
    world.expectSound()
  }

  @Test("Two ITSes are handed over one after another")
  func twoServices() throws {
    var options = HandoverHost.options()
    options.services = [ITSConfiguration(), Variant(targetsAreAddresses: true).configuration]
    let world = try ITSWorld(options)
    let hosts = [HandoverHost(world, 0), HandoverHost(world, 1)]
    for host in hosts {
      host.driver.isIndirect = true
      host.start()
      host.describe()
    }
    try hosts[0].handOver()
    hosts[0].expectWorking()
    hosts[1].expectWorking()
    // A page of the other one is not the host's any more.
    hosts[1].descriptor.devices[0].table = hosts[0].driver.table(1)
    hosts[1].expectRefusalOfSecond()
    hosts[1].descriptor.devices[0].table = hosts[1].driver.table(1)
    try hosts[1].handOver()
    hosts[0].expectWorking()
    hosts[1].expectWorking()
    world.expectSound()
  }

  @Test("A second kernel after a handover begins with nothing mapped")
  func kexec() throws {
    let host = try HandoverHost.live()
    try host.handOver()
    host.driver.queueBase = host.driver.base + 0x50_0000
    let second = SecondKernel(host.driver)
    second.start()
    for device in host.devices {
      #expect(host.world.service().message(device: device, event: 0) == .unmappedDevice(device))
    }
    #expect(host.world.its.devices.count == 0)
    host.world.expectSound()
  }

  @Test("What is mapped lasts through a suspension that writes the staged tables again")
  func resumes() throws {
    let host = try HandoverHost.live()
    let (world, driver) = (host.world, host.driver)
    try host.handOver()
    let registers = [0x80] + (0..<8).map { 0x100 + $0 * 8 } as [UInt64]
    let kept = registers.map { driver.read($0) ?? 0 }
    driver.disable()
    for (register, value) in zip(registers, kept) { driver.write(register, value) }
    driver.writeOffset = 0
    driver.write(0x88, 0)
    driver.write(0, 1, .word)
    driver.mapCollections()
    host.expectWorking()
    world.expectSound()
  }

  @Test("On hardware that is said not to look into caches, everything is cleaned")
  func nonCoherent() throws {
    var options = HandoverHost.options(Variant(isCoherent: false))
    options.isNonCoherent = true
    let host = HandoverHost(try ITSWorld(options))
    host.driver.isIndirect = true
    host.start()
    host.describe()
    // The registers claim otherwise, as those of an erratum do.
    let world = host.world
    world.gic.services[0].state.tableBases[0] |= MemoryAttributes.coherent
    host.describe()
    try host.handOver()
    host.driver.mapDevice(0x5000, events: 1, interrupt: 9001)
    host.driver.post(.event(.int, 0x5000, 0), .sync(target: host.driver.target(0)))
    #expect(world.taken(by: 0).last == 9001)
    #expect(host.driver.isDone)
  }
}

extension HandoverHost {
  /// Starts a host whose table of collections has two levels, and returns the only second-level page.
  func startWithIndirectCollections() throws -> UInt64 {
    driver.isIndirect = true
    world.enableLPIs()
    driver.disable()
    driver.installQueue()
    driver.installTables()
    let second = driver.base + 0xd0_0000
    let register = try #require(driver.register(of: .collections))
    driver.write(
      0x100 + register * 8,
      GITSTableBase(
        base: driver.collections, pages: 1, pageSize: .kib4, isIndirect: true,
        attributes: driver.attributes
      ).rawValue)
    world.store(.double, TableFirstLevelEntry(page: second).rawValue, at: driver.collections)
    world.gic.memory.clean(driver.collections, size: 4096)
    driver.write(0, 1, .word)
    driver.mapCollections()
    for device in devices {
      driver.mapDevice(
        device, bits: Self.bits, events: 4, interrupt: Self.interrupt(device, 0))
    }
    describe()
    return second
  }

  /// Expects a handover that names a page of another ITS to be refused.
  func expectRefusalOfSecond() {
    let kept = world.handedOver[0]
    writeDescriptor()
    #expect(
      throws: HandoverError.ownership(
        OwnershipErrorCode(page: PhysicalAddress(descriptor.devices[0].table)))
    ) { try world.handOver(1, descriptor: descriptorPlace) }
    #expect(world.handedOver[0] == kept && world.handedOver[1] == nil)
    expectWorking()
  }
}
