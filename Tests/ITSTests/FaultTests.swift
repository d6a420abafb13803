// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing
import Traps

@testable import ITS
@testable import SimulatedHardware

@Suite("Set-up, and what fails in it and later") struct FaultTests {
  /// Counts register accesses, and has one of them abort.
  final class Aborter {
    var count = 0
    var failing: Int?
    var isForGood = false

    func shouldAbort() -> Bool {
      defer { count += 1 }
      guard let failing else { return false }
      return isForGood ? count >= failing : count == failing
    }
  }

  @Test(
    "Accesses to registers during set-up abort, one at a time: the ITS is refused, and off",
    arguments: 0..<4)
  func setUpAborts(part: Int) throws {
    let aborter = Aborter()
    var options = ITSWorldOptions()
    options.services[0].permitsOneLevelOnly()
    _ = try ITSWorld(options) { world in world.aborts = { _, _, _ in aborter.shouldAbort() } }
    let total = aborter.count
    #expect(total > 200)
    for failing in stride(from: part, to: total, by: 4) {
      aborter.count = 0
      aborter.failing = failing
      var service: SimulatedITS?
      var board: ITSWorld?
      do {
        _ = try ITSWorld(options) { world in
          board = world
          service = world.service()
          _ = world.service().write(.word, 1, at: 0)
          world.aborts = { _, _, _ in aborter.shouldAbort() }
        }
        Issue.record("access \(failing) aborts, and nothing comes of it")
      } catch let error as ITSSetupError {
        guard case .silent = error else {
          Issue.record("access \(failing): \(error)")
          continue
        }
        // Where the ITS can't even be told to stop, it is at least not the host's.
        #expect(failing < 2 || service?.state.isEnabled == false, "access \(failing)")
      }
      _ = board
    }
  }

  @Test("Every size of the arena from nothing up: set-up fails whole, or stands")
  func arenaSizes() throws {
    var succeeded: UInt64?
    for pages in 1...80 as ClosedRange<UInt64> {
      var options = ITSWorldOptions()
      options.arenaPages = pages
      options.services[0].permitsOneLevelOnly()
      var service: SimulatedITS?
      var board: ITSWorld?
      do {
        let world = try ITSWorld(options) { world in
          board = world
          service = world.service()
        }
        succeeded = succeeded ?? pages
        world.expectSound()
      } catch let error as ITSSetupError {
        #expect(error == .outOfMemory)
        #expect(succeeded == nil, "\(pages) pages")
        #expect(service?.state.isEnabled == false)
      }
      _ = board
    }
    #expect(succeeded != nil)
  }

