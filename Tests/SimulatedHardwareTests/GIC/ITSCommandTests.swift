// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Testing

@Suite("Commands of the simulated ITS")
struct ITSCommandTests {
  @Test("MAPD writes an entry at the device's place in the table, and MAPD with V clear empties it")
  func mapd() {
    let driver = SmallITSDriver()
    driver.post(.mapd(7, table: 0x4008_0100, eventIDBits: 5))
    #expect(driver.word(ITSPlace.devices + 7 * 8) == valid | 0x4008_0100 | 4)
    driver.post(.unmapd(7))
    #expect(driver.word(ITSPlace.devices + 7 * 8) == 0)
    #expect(driver.its.completedCommands == 2 && driver.gic.faults.isEmpty)
  }

  @Test("MAPC writes an entry with the target, and MAPC with V clear empties it")
  func mapc() {
    let driver = SmallITSDriver()
    driver.post(.mapc(5, target: 1))
    #expect(driver.word(ITSPlace.collections + 40) == valid | 1 << 16)
    driver.post(.unmapc(5))
    #expect(driver.word(ITSPlace.collections + 40) == 0)
  }

  @Test("A collection below GITS_TYPER.HCC is held without memory")
  func hardwareCollections() {
    var configuration = ITSConfiguration()
    configuration.hardwareCollections = 4
    let driver = SmallITSDriver(configuration)
    driver.gic.recordsAccesses = true
    driver.mapDevice()
    driver.post(.event(.int, 3, 0))
    #expect(driver.gic.taken(by: 0) == [8200])
    #expect(!driver.gic.accesses.contains { $0.range.use == .table(.collections) })
  }

