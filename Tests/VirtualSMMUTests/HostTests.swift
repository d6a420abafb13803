// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SMMUDriver
import Simulation
import SimulatedHardware
import Testing
import VirtualSMMU

@Suite("A host with a virtual SMMU")
struct HostTests {
  typealias Place = HostSMMUDriver.Place

  @Test("Before the host has begun, and where it passes a stream, stage 2 alone is in the way")
  func passing() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.put(Place.data, 42)
    #expect(world.smmu.read(3, Place.data) == .completed(42))
    #expect(world.smmu.read(3, NestedWorld.canary.lowerBound) == .aborted)
    host.start()
    #expect(world.smmu.read(3, Place.data) == .aborted)
    host.setEntry(3, 0b1001, 1 << 44)
    #expect(world.smmu.read(3, Place.data) == .completed(42))
    #expect(world.smmu.read(4, Place.data) == .aborted)
    #expect(world.smmu.read(3, NestedWorld.canary.lowerBound) == .aborted)
    #expect(world.complaints == [])
    #expect(world.mediated.counters.allRefused == 0)
  }

  @Test("Entries are published before the SMMU goes by them, also where no page was let go of")
  func tableBesideQueue() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    // 64 commands, and behind them in the same page, which so stays held, a table of 16 streams.
    let streams = Place.commands + 0x800
    host.write(0x28, 0xd75)
    host.write64(0x80, streams)
    host.write(0x88, 4)
    host.write64(0x90, Place.commands | 6)
    host.control(1 << 3)
    host.put(streams + 3 * 64, 0b1001, 1 << 44)
    host.put(Place.data, 42)
    host.control(0b1001)
    #expect(world.smmu.read(3, Place.data) == .completed(42))
    #expect(world.complaints == [])
  }

  @Test("F-08: Queues and tables that it writes past the caches are read and written as they are")
  func pastTheCaches() throws {
    let world = try NestedWorld(keepsLoads: true)
    world.hostMapping = .nonCoherentDevice
    let host = HostSMMUDriver(world)
    host.start()
    host.put(Place.data, 42)
    // More commands, entries and events than share a line, each after the one before was read.
    for round in 0..<300 as Range<UInt32> {
      let stream = round % 3
      host.setEntry(UInt64(stream), 0b1001, 1 << 44)
      #expect(world.smmu.read(stream, Place.data) == .completed(42))
      host.setEntry(UInt64(stream), 0, 0)
      #expect(world.smmu.read(stream, Place.data) == .aborted)
      #expect(host.events().map(\.type) == [.badEntry])
    }
    #expect(world.complaints == [])
    #expect(world.mediated.counters.allRefused == 0)
  }

  @Test("Its stage 1 translates, in tables of one level and of two", arguments: [nil, 6, 8, 10])
  func stage1(split: UInt64?) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start(log2: split == nil ? 8 : 10, split: split)
    host.buildStage1()
    host.put(Place.data + 8, 7)
    if let split {
      // Stream 517, behind whichever descriptor.
      host.put(
        Place.streams + (517 >> split) * 8, Place.secondLevel | (split + 1))
      let place = Place.secondLevel + (517 & (1 << split - 1)) * 64
      host.put(place, 0b1011 | Place.context, HostSMMUDriver.attributes)
      host.send((0x03 | 517 << 32, 1), (0x01 | 517 << 32, 0), (0x46, 2 << 12))
    } else {
      host.attach(5)
    }
    let stream: UInt32 = split == nil ? 5 : 517
    #expect(world.smmu.read(stream, 8) == .completed(7))
    #expect(world.smmu.write(stream, 0x1010, 99) == .completed(0))
    let written = world.load(Place.data + 0x10)
    #expect(written == 99)
    #expect(world.smmu.read(stream + 1, 8) == .aborted)
    #expect(world.complaints == [])
    #expect(world.mediated.counters.allRefused == 0)
    #expect(world.held == 2)
  }

  @Test("What is there when it turns the SMMU on holds without a command")
  func enabling() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.buildStage1()
    host.setEntry(5, 0b1011 | Place.context, HostSMMUDriver.attributes, invalidates: false)
    host.setEntry(200, 0b1001, 1 << 44, invalidates: false)
    host.start()
    #expect(world.smmu.read(5, 8) == .completed(0))
    #expect(world.smmu.read(200, Place.data) == .completed(0))
    #expect(world.smmu.read(201, Place.data) == .aborted)
    host.put(Place.data + 8, 7)
    #expect(world.smmu.read(5, 8) == .completed(7))
    host.control(0b1100)
    #expect(world.smmu.read(201, Place.data) == .completed(0))
    // Without stage 1 that is another address.
    #expect(world.smmu.read(5, 8) == .completed(0))
    host.write(0x44, 1 << 31 | 1 << 20)
    let bypass = host.read(0x44)
    #expect(bypass == 1 << 20 | 1 << 12)
    #expect(world.smmu.read(201, Place.data) == .aborted)
    #expect(world.complaints == [])
  }

  private static let asid: UInt64 = 9 << 48
  static let invalidations: [SMMUCommand] = [
    SMMUCommand(0x10), SMMUCommand(0x11 | asid), SMMUCommand(0x12 | asid), SMMUCommand(0x13),
    SMMUCommand(0x30),
    // VMIDs are not its to say.
    SMMUCommand(0x10 | 0xffff << 32), SMMUCommand(0x12 | asid | 77 << 32),
    // Ranges: two pages, and one of level 3.
    SMMUCommand(0x12 | asid | 1 << 12, 1 << 10), SMMUCommand(0x12 | asid, 1 << 10 | 3 << 8),
  ]

  @Test(
    "Its invalidations reach its address space, and nothing else does before them",
    arguments: invalidations)
  func invalidation(command: SMMUCommand) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    host.attach(5)
    #expect(world.smmu.read(5, 8) == .completed(0))
    host.put(Place.table2, 0)
    #expect(world.smmu.read(5, 8) == .completed(0))
    host.send((command.word0, command.word1), (0x46, 0))
    #expect(world.smmu.read(5, 8) == .aborted)
    #expect(world.complaints == [])
  }

  @Test("A context stays until it is told")
  func contexts() throws {
    for command in [SMMUCommand(0x05 | 5 << 32, 1), SMMUCommand(0x06 | 5 << 32)] {
      let world = try NestedWorld()
      let host = HostSMMUDriver(world)
      host.start()
      host.buildStage1()
      host.attach(5)
      #expect(world.smmu.read(5, 8) == .completed(0))
      host.put(Place.context, 0)
      host.send((0x30, 0), (0x46, 0))
      #expect(world.smmu.read(5, 8) == .completed(0))
      host.send((command.word0, command.word1), (0x46, 0))
      #expect(world.smmu.read(5, 8) == .aborted)
      #expect(host.events().map(\.type) == [.badContext])
    }
  }

  /// The commands that take the contexts of stream 5 with its entry (IHI 0070, 4.3.1, 4.3.2 and 4.3.6).
  static let entryInvalidations: [SMMUCommand] = [
    SMMUCommand(0x03 | 5 << 32, 1), SMMUCommand(0x03 | 5 << 32), SMMUCommand(0x04 | 4 << 32, 0),
    SMMUCommand(0x04 | 7 << 32, 2), SMMUCommand(0x04, 31),
  ]

  @Test(
    "A context that is rewritten in place goes when an entry that stays the same is invalidated",
    arguments: entryInvalidations)
  func contextsOfEntries(command: SMMUCommand) throws {
    for seed in UInt64(0)..<8 {
      var configuration = NestedWorld.configuration
      configuration.invalidation = .anyOrder(seed: seed)
      var policy = VirtualSMMUPolicy()
      policy.entriesPerTrap = 1 + seed * 9
      let world = try NestedWorld(configuration, policy: policy)
      let host = HostSMMUDriver(world)
      host.start()
      host.buildStage1()
      host.attach(5)
      host.attach(6)
      host.put(Place.data, 1)
      host.put(Place.data + 0x3000, 2)
      #expect(world.smmu.read(5, 0) == .completed(1))
      // Another table, whose pages the host has been using for something else.
      host.put(Place.data + 0x1000, (Place.data + 0x2000) | 0b11)
      host.put(Place.data + 0x2000, (Place.data + 0x3000) | HostSMMUDriver.leaf)
      host.put(Place.context, HostSMMUDriver.contextWord0, Place.data + 0x1000)
      host.send((command.word0, command.word1), (0x46, 0), (0x11 | 9 << 48, 0), (0x46, 0))
      #expect(world.smmu.read(5, 0) == .completed(2))
      #expect(host.stop == nil && world.complaints == [])
      #expect(world.mediated.counters.allRefused == 0)
    }
  }

  @Test("An entry that stays the same costs one command, and that where it has contexts")
  func unchanged() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    for stream: UInt64 in 4..<8 { host.attach(stream) }
    host.setEntry(8, 0b1001, 1 << 44)
    host.setEntry(9, 0b0001, 0)
    var reached: [SMMUCommand] = []
    world.smmu.onCommand = { reached.append($0) }
    host.send((0x04, 31), (0x46, 0))
    #expect(
      reached
        == (4..<8).flatMap {
          [SMMUCommand.invalidateEntry(StreamID($0), leaf: true), .synchronise]
        })
    #expect(world.complaints == [])
  }

  @Test("A trap does a bounded part, and CMDQ_CONS is where the hardware is")
  func bounded() throws {
    var policy = VirtualSMMUPolicy()
    policy.commandsPerTrap = 4
    policy.entriesPerTrap = 16
    let world = try NestedWorld(policy: policy)
    let host = HostSMMUDriver(world)
    host.start()
    host.post((0..<20).map { _ in (0x10, 0) })
    let first = host.read(0x98)
    let waits = host.wait()
    // Four were carried out in the trap of the doorbell.
    #expect(waits == 4)
    #expect(first == 23)
    // All 256 entries, 16 at a time.
    host.post((0x04, 31), (0x46, 0))
    let looks = host.wait()
    #expect(looks == 15)
    #expect(world.complaints == [])
  }

  @Test("Behind two levels, a descriptor counts in a trap as an entry does")
  func boundedBehindDescriptors() throws {
    var policy = VirtualSMMUPolicy()
    policy.entriesPerTrap = 16
    let world = try NestedWorld(policy: policy)
    let host = HostSMMUDriver(world)
    host.put(Place.streams, Place.secondLevel | 7)
    host.start(log2: 8, split: 6)
    // 64 streams, eight at a time, and three descriptors of none.
    host.post((0x04, 31), (0x46, 0))
    #expect(host.wait() == 8)
    #expect(world.complaints == [])
  }

  @Test("What an entry says in fields that are ignored is no change of it")
  func ignoredFields() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    host.attach(5)
    var reached: [SMMUCommand] = []
    world.smmu.onCommand = { reached.append($0) }
    // S1Fmt and S1DSS, where S1CDMax is 0.
    host.setEntry(5, 0b1011 | 2 << 4 | Place.context, HostSMMUDriver.attributes | 1)
    #expect(reached == [.invalidateEntry(StreamID(5), leaf: true), .synchronise])
    #expect(world.complaints == [])
  }

  @Test("An entry changes while its device works, and the hardware fetches at the worst moments")
  func changes() throws {
    var configuration = NestedWorld.configuration
    configuration.prefetchesEntries = true
    configuration.invalidation = .atSync
    let world = try NestedWorld(configuration)
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    // Address 8 is that of no memory, and by stage 1 it is one of the data.
    host.put(Place.data + 8, 7)
    let entries: [(UInt64, UInt64, DeviceResponse, DeviceResponse)] = [
      (0b1011 | Place.context, HostSMMUDriver.attributes, .completed(7), .aborted),
      (0b1001, 1 << 44, .completed(0), .completed(0)),
      (0, 0, .aborted, .aborted),
      (0b0001, 0, .aborted, .aborted),
      (0b1011 | Place.context, 1 << 44 | 0xc0, .completed(7), .aborted),
    ]
    for first in entries {
      for second in entries {
        for (word0, word1, stage1, stage2) in [first, second] {
          host.setEntry(5, word0, word1)
          host.send((0x30, 0), (0x46, 0))
          #expect(world.smmu.read(5, 8) == stage1)
          #expect(world.smmu.read(5, Place.data) == stage2)
        }
      }
    }
    #expect(world.complaints == [])
  }

  @Test("A page that the host loses is out of reach, although both stages were combined")
  func donation() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1(target: Place.data + 0x1000)
    host.attach(5)
    #expect(world.smmu.write(5, 0x1000, 1) == .completed(0))
    #expect(world.donate(Place.data + 0x1000))
    #expect(world.smmu.write(5, 0x1000, 2) == .aborted)
    let kept = world.load(Place.data + 0x1000)
    #expect(kept == 1)
    #expect(world.complaints == [])
    // It is no matter of the host's: EL2 has it in its log.
    #expect(host.events().isEmpty)
    #expect(world.hypervisorEvents.count(of: .translation) == 1)
  }

  /// A world of which the hardware carries out invalidations in an order by a seed.
  private static func world(inOrder seed: UInt64) throws -> NestedWorld {
    var configuration = NestedWorld.configuration
    configuration.invalidation = .anyOrder(seed: seed)
    return try NestedWorld(configuration)
  }

  @Test(
    "F-06: nothing that is combined is filled again from a stage 2 that is not gone yet",
    arguments: UInt64(0)..<16)
  func donationInAnyOrder(seed: UInt64) throws {
    for page in [Place.data + 0x1000, Place.table2, Place.table1, Place.context] {
      let world = try Self.world(inOrder: seed)
      let host = HostSMMUDriver(world)
      host.start()
      host.buildStage1(target: Place.data + 0x1000)
      host.attach(5)
      host.setEntry(6, 0b1001, 1 << 44)
      // Not the first that is taken.
      for page in [Place.data + 0x2000, page] {
        // By both stages at once, and by stage 2 alone.
        #expect(world.smmu.read(6, page) != .aborted)
        #expect(world.smmu.write(5, 0x1000, 1) == .completed(0))
        #expect(world.donate(page))
        #expect(world.smmu.read(6, page) == .aborted)
      }
      // A context that the hardware has kept leads on to pages that are the host's.
      if page != Place.context {
        #expect(world.smmu.write(5, 0x1000, 2) == .aborted)
        #expect(world.load(Place.data + 0x1000) == 1)
      }
      #expect(world.complaints == [])
    }
  }

  @Test(
    "F-07: what the host puts behind its own CMD_SYNC happens behind it, in one doorbell's batch as well",
    arguments: UInt64(0)..<16)
  func ownSync(seed: UInt64) throws {
    let world = try Self.world(inOrder: seed)
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    host.attach(5)
    host.put(Place.data, 1)
    host.put(Place.data + 0x3000, 2)
    #expect(world.smmu.read(5, 0) == .completed(1))
    // Another table; what is translated by the old one goes when no context leads to it any more.
    host.put(Place.data + 0x1000, (Place.data + 0x2000) | 0b11)
    host.put(Place.data + 0x2000, (Place.data + 0x3000) | HostSMMUDriver.leaf)
    host.put(Place.context, HostSMMUDriver.contextWord0, Place.data + 0x1000)
    host.send((0x05 | 5 << 32, 1), (0x46, 0), (0x11 | 9 << 48, 0), (0x46, 0))
    #expect(world.smmu.read(5, 0) == .completed(2))
    #expect(world.complaints == [])
  }

  @Test(
    "F-20: an SMMU with a small command queue does all that one with a large one does",
    arguments: UInt64(2)...8)
  func smallQueue(log2: UInt64) throws {
    var configuration = NestedWorld.configuration
    configuration.commandQueueLog2 = log2
    configuration.invalidation = .anyOrder(seed: log2)
    configuration.hasRangeInvalidation = false
    let world = try NestedWorld(configuration)
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1(target: Place.data + 0x1000)
    host.attach(5)
    for round in UInt64(0)..<4 {
      // More than a batch of EL2's holds.
      for _ in 0..<40 { host.post((0x12 | 9 << 48, round << 12)) }
      #expect(world.smmu.write(5, 0x1000, round) == .completed(0))
      host.post((0..<60).map { (0x12 | 9 << 48, $0 << 12) } + [(0x46, 0)])
      #expect(host.wait() != nil && host.stop == nil)
      #expect(world.donate(0x4080_0000 + round << 13))
    }
    #expect(world.donate(Place.data + 0x1000))
    #expect(world.smmu.write(5, 0x1000, 2) == .aborted)
    #expect(!world.mediated.isBroken && world.complaints == [])
  }

  @Test("F-20: a host may make its queues as small as it likes", arguments: UInt64(0)...4)
  func hostsSmallQueues(log2: UInt64) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.control(0)
    host.write64(0x90, Place.commands | 1 << 62 | log2)
    host.write(0x98, 0)
    host.write(0x9c, 0)
    host.write64(0xa0, Place.events | 1 << 62 | log2)
    host.write(0x100a8, 0)
    host.write(0x100ac, 0)
    host.control(0b1101)
    let lap: UInt64 = 1 << log2
    for count in UInt64(1)...20 {
      host.put(
        Place.commands + ((count - 1) & (lap - 1)) * 16, count.isMultiple(of: 2) ? 0x46 : 0x30, 0)
      host.write(0x98, count & (2 * lap - 1))
      #expect(host.read(0x9c) == count & (2 * lap - 1))
      // As many events as there is room for, and one more.
      for _ in 0...lap { _ = world.smmu.read(9, 8) }
      let produced = host.read(0x100a8)
      #expect(produced & (2 * lap - 1) == count * lap & (2 * lap - 1))
      #expect(produced >> 31 == count & 1)
      host.write(0x100ac, produced)
    }
    #expect(host.stop == nil && world.complaints == [])
  }

  @Test("Queues are held while they are on, and not longer")
  func queuesHeld() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    #expect(world.held == 2)
    #expect(!world.donate(Place.commands))
    #expect(!world.donate(Place.events))
    host.control(0)
    #expect(world.held == 0)
    #expect(world.donate(Place.commands))
    #expect(world.donate(Place.events))
  }
}