  @Test("B-20 B-24 A set-up that failed may be tried again, and then stands")
  func again() throws {
    let aborter = Aborter()
    aborter.failing = 100
    let world = try ITSWorld { world in
      world.aborts = { _, _, _ in aborter.shouldAbort() }
      let setup = ITSSetup(
        frame: VirtualAddress(world.service().base), arena: world.arena(0), addressLimit: 1 << 40,
        isNonCoherent: false, policy: ITSPolicy(), cpus: 2)
      #expect(world.setUpError(setup) != nil)
    }
    let driver = HostDriver(world).start()
    driver.post(.sync(target: 0))
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-23 What lay in the arena is no device, no collection, no target, no token")
  func oldContent() throws {
    let world = try ITSWorld { world in
      let base = world.arena(0).first.address.rawValue
      for offset in stride(from: 0, to: 200 << 12, by: 8) as StrideTo<UInt64> {
        world.gic.memory.store(.double, .max, at: base + offset)
      }
    }
    #expect(world.its.devices.count == 0)
    for slot in 0..<world.its.devices.slots {
      #expect(world.its.devices.device(in: slot, memory: world.memory)?.deviceID == nil)
    }
    for id in 0..<1024 as Range<UInt64> {
      #expect(!world.its.collections.isMapped(id, memory: world.memory))
    }
    #expect(world.its.targets.count == 2)
    #expect(!world.its.targets.isUsed(0, memory: world.memory))
    let driver = HostDriver(world).start()
    driver.post(.invall(0), .event(.int, 0xffff_ffff, 0), .sync(target: 0))
    #expect(world.its.counters.count(.collectionNotMapped) == 1)
    #expect(world.its.counters.count(.deviceNotMapped) == 1)
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-27 More CPUs or Redistributors than there is room for are refused, not cut off")
  func bounds() throws {
    let world = try ITSWorld()
    var directory = RedistributorDirectory(world.its.arena.pages.address, capacity: 3)
    let added = [
      directory.add(7, memory: world.memory), directory.add(9, memory: world.memory),
      directory.add(
        PhysicalAddress(0x810_0000), GICRTyper(rawValue: 0), byAddress: true, memory: world.memory),
      directory.add(10, memory: world.memory),
    ]
    #expect(added == [true, true, true, false])
    #expect(directory.find(9, memory: world.memory) == 1)
    #expect(directory.find(0x810, memory: world.memory) == 2)
    #expect(directory.find(10, memory: world.memory) == nil)
    #expect(directory.find(1 << 63 | 9, memory: world.memory) == nil)

    let setup = ITSSetup(
      frame: VirtualAddress(world.service().base), arena: world.arena(0), addressLimit: 1 << 40,
      isNonCoherent: false, policy: ITSPolicy(), cpus: 1 << 20)
    #expect(world.setUpError(setup) == .outOfMemory)
  }

  @Test(
    "B-30 Several ITSes of GICv4.1, which could share a table of vPEs, are set up each by itself")
  func sharedTables() throws {
    let configuration = Variant(version: .gicv41).configuration
    let world = try ITSWorld(ITSWorldOptions([configuration, configuration, configuration]))
    for index in 0..<3 {
      let driver = HostDriver(world, index).start()
      driver.mapCollections()
      driver.mapDevice(1)
      #expect(driver.isDone)
      #expect(!world.service(index).tableBase(2).isValid)
    }
    world.expectSound()
  }

  @Test("An ITS that never becomes quiescent is refused")
  func restless() throws {
    var board: ITSWorld?
    #expect(throws: ITSSetupError.notQuiescent) {
      try ITSWorld { world in
        board = world
        _ = world.service().write(.word, 1, at: 0)
        world.service().hang(after: 0)
      }
    }
    _ = board
  }

  @Test("An ITS without a table of devices is refused")
  func noDeviceTable() throws {
    var options = ITSWorldOptions()
    options.services[0].tables = [.init(.collections)]
    #expect(throws: ITSSetupError.noDeviceTable) { try ITSWorld(options) }
    options.services[0].tables = []
    #expect(throws: ITSSetupError.noDeviceTable) { try ITSWorld(options) }
  }

  @Test(
    "A table or queue that the hardware does not take is refused",
    arguments: [0x80, 0x100, 0x90] as [UInt64])
  func refusedByHardware(_ offset: UInt64) throws {
    var board: ITSWorld?
    let expected: ITSSetupError = offset == 0x100 ? .tableRefused(index: 0) : .queueRefused
    #expect(throws: expected) {
      try ITSWorld { world in
        board = world
        world.registerReads = { _, at, value in
          at != offset ? value : offset == 0x90 ? 0x40 : value & ~(1 << 63)
        }
      }
    }
    _ = board
  }

  @Test(
    "Without a table for collections those that the hardware holds are offered",
    arguments: [0, 4] as [UInt64])
  func heldCollections(_ count: UInt64) throws {
    var options = ITSWorldOptions()
    options.services[0].tables = [.init(.devices)]
    options.services[0].hardwareCollections = count
    let world = try ITSWorld(options)
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.post((0..<6).map { .mapc($0, target: 1) })
    #expect(world.its.counters.count(.collectionOutOfRange) == 6 - count)
    guard count > 0 else { return }
    driver.mapDevice(1, collection: 1)
    driver.post(.event(.int, 1, 0), .invall(3))
    #expect(world.taken(by: 1) == [8200])
    world.expectSound()
  }

