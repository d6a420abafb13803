// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing

@testable import ITS
@testable import SimulatedHardware

/// An ITS loses its power, and firmware may write its registers again.
///
/// What memory says is true only of an ITS that was seen at rest before.
@Suite("Power")
struct PowerTests {
  /// What a host does behind a loss.
  enum Sequel: CaseIterable { case resumes, resumesAtOnce, goesOn }

  /// Loses the power of the ITS and has a host go on as `sequel` says.
  private func lose(
    _ firmware: SimulatedITS.Firmware, _ sequel: Sequel, _ driver: HostDriver
  ) {
    let world = driver.world
    world.service().losePower(firmware)
    world.service().hang(after: nil)
    switch sequel {
    case .resumes:
      driver.disable()
      driver.installQueue()
      driver.installTables()
      driver.write(0, 1, .word)
      driver.mapCollections()
    case .resumesAtOnce:
      driver.write(0, 0, .word)
      driver.write(0, 1, .word)
      driver.post(.sync(target: driver.target(0)))
    case .goesOn:
      for _ in 0..<3 { driver.post(.sync(target: driver.target(0))) }
      _ = driver.readPointer
    }
  }

  /// A driver that has mapped a device, with `left` commands to go to the end of EL2's queue.
  private func driver(_ options: ITSWorldOptions = ITSWorldOptions(), left: UInt64) throws
    -> HostDriver
  {
    let world = try ITSWorld(options)
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.queuePages = 16
    driver.start()
    driver.mapCollections()
    driver.mapDevice(1)
    let slots = world.its.commit.slots
    let count = slots - left - world.its.commit.written % slots
    driver.post((0..<count).map { _ in .sync(target: driver.target(0)) })
    #expect(driver.isDone)
    #expect(world.its.commit.written % slots == slots - left && world.its.commit.isIdle)
    return driver
  }

  /// Nothing was freed, and the ITS is off.
  private func expectOff(_ world: ITSWorld, free: UInt64) {
    #expect(world.its.arena.freeCount == free, "freed what a table entry still names")
    #expect(!world.service().state.isEnabled, "runs again")
    #expect(world.checkInvariant() == nil)
  }

  @Test(
    "F-09: A reset that looks like the end of the queue completes no command",
    arguments: SimulatedITS.Firmware.allCases, Sequel.allCases)
  func wholeRound(_ firmware: SimulatedITS.Firmware, _ sequel: Sequel) throws {
    // MAPD and two SYNCs end at slot zero, where a reset puts GITS_CREADR.
    let driver = try driver(left: 3)
    let free = driver.world.its.arena.freeCount
    driver.world.service().hang(after: 0)
    driver.stage([.unmapd(1)])
    _ = driver.world.write(0, 0x88, .double, driver.writeOffset)
    lose(firmware, sequel, driver)
    expectOff(driver.world, free: free)
    let isBroken = driver.world.its.isBroken
    #expect(isBroken)
  }

  @Test(
    "F-09: Nor does it while the ITS becomes Quiescent",
    arguments: SimulatedITS.Firmware.allCases, [3, 4] as [UInt64])
  func whileBecomingQuiescent(_ firmware: SimulatedITS.Firmware, left: UInt64) throws {
    var configuration = ITSConfiguration()
    configuration.stepsToQuiescence = 3
    let driver = try driver(ITSWorldOptions([configuration]), left: left)
    let world = driver.world
    let free = world.its.arena.freeCount
    world.service().pace = .manual
    driver.stage([.unmapd(1)])
    _ = world.write(0, 0x88, .double, driver.writeOffset)
    _ = world.write(0, 0, .word, 0)
    lose(firmware, .resumes, driver)
    expectOff(world, free: free)
  }

  @Test("F-09: What GITS_CREADR says behind a loss is not heard of an ITS at rest")
  func readAtRest() throws {
    // MAPD and a SYNC are before slot zero, where GITS_CREADR is then, and a SYNC is behind it.
    let driver = try driver(left: 2)
    let world = driver.world
    let free = world.its.arena.freeCount
    world.service().pace = .manual
    driver.stage([.unmapd(1)])
    _ = world.write(0, 0x88, .double, driver.writeOffset)
    driver.disable()
    world.service().losePower(.restores)
    _ = driver.readPointer
    world.service().pace = .instant
    driver.write(0, 1, .word)
    driver.post(.sync(target: driver.target(0)))
    expectOff(world, free: free)
  }

