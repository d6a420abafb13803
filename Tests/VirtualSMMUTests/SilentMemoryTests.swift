// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Simulation
import SMMU
import SMMUDriver
import SimulatedHardware
import Testing
import VirtualSMMU

/// Memory that the host names and that answers EL2 with an external abort.
@Suite("Memory of a virtual SMMU's host that does not answer") struct SilentMemoryTests {
  typealias Place = HostSMMUDriver.Place

  @Test(
    "F-12: A command that does not answer stops the queue with CERROR_ABT, and it goes on",
    arguments: [0, 8] as [UInt64])
  func command(_ word: UInt64) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    let place = host.read(0x98) & 0xff
    world.smmu.memory.silence(Place.commands + (place + 1) * 16 + word, size: 8)
    host.post((0x30, 0), (0x46, 0))
    host.wait(reads: 20)
    #expect(host.stop == .abort)
    #expect(host.read(0x9c) & 0xff == place + 1)
    #expect(world.mediated.counters.count(.unreadableCommand) == 1)

    world.smmu.memory.answerAgain()
    host.write(0x64, host.read(0x60))
    #expect(host.wait() != nil)
    #expect(world.complaints.isEmpty)
  }

  @Test(
    "F-12: A stream whose entry or descriptor does not answer has an invalid one",
    arguments: [Place.secondLevel + 5 * 64, Place.secondLevel + 5 * 64 + 8, Place.streams])
  func entry(_ silent: UInt64) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start(log2: 10, split: 6)
    host.put(Place.streams, Place.secondLevel | 7)
    host.put(Place.secondLevel + 5 * 64, 0b1001, HostSMMUDriver.attributes)
    host.send((0x03 | 5 << 32, 1), (0x46, 0))
    #expect(world.smmu.read(5, Place.data) == .completed(0))
    world.smmu.memory.silence(silent, size: 8)
    host.send((0x03 | 5 << 32, 1), (0x46, 0))
    #expect(world.smmu.read(5, Place.data) != .completed(0))
    #expect(world.mediated.counters.count(.unreadableEntry) > 0)
    #expect(world.complaints.isEmpty)
  }

  @Test(
    "F-12: An event queue that does not answer is EVENTQ_ABT_ERR", arguments: 0..<4 as Range<UInt64>
  )
  func event(_ word: UInt64) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    host.attach(5)
    world.smmu.memory.silence(Place.events + word * 8, size: 8)
    _ = world.smmu.read(5, 0x5000)
    _ = host.read(0x100a8)
    #expect(host.read(0x60) & 0b100 != 0)
    #expect(host.read(0x100a8) == 0)
    #expect(world.mediated.counters.count(.unwritableEvent) == 1)
    #expect(world.mediated.counters.lostEvents == 1)
    #expect(world.complaints.isEmpty)
  }
}