  @Test("MAPTI writes the event's entry into the device's table, and a message delivers it")
  func mapti() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    #expect(driver.translation(3, 0) == .physical(8200, collection: 0))
    #expect(driver.its.message(device: 3, event: 0) == nil)
    #expect(driver.gic.delivered == [.init(interrupt: 8200, redistributor: 0)])
  }

  @Test("MAPI maps an event to the interrupt of its own number")
  func mapi() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    driver.post(
      .mapd(4, table: 0x400a_0000, eventIDBits: 14), .mapi(4, 8300, collectionID: 1),
      .event(.int, 4, 8300))
    #expect(driver.gic.taken(by: 1) == [8300])
  }

  @Test("MOVI changes the collection, and takes along what is pending")
  func movi() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    // Disabled, so that it stays pending.
    driver.gic.memory.store(.byte, 0, at: ITSPlace.configuration + 8)
    driver.post(.event(.int, 3, 0), .movi(3, 0, collectionID: 1))
    #expect(driver.translation(3, 0) == .physical(8200, collection: 1))
    #expect(driver.gic.redistributors[0].pendingInterrupts().isEmpty)
    #expect(driver.gic.taken(by: 0).isEmpty)
    #expect(driver.gic.redistributors[1].pendingInterrupts() == [8200])
    driver.gic.memory.store(.byte, 1, at: ITSPlace.configuration + 8)
    driver.post(.event(.inv, 3, 0))
    #expect(driver.gic.taken(by: 1) == [8200])
  }

  @Test("DISCARD unmaps an event and drops what is pending")
  func discard() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    driver.gic.memory.store(.byte, 0, at: ITSPlace.configuration + 8)
    driver.post(.event(.int, 3, 0))
    #expect(driver.gic.redistributors[0].pendingInterrupts() == [8200])
    driver.post(.event(.discard, 3, 0))
    #expect(driver.gic.redistributors[0].pendingInterrupts().isEmpty)
    #expect(!driver.translation(3, 0).isValid)
    #expect(driver.its.message(device: 3, event: 0) == .unmappedInterrupt(0))
  }

  @Test("CLEAR drops what is pending and leaves the event mapped")
  func clear() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    driver.gic.memory.store(.byte, 0, at: ITSPlace.configuration + 8)
    driver.post(.event(.int, 3, 0), .event(.clear, 3, 0))
    #expect(driver.gic.redistributors[0].pendingInterrupts().isEmpty)
    #expect(driver.translation(3, 0).isValid)
  }

  @Test("A configuration that was read stays in force until INV", arguments: [false, true])
  func invalidate(all: Bool) {
    let driver = SmallITSDriver()
    driver.mapDevice()
    driver.post(.event(.int, 3, 0))
    driver.gic.memory.store(.byte, 0, at: ITSPlace.configuration + 8)
    driver.post(.event(.int, 3, 0))
    #expect(driver.gic.taken(by: 0).count == 2)
    driver.post(all ? .invall(0) : .event(.inv, 3, 0), .event(.int, 3, 0))
    #expect(driver.gic.taken(by: 0).count == 2)
    #expect(driver.gic.redistributors[0].pendingInterrupts() == [8200])
  }

  @Test("MOVALL moves every pending interrupt to another Redistributor")
  func movall() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    driver.gic.memory.store(.half, 0, at: ITSPlace.configuration + 8)
    driver.post(
      .mapti(3, 1, interrupt: 8201, collectionID: 0), .event(.int, 3, 0), .event(.int, 3, 1),
      .movall(from: 0, to: 1))
    #expect(driver.gic.redistributors[0].pendingInterrupts().isEmpty)
    #expect(driver.gic.redistributors[1].pendingInterrupts() == [8200, 8201])
  }

  @Test("Two devices have entries apart, though their events have the same number")
  func twoDevices() {
    let driver = SmallITSDriver()
    driver.mapDevice(3, interrupt: 8200)
    driver.mapDevice(4, interrupt: 8300)
    driver.its.message(device: 4, event: 0)
    driver.its.message(device: 3, event: 0)
    #expect(driver.gic.taken(by: 0) == [8300, 8200])
  }

  static let errors: [(ITSCommand, CommandError)] = [
    (ITSCommand(0x02), .unknownCommand(0x02)),
    (ITSCommand(0x29), .unknownCommand(0x29)),
    (.mapd(512, table: 0, eventIDBits: 5), .deviceOutOfRange(512)),
    (.mapd(0x1_0000, table: 0, eventIDBits: 5), .deviceOutOfRange(0x1_0000)),
    (.mapd(1, table: 0, eventIDBits: 17), .tableSizeOutOfRange(17)),
    (.mapti(1, 0, interrupt: 8192, collectionID: 0), .unmappedDevice(1)),
    (.mapti(3, 32, interrupt: 8192, collectionID: 0), .eventOutOfRange(32)),
    (.mapti(3, 1, interrupt: 8191, collectionID: 0), .interruptOutOfRange(8191)),
    (.mapti(3, 1, interrupt: 0x1_0000, collectionID: 0), .interruptOutOfRange(0x1_0000)),
    (.mapi(3, 1, collectionID: 0), .interruptOutOfRange(1)),
    (.mapc(512, target: 0), .collectionOutOfRange(512)),
    (.mapc(0, target: 2), .targetOutOfRange(2)),
    (.movi(3, 1, collectionID: 0), .unmappedInterrupt(1)),
    (.movi(3, 0, collectionID: 9), .unmappedCollection(9)),
    (.event(.int, 3, 1), .unmappedInterrupt(1)),
    (.event(.discard, 9, 1), .unmappedDevice(9)),
    (.event(.inv, 3, 40), .eventOutOfRange(40)),
    (.invall(9), .unmappedCollection(9)),
    (.movall(from: 0, to: 5), .targetOutOfRange(5)),
    (.sync(target: 2), .targetOutOfRange(2)),
  ]

  @Test("A command in error stalls the queue at itself, names why, and changes no memory")
  func errors() {
    for (command, error) in Self.errors {
      let driver = SmallITSDriver()
      driver.mapDevice()
      let before = driver.gic.memory.state
      driver.post(command)
      #expect(driver.its.lastError == error)
      #expect(driver.its.readPointer == GITSQueuePointer(offset: 128, flag: true))
      driver.gic.memory.zero(ITSPlace.queue + 128, size: 32)
      driver.gic.memory.clean(ITSPlace.queue + 128, size: 32)
      #expect(driver.gic.memory.state == before)
    }
  }

  @Test("With PTA set, a target that names no Redistributor is written to")
  func strayTarget() {
    var configuration = ITSConfiguration()
    configuration.targetsAreAddresses = true
    let driver = SmallITSDriver(configuration)
    driver.gic.recordsAccesses = true
    driver.post(.mapc(0, target: ITSPlace.canary >> 16))
    #expect(driver.its.reachable.contains { $0.use == .strayTarget && $0.base == ITSPlace.canary })
    driver.post(
      .mapd(3, table: driver.table(3), eventIDBits: 5),
      .mapti(3, 0, interrupt: 8200, collectionID: 0), .event(.int, 3, 0))
    #expect(driver.word(ITSPlace.canary + 0x40) == valid | 8200)
    #expect(
      driver.gic.accesses.contains { $0.range.use == .strayTarget && $0.range.isWritten })
    // The address of a real one is no memory.
    driver.post(.mapc(0, target: driver.target(1)), .event(.int, 3, 0))
    #expect(driver.gic.taken(by: 1) == [8200])
  }
}