  @Test(
    "F-09: Entries that the hardware had not written back are not taken for written",
    arguments: SimulatedITS.Firmware.allCases, Sequel.allCases)
  func lostEntries(_ firmware: SimulatedITS.Firmware, _ sequel: Sequel) throws {
    var configuration = ITSConfiguration()
    configuration.entryCache = .writeBack
    let driver = try driver(ITSWorldOptions([configuration]), left: 64)
    driver.world.service().writeBackEntries()
    // The hardware is past MAPD and SYNC, the table is free, and memory still has the old entry.
    driver.post(.unmapd(1), .sync(target: driver.target(0)))
    #expect(driver.world.its.commit.isIdle)
    let free = driver.world.its.arena.freeCount
    lose(firmware, sequel, driver)
    expectOff(driver.world, free: free)
  }

  @Test(
    "F-09: Commands that were carried out are not carried out again",
    arguments: SimulatedITS.Firmware.allCases)
  func replay(_ firmware: SimulatedITS.Firmware) throws {
    let driver = try driver(left: 64)
    let world = driver.world
    driver.post(.unmapd(1), .sync(target: driver.target(0)))
    driver.disable()
    var commands: [ITSOpcode?] = []
    world.service().onCommand = { commands.append($0.opcode) }
    lose(firmware, .resumes, driver)
    #expect(!commands.contains(.mapd), "commands of before the loss")
    #expect(world.its.isEnabled && !world.its.isBroken && driver.isDone)
    driver.mapDevice(2, interrupt: 8300)
    #expect(world.service().message(device: 2, event: 0) == nil)
    #expect(world.taken(by: 0) == [8300])
    world.expectSound()
  }

  /// An ITS that takes its time to become Quiescent.
  private func slow(_ left: UInt64) throws -> HostDriver {
    var configuration = ITSConfiguration()
    configuration.stepsToQuiescence = 3
    configuration.entryCache = .writeBack
    let driver = try driver(ITSWorldOptions([configuration]), left: left)
    let world = driver.world
    driver.mapDevice(2, interrupt: 8300)
    while !driver.isDone, world.service().step() {}
    world.service().pace = .manual
    return driver
  }