  @Test(
    "Each access to a register later aborts: no trap, no half-done command, nothing within reach")
  func laterAborts() throws {
    let aborter = Aborter()
    func live(_ world: ITSWorld) {
      let driver = HostDriver(world)
      driver.write(0, 0, .word)
      driver.installQueue()
      driver.installTables()
      driver.write(0, 1, .word)
      driver.mapCollections()
      driver.mapDevice(1)
      driver.post(.unmapd(1), .sync(target: 0))
      driver.mapDevice(2)
      driver.write(0, 0, .word)
      driver.write(0, 1, .word)
      driver.post(.sync(target: 0))
      _ = driver.read(0x04, .word)
    }
    var options = ITSWorldOptions()
    options.services[0].permitsOneLevelOnly()
    let whole = try ITSWorld(options)
    whole.aborts = { _, _, _ in aborter.shouldAbort() }
    live(whole)
    let total = aborter.count
    for isForGood in [false, true] {
      for failing in 0..<total {
        (aborter.count, aborter.failing, aborter.isForGood) = (0, failing, isForGood)
        let world = try ITSWorld(options)
        world.aborts = { _, _, _ in aborter.shouldAbort() }
        live(world)
        world.aborts = nil
        #expect(world.checkInvariant() == nil, "access \(failing)")
      }
    }
  }

  @Test("Hardware that says it is where it can't be is trusted no further")
  func impossiblePointer() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    world.registerReads = { _, offset, value in offset == 0x90 ? value + 0x40 : value }
    driver.post(.unmapd(1))
    let isBroken = world.its.isBroken
    #expect(isBroken)
    world.registerReads = nil
    let published = world.its.counters.publications
    let free = world.its.arena.freeCount
    driver.post(.mapd(2, table: driver.table(2), eventIDBits: 5), .unmapd(2))
    _ = driver.read(0x90)
    #expect(world.its.counters.publications == published)
    #expect(world.its.arena.freeCount == free)
    world.expectSound()
  }

  @Test("Every sharing of a queue fails once: it stands still, nothing is held, and Retry goes on")
  func sharingFails() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    var isFailing = true
    world.refusesShare = { isFailing }
    driver.start()
    driver.stage([.sync(target: 0)])
    driver.ring()
    #expect(driver.read(0x90) == 1)
    #expect(world.pinned[0, default: []].isEmpty)
    #expect(world.donate(driver.queue) != nil)
    #expect(world.giveBack(0))
    world.expectSound()
    isFailing = false
    driver.writeOffset = 0
    driver.stage([.sync(target: 0)])
    driver.ring(isRetry: true)
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("Every allocation of MAPD fails: what was mapped is as before", arguments: [false, true])
  func allocationFails(_ isMapped: Bool) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.isIndirect = true
    driver.start()
    driver.mapCollections()
    if isMapped { driver.mapDevice(3) }
    // All of the arena, page by page, until none is left; then one, for the ITT without the second
    // level; then two.
    var arena = world.its.arena
    var taken: [PageRange] = []
    while let page = arena.take(1, memory: world.memory) { taken.append(page) }
    world.setArena(arena)
    for _ in 0..<2 {
      let before = (
        world.its.arena.freeCount, world.its.devices.count, world.service().completedCommands
      )
      driver.post(.mapd(isMapped ? 3 : 0, table: driver.table(3), eventIDBits: 4))
      driver.post(.mapd(0x400, table: driver.table(3), eventIDBits: 4))
      let refused = world.its.counters.count(.outOfMemory)
      guard refused == 2 || isMapped && refused == 3 else {
        // With one page, a device that has its second level gets it.
        #expect(isMapped)
        break
      }
      #expect(world.its.arena.freeCount == before.0)
      #expect(world.its.devices.count == before.1)
      #expect(world.service().completedCommands == before.2)
      #expect(driver.isDone)
      world.expectSound()
      var more = world.its.arena
      if let page = taken.popLast() { more.giveBack(page, memory: world.memory) }
      world.setArena(more)
      world.resetCounters()
    }
  }
}

extension ITSConfiguration {
  /// Small tables of one level.
  mutating func permitsOneLevelOnly() {
    deviceIDBits = 8
    for number in tables.indices { tables[number].permitsTwoLevels = false }
  }
}

extension ITSWorld {
  /// Sets an ITS up and forgets it; why it failed.
  func setUpError(_ setup: ITSSetup) -> ITSSetupError? {
    do throws(ITSSetupError) {
      let its = try MediatedITS.setUp(setup, machine: ITSWorldMachine(self, 0)) { _, _ in true }
      _ = its.policy
      return nil
    } catch {
      return error
    }
  }

  func setArena(_ arena: PageArena) { mediations[0].its.arena = arena }
  func resetCounters() { mediations[0].its.counters = ITSCounters() }
}
