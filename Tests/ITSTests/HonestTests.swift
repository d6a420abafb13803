// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing

@testable import ITS
@testable import SimulatedHardware

@Suite("An honest host") struct HonestTests {
  @Test("A life: probe, map, signal, move, mask, unmap, map anew", arguments: Variant.all)
  func life(_ variant: Variant) throws {
    let world = try ITSWorld(variant.options)
    world.enableLPIs()
    try live(HostDriver(world))
  }

  @Test("A life with every page size", arguments: Variant.pageSizes)
  func pageSizes(_ variant: Variant) throws {
    let world = try ITSWorld(variant.options)
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.pageSize = variant.pageSize ?? .kib4
    try live(driver)
  }

  @Test(
    "A life with hardware that keeps entries, and fetches ahead by doublewords", arguments: [0, 3])
  func caches(_ ahead: Int) throws {
    var options = Variant().options
    options.services[0].entryCache = .writeThrough
    options.services[0].commandsFetchedAhead = ahead
    options.services[0].fetchesByDoubleword = true
    let world = try ITSWorld(options)
    world.enableLPIs()
    try live(HostDriver(world))
  }

  @Test("A life on two ITSes at once")
  func twoServices() throws {
    let world = try ITSWorld(
      ITSWorldOptions([ITSConfiguration(), Variant(targetsAreAddresses: true).configuration]))
    world.enableLPIs()
    try live(HostDriver(world, 1))
    world.gic.delivered = []
    try live(HostDriver(world, 0))
  }

  private func live(_ driver: HostDriver) throws {
    let world = driver.world
    driver.isIndirect =
      GITSTableBase(
        rawValue: world.its.rules[0].readBack(GITSTableBase.indirect).rawValue
      ).isIndirect
    driver.start()
    driver.mapCollections()
    for device in 0..<16 as Range<UInt32> {
      driver.mapDevice(device, bits: 3, events: 4, interrupt: 8192 + device * 8)
      #expect(driver.isDone)
      world.expectSound()
    }
    for device in 0..<16 as Range<UInt32> {
      driver.post(.event(.int, device, 1), .sync(target: driver.target(0)))
    }
    #expect(world.taken(by: 0) == (0..<16).map { 8193 + $0 * 8 })
    // To the other processor, and masked: the bit stays pending until it is enabled.
    driver.post(
      .movi(2, 1, collectionID: 1), .sync(target: driver.target(0)),
      .event(.int, 2, 1), .sync(target: driver.target(1)))
    #expect(world.taken(by: 1) == [8209])
    world.gic.delivered = []
    world.store(.byte, 0, at: 0x4000_0000 + 8209 - 8192)
    world.gic.memory.clean(0x4000_0000, size: 64)
    driver.post(.event(.inv, 2, 1), .event(.int, 2, 1), .sync(target: driver.target(1)))
    #expect(world.gic.delivered.isEmpty)
    world.store(.byte, 1, at: 0x4000_0000 + 8209 - 8192)
    world.gic.memory.clean(0x4000_0000, size: 64)
    driver.post(.event(.inv, 2, 1), .sync(target: driver.target(1)))
    #expect(world.taken(by: 1) == [8209])
    // All of them at once, from one processor to the other.
    driver.post(
      .invall(0), .movall(from: driver.target(0), to: driver.target(1)),
      .mapc(0, target: driver.target(1)), .sync(target: driver.target(1)))
    driver.post(.event(.int, 5, 0), .event(.clear, 5, 1), .sync(target: driver.target(1)))
    #expect(world.taken(by: 1) == [8209, 8232])
    // A message of a device goes the same way.
    #expect(world.service(driver.index).message(device: 7, event: 3) == nil)
    #expect(world.taken(by: 1).last == 8251)
    // Unmapped and mapped anew: what was there is gone.
    driver.post(.event(.discard, 3, 0), .unmapd(4), .sync(target: driver.target(1)))
    world.expectSound()
    #expect(world.service(driver.index).message(device: 3, event: 0) == .unmappedInterrupt(0))
    #expect(world.service(driver.index).message(device: 4, event: 0) == .unmappedDevice(4))
    driver.post(.mapd(4, table: driver.table(4), eventIDBits: 4))
    driver.post(.mapd(5, table: driver.table(5), eventIDBits: 4), .sync(target: driver.target(1)))
    #expect(world.service(driver.index).message(device: 4, event: 0) == .unmappedInterrupt(0))
    #expect(world.service(driver.index).message(device: 5, event: 0) == .unmappedInterrupt(0))
    driver.post(.mapti(5, 15, interrupt: 9000, collectionID: 0), .sync(target: driver.target(1)))
    driver.post(
      .mapd(6, table: driver.table(6), eventIDBits: 14),
      .mapi(6, 8193, collectionID: 1), .event(.int, 6, 8193), .sync(target: driver.target(1)))
    #expect(world.taken(by: 1).last == 8193)
    #expect(driver.isDone)
    #expect(world.mediations[driver.index].its.counters.allRefused == 0)
    world.expectSound()
  }

  @Test("Five hundred commands wrap a queue of 128 three times, each of them carried out")
  func wraps() throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(3, events: 1)
    for _ in 0..<250 {
      driver.post(.event(.int, 3, 0), .sync(target: 0))
      #expect(driver.isDone)
    }
    #expect(world.taken(by: 0).count == 250)
    world.expectSound()
  }

  @Test("What is mapped lasts through a suspension that writes the same registers again")
  func resumes() throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(3, events: 1)
    driver.start()
    driver.mapCollections()
    driver.post(.event(.int, 3, 0), .sync(target: 0))
    #expect(world.taken(by: 0) == [8200])
    #expect(world.its.devices.count == 1)
    world.expectSound()
  }

  @Test("A second kernel begins with nothing mapped", arguments: [1, 1000] as [UInt32])
  func kexec(_ devices: UInt32) throws {
    var options = ITSWorldOptions()
    options.arenaPages = 2048
    let world = try ITSWorld(options)
    world.enableLPIs()
    let first = HostDriver(world).start()
    first.mapCollections()
    for device in 0..<devices { first.mapDevice(device, events: 1) }
    let second = HostDriver(world, 0)
    let moved = SecondKernel(second)
    moved.start()
    world.expectSound()
    #expect(world.its.devices.count == 0)
    #expect(world.service().message(device: 0, event: 0) == .unmappedDevice(0))
    #expect(moved.driver.read(0x90) == 0)
    world.expectSound()
  }
}

/// A kernel that another one has started: its tables are elsewhere.
struct SecondKernel {
  let driver: HostDriver

  init(_ driver: HostDriver) { self.driver = driver }

  func start() {
    driver.disable()
    driver.installQueue()
    for (kind, base) in [
      (GITSTableBase.Kind.devices, driver.devices + 0x8_0000),
      (.collections, driver.collections + 0x8_0000),
    ] {
      guard let number = driver.register(of: kind) else { continue }
      driver.write(
        0x100 + number * 8,
        GITSTableBase(
          base: base, pages: 1, pageSize: .kib4, isIndirect: false,
          attributes: MemoryAttributes.coherent
        ).rawValue)
    }
    driver.write(0, 1, .word)
  }
}
