// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SMMUDriver
import Simulation
import SimulatedHardware
import Testing
import VirtualSMMU

@Suite("Events of the virtual SMMU")
struct EventTests {
  typealias Place = HostSMMUDriver.Place

  @Test("A fault of stage 1 is the host's, with all that it tells; one of stage 2 is EL2's")
  func destinations() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1(target: NestedWorld.canary.lowerBound)
    host.attach(5)
    #expect(world.smmu.write(5, 0x5008, 1) == .aborted)
    #expect(world.smmu.read(5, 0x1000) == .aborted)
    let events = host.events()
    #expect(events.map(\.type) == [.translation])
    #expect(events.first?.stream == StreamID(5))
    #expect(events.first?.inputAddress == 0x5008)
    #expect(events.first?.isRead == false && events.first?.isStage2 == false)
    #expect(events.first?.accessClass == .input)
    let counts = world.hypervisorEvents
    #expect(counts.total == 1 && counts.forwarded == 1)
    #expect(world.mediated.counters.events == 1)
    #expect(world.complaints == [])
  }

  @Test("Streams without an entry, and with an invalid one, are told as the host's table has them")
  func missing() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start(log2: 8)
    host.setEntry(5, 0b1001, 1 << 44)
    // Beside one that has an entry, far from any, and beyond the host's table.
    for stream: UInt32 in [6, 200, 300] { _ = world.smmu.read(stream, 8) }
    #expect(host.events().map(\.type) == [.badEntry, .badEntry, .badStream])
    host.control(0b1100)
    host.write(0x2c, 0b0100)
    host.control(0b1101)
    for stream: UInt32 in [6, 300] { _ = world.smmu.read(stream, 8) }
    #expect(host.events().map(\.type) == [.badEntry])
  }

  @Test(
    "A device that the tree does not name is EL2's to tell of, whatever the host's SMMU is doing",
    arguments: [0b0000, 0b1000, 0b1001, 0b1101] as [UInt64])
  func unnamed(control: UInt64) throws {
    var configuration = NestedWorld.configuration
    configuration.eventQueueLog2 = 9
    let world = try NestedWorld(
      configuration, streams: [StreamID(0)...StreamID(7), StreamID(255)...StreamID(255)])
    let host = HostSMMUDriver(world)
    host.start()
    host.setEntry(9, 0b1001, 1 << 44)
    host.control(control)
    // As many as may wait for the host, within its table, and one beyond.
    for _ in 0..<128 { #expect(world.smmu.read(9, Place.data) == .aborted) }
    #expect(world.smmu.read(300, Place.data) == .aborted)
    let faults = world.drainFaults()
    #expect(faults.count == 32 && faults.allSatisfy { $0.stream == StreamID(9) })
    let counts = world.hypervisorEvents
    #expect(counts.total == 129 && counts.unlogged == 97)
    #expect(counts.count(of: .badEntry) + counts.count(of: .badStream) == 129)
    #expect(counts.forwarded == 0 && counts.lostForwarded == 0)
    // They have taken nothing that is the host's.
    host.control(0b1101)
    _ = world.smmu.read(6, Place.data)
    #expect(host.events().map(\.stream) == [StreamID(6)])
    #expect(world.mediated.counters.lostEvents == 0)
    #expect(host.read(0x100a8) >> 31 == 0)
    #expect(world.complaints == [])
  }

  @Test("A queue that is full loses events, and says so once")
  func overflow() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    for _ in 0..<3 {
      for _ in 0..<100 { _ = world.smmu.read(9, 8) }
      for _ in 0..<4 { _ = host.read(0x100a8) }
    }
    let produced = host.read(0x100a8)
    #expect(produced & 1 << 31 != 0)
    let consumed = host.read(0x100ac)
    #expect(produced & 0xff == (consumed & 0xff) ^ 0x80)
    #expect(world.mediated.counters.lostEvents == 172)
    #expect(host.events().count == 128)
    host.write(0x100ac, host.read(0x100a8))
    _ = world.smmu.read(9, 8)
    #expect(host.events().count == 1)
    #expect(world.complaints == [])
  }

  @Test(
    "F-16: however many events of the host wait, EL2 learns of its own; what the host lost it is told",
    arguments: [127, 128, 129, 400])
  func surplus(count: Int) throws {
    var configuration = NestedWorld.configuration
    configuration.eventQueueLog2 = 9
    let world = try NestedWorld(configuration)
    let host = HostSMMUDriver(world)
    host.start()
    host.setEntry(5, 0b1001, 1 << 44)
    for _ in 0..<count { _ = world.smmu.read(9, 8) }
    #expect(world.smmu.read(5, NestedWorld.canary.lowerBound) == .aborted)
    for _ in 0..<8 { _ = world.smmu.read(9, 8) }
    let faults = world.drainFaults()
    #expect(faults.map(\.stream) == [StreamID(5)])
    let counts = world.hypervisorEvents
    let lost = UInt64(max(0, count + 8 - 128))
    #expect(counts.total == 1 && counts.lostForwarded == lost)
    #expect(counts.forwarded == UInt64(count + 8) - lost)
    for _ in 0..<8 { _ = host.read(0x100a8) }
    #expect(host.read(0x100a8) & 1 << 31 == (lost > 0 ? 1 << 31 : 0))
    #expect(host.events().count == min(count + 8, 128))
    #expect(world.mediated.counters.lostEvents == lost)
    #expect(world.complaints == [])
  }

  @Test(
    "F-20: a small event queue of the hardware loses what comes at once, and nothing else",
    arguments: UInt64(0)...7)
  func smallQueue(log2: UInt64) throws {
    var configuration = NestedWorld.configuration
    configuration.eventQueueLog2 = log2
    let world = try NestedWorld(configuration)
    let host = HostSMMUDriver(world)
    host.start()
    for stream: UInt32 in 0..<100 {
      _ = world.smmu.read(stream, 8)
      #expect(host.events().map(\.stream) == [StreamID(stream)])
    }
    for _ in 0..<200 { _ = world.smmu.read(9, 8) }
    #expect(host.events().count == 1 << log2)
    #expect(world.hypervisorEvents.overflows == 1)
    #expect(world.complaints == [])
  }

  @Test("A queue that is off records nothing")
  func off() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.control(0b1001)
    _ = world.smmu.read(9, 8)
    _ = host.read(0x100a8)
    host.control(0b1101)
    #expect(host.events().isEmpty)
    #expect(world.mediated.counters.lostEvents == 1)
    _ = world.smmu.read(9, 8)
    #expect(host.events().count == 1)
  }

  @Test("The wire of the event queue is the host's to switch")
  func wire() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    _ = world.smmu.read(9, 8)
    #expect(world.smmu.interrupts == [.events])
    #expect(host.events().count == 1)
    host.write(0x50, 1)
    let control = host.read(0x54)
    #expect(control == 1)
    _ = world.smmu.read(9, 8)
    #expect(world.smmu.interrupts == [.events])
    #expect(world.complaints == [])
  }
}