  @Test(
    "An ITS that has come to rest anywhere in its queue goes on, with and without its power",
    arguments: [1, 2, 3, 4, 5] as [UInt64], [nil, .leaves, .restores] as [SimulatedITS.Firmware?])
  func rests(left: UInt64, _ firmware: SimulatedITS.Firmware?) throws {
    let driver = try slow(left)
    let world = driver.world
    driver.disable()
    if let firmware { world.service().losePower(firmware) }
    world.service().pace = .instant
    driver.installQueue()
    driver.installTables()
    driver.write(0, 1, .word)
    #expect(world.its.isEnabled && !world.its.isBroken)
    driver.mapCollections()
    #expect(driver.isDone)
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.service().message(device: 2, event: 0) == nil)
    #expect(world.taken(by: 0) == [8200, 8300])
    world.expectSound()
  }

  @Test(
    "What the host has found completed is, with all SYNCs of EL2, when it disables the ITS",
    arguments: [2, 3, 4, 20] as [UInt64], [.leaves, .restores] as [SimulatedITS.Firmware])
  func completed(left: UInt64, _ firmware: SimulatedITS.Firmware) throws {
    let driver = try driver(left: left)
    let world = driver.world
    world.service().pace = .manual
    driver.stage([.unmapd(1)])
    _ = world.write(0, 0x88, .double, driver.writeOffset)
    while !driver.isDone, world.service().step() {}
    #expect(driver.isDone)
    driver.disable()
    world.service().losePower(firmware)
    world.service().pace = .instant
    driver.installQueue()
    driver.installTables()
    driver.write(0, 1, .word)
    #expect(world.its.isEnabled && !world.its.isBroken)
    driver.mapCollections()
    driver.mapDevice(2, interrupt: 8300)
    #expect(driver.isDone)
    #expect(world.service().message(device: 2, event: 0) == nil)
    #expect(world.taken(by: 0) == [8300])
    world.expectSound()
  }

  @Test("An ITS that has had no command yet rests where it is")
  func unused() throws {
    var configuration = ITSConfiguration()
    configuration.stepsToQuiescence = 3
    let world = try ITSWorld(ITSWorldOptions([configuration]))
    world.service().pace = .manual
    let driver = HostDriver(world).start()
    driver.disable()
    driver.write(0, 1, .word)
    #expect(world.its.isEnabled && !world.its.isBroken)
  }

  @Test("Commands that wait while the ITS is disabled are carried out when it is enabled again")
  func waiting() throws {
    let driver = try slow(20)
    let world = driver.world
    driver.stage([.unmapd(1)])
    _ = world.write(0, 0x88, .double, driver.writeOffset)
    driver.disable()
    #expect(!world.its.commit.isIdle)
    world.service().pace = .instant
    driver.write(0, 1, .word)
    #expect(driver.isDone && !world.its.isBroken)
    #expect(world.service().message(device: 1, event: 0) == .unmappedDevice(1))
    world.service().writeBackEntries()
    world.expectSound()
  }

  @Test(
    "F-10: An ITS that EL2 has paused goes on with what was mapped, with and without its power",
    arguments: [nil, .leaves, .restores] as [SimulatedITS.Firmware?])
  func paused(_ firmware: SimulatedITS.Firmware?) throws {
    let driver = try slow(3)
    let world = driver.world
    world.service().pace = .steps(1)
    var commands = 0
    world.mediations[0].its.pause(machine: ITSWorldMachine(world, 0))
    #expect(!world.service().state.isEnabled)
    if let firmware { world.service().losePower(firmware) }
    world.service().onCommand = { _ in commands += 1 }
    world.mediations[0].its.wake(machine: ITSWorldMachine(world, 0))
    world.service().run()
    #expect(commands == 0 && world.service().state.isEnabled && !world.its.isBroken)
    #expect(driver.read(0, .word) == 1)
    #expect(world.service().message(device: 1, event: 0) == nil)
    world.expectSound()
  }

  @Test("A paused ITS that is slow to become Quiescent is enabled when it wakes, or is broken")
  func slowlyPaused() throws {
    for (steps, isLate) in [(1_000, false), (1 << 20, true)] as [(UInt64, Bool)] {
      var options = ITSWorldOptions()
      options.services[0].stepsToQuiescence = steps
      let driver = try driver(options, left: 64)
      let world = driver.world
      world.service().pace = .steps(1)
      world.mediations[0].its.pause(machine: ITSWorldMachine(world, 0))
      #expect(!world.service().isQuiescent)
      world.mediations[0].its.wake(machine: ITSWorldMachine(world, 0))
      #expect(world.its.isBroken == isLate && world.service().state.isEnabled != isLate)
      #expect(world.its.hasNews == isLate)
      world.expectSound()
    }
  }

  @Test("F-10: A host that disables a paused ITS finds it disabled")
  func disabledWhilePaused() throws {
    let driver = try driver(left: 64)
    driver.world.mediations[0].its.pause(machine: ITSWorldMachine(driver.world, 0))
    driver.write(0, 0, .word)
    driver.world.mediations[0].its.wake(machine: ITSWorldMachine(driver.world, 0))
    #expect(driver.read(0, .word) == 1 << 31)
  }

  @Test("A paused ITS that firmware has enabled is off, and disabled")
  func enabledWhilePaused() throws {
    let driver = try driver(left: 64)
    let world = driver.world
    world.mediations[0].its.pause(machine: ITSWorldMachine(world, 0))
    world.service().state.isEnabled = true
    world.mediations[0].its.wake(machine: ITSWorldMachine(world, 0))
    #expect(world.its.isBroken && !world.service().state.isEnabled)
    driver.write(0, 1, .word)
    #expect(!world.service().state.isEnabled)
  }

  @Test("A stalled ITS that is off is told of no Retry")
  func retryOfOneThatIsOff() throws {
    let driver = try driver(left: 64)
    let world = driver.world
    // Such a write to hardware without a queue is a fault.
    #expect(world.service().writePointer.offset != 0)
    world.mediations[0].its.isHardwareStalled = true
    world.service().state.commandBase = 0
    world.mediations[0].its.wake(machine: ITSWorldMachine(world, 0))
    let isBroken = world.its.isBroken
    #expect(isBroken)
    driver.write(ITSRegister.commandWrite.offset, 64 | 1)
    #expect(world.gic.faults.isEmpty)
  }

  @Test("A disabled ITS is told of Retry while it has EL2's queue, and not behind it")
  func retryOfOneThatIsDisabled() throws {
    let driver = try driver(left: 64)
    let world = driver.world
    driver.disable()
    func retry() {
      world.mediations[0].its.isHardwareStalled = true
      driver.write(ITSRegister.commandWrite.offset, 64 | 1)
    }
    world.service().state.isStalled = true
    retry()
    #expect(!world.service().state.isStalled && !world.its.isHardwareStalled)
    world.service().state.commandBase = 0
    retry()
    #expect(world.gic.faults.isEmpty)
  }

  /// What firmware may have done to an ITS while EL2 did not look.
  enum Change: CaseIterable { case lost, restored, enabled, moved }

  @Test("F-10: An ITS that wakes otherwise than EL2 left it is off", arguments: Change.allCases)
  func changed(_ change: Change) throws {
    let driver = try driver(left: 64)
    let world = driver.world
    if change == .enabled { driver.disable() }
    switch change {
    case .lost: world.service().losePower()
    case .restored: world.service().losePower(.restores)
    case .enabled: world.service().state.isEnabled = true
    case .moved: world.service().state.commandBase += 0x1_0000
    }
    world.mediations[0].its.wake(machine: ITSWorldMachine(world, 0))
    #expect(world.its.isBroken && !world.service().state.isEnabled)
    driver.write(0, 0, .word)
    driver.write(0, 1, .word)
    #expect(!world.service().state.isEnabled)
  }
}
