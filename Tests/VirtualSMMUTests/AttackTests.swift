// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SMMUDriver
import Simulation
import SimulatedHardware
import Testing
import VirtualSMMU

/// What a hostile host may try.
///
/// Each attack runs twice: on the bare hardware, where it must succeed, and on the
/// virtual SMMU, where it must come to nothing and be seen.
@Suite("Attacks on the virtual SMMU")
struct AttackTests {
  typealias Place = HostSMMUDriver.Place
  static let canary = NestedWorld.canary.lowerBound
  static let secret = NestedWorld.song

  /// Something of EL2's that the host is after, and how it would know that it got there.
  struct Attack: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// What is counted; nil where nothing is asked that could be refused.
    var reason: SMMURefusalReason?
    /// Carries it out; whether it has succeeded.
    let attempt: @Sendable (NestedWorld, HostSMMUDriver) -> Bool
  }

  /// Two tables of stage 2 that map everything below 2 TiB one to one.
  static func buildStage2(_ host: HostSMMUDriver) {
    for index: UInt64 in 0..<4 {
      host.put(Place.secondLevel + index * 8, index << 30 | 0x7fd)
    }
  }
  /// An entry of the host's own stage 2: 32 bits, level 1, Write-Back, 40 bits of output.
  static let stage2Word2: UInt64 = 0x23560 << 32 | 1 << 51 | 1 << 58

  static let attacks: [Attack] = [
    Attack(testDescription: "an entry that bypasses") { world, host in
      host.setEntry(5, 0b1001, 1 << 44)
      return world.smmu.read(5, canary) == .completed(secret)
    },
    Attack(testDescription: "an entry that bypasses, to write") { world, host in
      host.setEntry(5, 0b1001, 1 << 44)
      _ = world.smmu.write(5, canary, 1)
      return world.isCanaryTouched
    },
    Attack(testDescription: "a stage 1 that leads to EL2") { world, host in
      host.buildStage1(target: canary)
      host.attach(5)
      return world.smmu.read(5, 0x1000) == .completed(secret)
    },
    Attack(testDescription: "a stage 2 of the host's own", reason: .stage2) { world, host in
      buildStage2(host)
      host.setEntry(5, 0b1101, 1 << 44, stage2Word2, Place.secondLevel)
      return world.smmu.read(5, canary) == .completed(secret)
    },
    Attack(testDescription: "a stage 2 of the host's own behind its stage 1", reason: .stage2) {
      world, host in
      buildStage2(host)
      host.buildStage1(target: canary)
      host.setEntry(
        5, 0b1111 | Place.context, HostSMMUDriver.attributes, stage2Word2, Place.secondLevel)
      return world.smmu.read(5, 0x1000) == .completed(secret)
    },
    Attack(testDescription: "fields of a stage 2 beside a stage 1, used by EL2's") { world, host in
      buildStage2(host)
      host.buildStage1(target: canary)
      host.setEntry(
        5, 0b1011 | Place.context, HostSMMUDriver.attributes, stage2Word2, Place.secondLevel)
      return world.smmu.read(5, 0x1000) == .completed(secret)
    },
    Attack(testDescription: "ATS: a translated address") { world, host in
      host.buildStage1()
      host.setEntry(5, 0b1011 | Place.context, HostSMMUDriver.attributes | 1 << 28)
      return world.smmu.process(DeviceTransaction(5, canary, type: .translated))
        == .completed(secret)
    },
    Attack(testDescription: "ATS without EATS, CR0.ATSCHK clear") { world, host in
      host.buildStage1()
      host.attach(5)
      host.write(0x20, 0b1101)
      return world.smmu.process(DeviceTransaction(5, canary, type: .translated))
        == .completed(secret)
    },
    Attack(testDescription: "contexts in EL2's memory") { world, host in
      host.setEntry(5, 0b1011 | canary, HostSMMUDriver.attributes)
      world.smmu.recordsAccesses = true
      _ = world.smmu.read(5, 8)
      return world.smmu.accesses.contains { $0.use == .context && $0.address == canary }
    },
    Attack(testDescription: "a table of stage 1 in EL2's memory") { world, host in
      host.buildStage1()
      host.put(Place.context + 8, canary)
      host.attach(5)
      world.smmu.recordsAccesses = true
      _ = world.smmu.read(5, 8)
      return world.smmu.accesses.contains { $0.use == .stage1Table && $0.address == canary }
    },
    Attack(testDescription: "an Access flag that hardware sets in EL2's memory") { world, host in
      host.buildStage1(contextWord0: HostSMMUDriver.contextWord0 | 1 << 43)
      // The song, read as a table of stage 1, has no valid entry: a page of the host's with one.
      host.put(Place.table2, 0)
      host.put(Place.context + 8, canary)
      host.attach(5)
      world.smmu.recordsAccesses = true
      _ = world.smmu.read(5, 8)
      return world.smmu.accesses.contains { $0.address & ~0xfff == canary }
    },
    Attack(testDescription: "CMD_SYNC with an MSI") { world, host in
      host.send((0x46 | 1 << 12 | 3 << 22 | 0xf << 24 | 0x5555 << 32, canary))
      return world.isCanaryTouched
    },
    Attack(testDescription: "the event queue's MSI") { world, host in
      host.write(0x50, 0)
      host.write64(0xb0, canary)
      host.write(0xb8, 0x5555)
      host.write(0x50, 0b100)
      _ = world.smmu.read(5, 8)
      return world.isCanaryTouched
    },
    Attack(testDescription: "the MSI of errors") { world, host in
      host.write(0x50, 0)
      host.write64(0x68, canary)
      host.write(0x70, 0x5555)
      host.write(0x50, 1)
      host.send((0xff, 0))
      return world.isCanaryTouched
    },
    Attack(testDescription: "an event queue in EL2's memory", reason: .unwritableEvent) {
      world, host in
      host.control(0b1001)
      host.write64(0xa0, canary | 7)
      host.control(0b1101)
      host.setEntry(5, 0b1011 | Place.context, HostSMMUDriver.attributes)
      _ = world.smmu.read(5, 8)
      _ = host.read(0x100a8)
      return world.isCanaryTouched
    },
    Attack(testDescription: "a command queue in EL2's memory", reason: .unreadableCommand) {
      world, host in
      host.control(0b0101)
      host.write64(0x90, canary | 8)
      host.write(0x9c, 0)
      host.write(0x98, 4)
      world.smmu.recordsAccesses = true
      host.control(0b1101)
      return world.smmu.accesses.contains { $0.use == .commandQueue && $0.address == canary }
    },
    Attack(testDescription: "a stream table in EL2's memory", reason: .unreadableEntry) {
      world, host in
      host.control(0b1100)
      host.write64(0x80, canary)
      host.write(0x88, 6)
      host.control(0b1101)
      world.smmu.recordsAccesses = true
      _ = world.smmu.read(5, 8)
      return world.smmu.accesses.contains {
        $0.use == .streamEntry && NestedWorld.canary.contains($0.address)
      }
    },
    Attack(testDescription: "a first level that leads to EL2", reason: .unreadableEntry) {
      world, host in
      host.control(0b1100)
      host.write(0x88, 10 | 6 << 6 | 1 << 16)
      host.put(Place.streams, canary | 7)
      host.control(0b1101)
      world.smmu.recordsAccesses = true
      _ = world.smmu.read(5, 8)
      return world.smmu.accesses.contains {
        $0.use == .streamEntry && NestedWorld.canary.contains($0.address)
      }
    },
    Attack(testDescription: "an entry that changes behind the back of EL2") { world, host in
      host.setEntry(5, 0b0001)
      host.setEntry(5, 0b1001, 1 << 44, invalidates: false)
      return world.smmu.read(5, canary) == .completed(secret)
    },
    Attack(testDescription: "GBPA, with the SMMU off") { world, host in
      host.control(0)
      host.write(0x44, 1 << 31)
      return world.smmu.read(5, canary) == .completed(secret)
    },
    Attack(testDescription: "a stalled device") { world, host in
      host.buildStage1(contextWord0: HostSMMUDriver.contextWord0 | 1 << 44)
      host.put(Place.table2, 0)
      host.attach(5)
      if case .stalled = world.smmu.read(5, 8) { return true }
      return false
    },
    Attack(testDescription: "contexts beyond all addresses", reason: .contextAddress) {
      world, host in
      host.setEntry(5, 0b1011 | 1 << 47, HostSMMUDriver.attributes)
      world.smmu.recordsAccesses = true
      _ = world.smmu.read(5, 8)
      return world.smmu.accesses.contains { $0.use == .context && $0.address == 1 << 47 }
    },
    Attack(testDescription: "substreams that pass stage 1") { world, host in
      host.buildStage1()
      host.setEntry(
        5, 0b1011 | Place.context | 1 << 59, HostSMMUDriver.attributes | 1)
      return world.smmu.read(5, canary) == .completed(secret)
    },
  ]

  @Test("On bare hardware it succeeds", arguments: attacks)
  func control(attack: Attack) throws {
    let world = try NestedWorld(isMediated: false)
    let host = HostSMMUDriver(world)
    host.start()
    let hasSucceeded = attack.attempt(world, host)
    #expect(hasSucceeded)
  }

  @Test("On the virtual SMMU it comes to nothing", arguments: attacks)
  func mediated(attack: Attack) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    let hasSucceeded = attack.attempt(world, host)
    #expect(!hasSucceeded)
    #expect(world.complaints == [])
    if let reason = attack.reason {
      let count = world.mediated.counters.count(reason)
      #expect(count >= 1)
      let last = world.mediated.takeRefusal()
      #expect(last?.reason == reason)
    }
    let isBroken = world.mediated.isBroken
    #expect(!isBroken)
  }

  @Test(
    "No command of another feature reaches the hardware, and each stops the queue",
    arguments: 0...255)
  func everyCommand(number: Int) throws {
    let allowed: [Int: Bool] = [
      0x01: false, 0x02: false, 0x03: false, 0x04: false, 0x05: true, 0x06: true, 0x10: true,
      0x11: true, 0x12: true, 0x13: true, 0x30: true, 0x46: false,
    ]
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    var reached: [UInt8] = []
    world.smmu.onCommand = { reached.append($0.number) }
    host.post((UInt64(number), 0), (0x46, 0))
    let waits = host.wait(reads: 10)
    if let isForwarded = allowed[number] {
      #expect(waits != nil && host.stop == nil)
      let expected = number == 0x30 ? 0x10 : UInt8(number)
      if isForwarded { #expect(reached == [expected, 0x46]) }
      #expect(world.mediated.counters.allRefused == 0)
    } else {
      #expect(waits == nil && host.stop == .illegal)
      #expect(reached == [])
      #expect(world.mediated.counters.allRefused == 1)
      // The host goes on as the specification says: another command, and the error acknowledged.
      let consumed = host.read(0x9c) & 0xff
      host.put(Place.commands + consumed * 16, 0x46, 0)
      host.write(0x64, host.read(0x60))
      let next = host.wait(reads: 10)
      #expect(next == 1)
      #expect(host.stop == nil)
    }
    #expect(world.complaints == [])
  }

  @Test(
    "A command of a Secure stream is illegal, as on bare hardware, whichever streams it speaks of",
    arguments: [
      (0x01, 0), (0x02, 0), (0x03, 1), (0x04, 0), (0x04, 9), (0x04, 30), (0x04, 31), (0x05, 1),
      (0x06, 0),
    ] as [(UInt64, UInt64)])
  func secureStreams(number: UInt64, word1: UInt64) throws {
    for isMediated in [false, true] {
      let world = try NestedWorld(isMediated: isMediated)
      let host = HostSMMUDriver(world)
      host.start()
      host.post((number | 1 << 10 | 5 << 32, word1), (0x46, 0))
      let waits = host.wait(reads: 10)
      #expect(waits == nil && host.stop == .illegal, "mediated: \(isMediated)")
      guard isMediated else { continue }
      let refused = world.mediated.counters.count(.secureStream)
      #expect(refused == 1)
      #expect(world.complaints == [])
    }
  }

  @Test("Every bit of a permitted command may be set, and the hardware finds nothing illegal")
  func everyBit() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    host.attach(5)
    for number: UInt64 in [0x01, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x30, 0x46] {
      for bit: UInt64 in 8..<128 {
        let command: (UInt64, UInt64) =
          bit < 64 ? (number | 1 << bit, 0) : (number, 1 << (bit - 64))
        host.post(command)
        if host.wait(reads: 50) == nil {
          #expect(host.stop == .illegal)
          let consumed = host.read(0x9c) & 0xff
          host.put(Place.commands + consumed * 16, 0x46, 0)
          host.write(0x64, host.read(0x60))
          host.wait(reads: 50)
        }
      }
    }
    #expect(host.stop == nil)
    let isBroken = world.mediated.isBroken
    #expect(!isBroken)
    // EL2's own queue never stopped.
    let error = world.smmu.read(.word, at: 0x60)
    #expect(error == 0)
    #expect(world.complaints == [])
  }

  @Test("What is written behind the copy that was checked does not count")
  func timeOfCheck() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    var loads: [UInt64: Int] = [:]
    world.onHypervisorLoad = { address in
      loads[address, default: 0] += 1
      // As soon as a word was read, it is something else.
      if NestedWorld.hypervisor.contains(address) { return }
      world.smmu.memory.store(.double, 0b1101 | NestedWorld.canary.lowerBound, at: address)
    }
    host.setEntry(5, 0b1011 | Place.context, HostSMMUDriver.attributes)
    world.onHypervisorLoad = nil
    let again = loads.filter { !NestedWorld.hypervisor.contains($0.key) && $0.value > 1 }
    #expect(again.isEmpty)
    #expect(world.smmu.read(5, 8) == .completed(0))
    #expect(world.smmu.read(5, NestedWorld.canary.lowerBound) == .aborted)
    #expect(world.complaints == [])
  }

  @Test("A stream table in a page that the host has given up is not read any more")
  func givenUp() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    host.attach(5)
    #expect(world.smmu.read(5, 8) == .completed(0))
    #expect(world.donate(Place.streams))
    host.send((0x03 | 5 << 32, 1), (0x46, 0))
    #expect(world.smmu.read(5, 8) == .aborted)
    #expect(world.mediated.counters.count(.unreadableEntry) == 1)
    #expect(world.complaints == [])
  }

  @Test("Streams that may reach nothing stay so, whatever the host says")
  func notPermitted() throws {
    let world = try NestedWorld(streams: [StreamID(0)...StreamID(7), StreamID(255)...StreamID(255)])
    let host = HostSMMUDriver(world)
    host.start()
    host.setEntry(7, 0b1001, 1 << 44)
    host.setEntry(8, 0b1001, 1 << 44)
    #expect(world.smmu.read(7, Place.data) == .completed(0))
    #expect(world.smmu.read(8, Place.data) == .aborted)
    let refused = world.mediated.counters.count(.notPermitted)
    #expect(refused == 1)
    #expect(world.complaints == [])
  }

  @Test("A table that aborts all streams, as a host may begin with, is no attack")
  func abortingTable() throws {
    let world = try NestedWorld(streams: [StreamID(0)...StreamID(7), StreamID(255)...StreamID(255)])
    let host = HostSMMUDriver(world)
    // A reserved Config aborts, too.
    for stream: UInt64 in 0..<256 {
      host.setEntry(stream, stream.isMultiple(of: 2) ? 0b0001 : 0b0101, invalidates: false)
    }
    host.start()
    host.send((0x04, 31), (0x46, 0))
    for stream: UInt32 in [0, 7, 8, 9, 254, 255] {
      #expect(world.smmu.read(stream, Place.data) == .aborted)
    }
    #expect(EntryTests.hardware(world, 7)?.configuration == .abort)
    #expect(EntryTests.hardware(world, 8) == nil)
    #expect(world.mediated.counters.allRefused == 0)
    #expect(world.complaints == [])
  }

  @Test("With its memory used up a stream is refused, and others go on")
  func outOfMemory() throws {
    // Queues, events of the host, first levels, the page by which all pass, and one table of 64.
    let world = try NestedWorld(arenaSize: 10 << 12)
    let host = HostSMMUDriver(world)
    host.start(log2: 10)
    for stream: UInt64 in stride(from: 0, to: 1024, by: 64) {
      host.setEntry(stream, 0b1001, 1 << 44)
    }
    let refused = world.mediated.counters.count(.outOfMemory)
    #expect(refused > 0)
    #expect(world.smmu.read(0, Place.data) == .completed(0))
    #expect(world.smmu.read(960, Place.data) == .aborted)
    // Off and on again, all of it is there.
    host.control(0b1100)
    for stream: UInt64 in stride(from: 0, to: 960, by: 64) {
      host.setEntry(stream, 0, invalidates: false)
    }
    host.control(0b1101)
    #expect(world.smmu.read(960, Place.data) == .completed(0))
    #expect(world.complaints == [])
  }

  @Test("Hardware that does not get on is given nothing more, and the host is told")
  func brokenHardware() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    let before = host.read(0x9c)
    world.smmu.hang(after: 0)
    world.seams.patience = 20
    host.post((0x10, 0), (0x46, 0))
    let waits = host.wait(reads: 100)
    #expect(waits == nil)
    let after = host.read(0x9c)
    #expect(before == after)
    let isBroken = world.mediated.isBroken
    #expect(isBroken)
    let errors = host.read(0x60) ^ host.read(0x64)
    #expect(errors == 1 << 8)
    // SMMUEN is acknowledged no more.
    host.control(0b1100)
    host.control(0b1101)
    #expect(host.read(0x24) == 0b1100)
    // Donations fail then, too: nobody can say what devices reach.
    #expect(!world.donate(Place.data))
  }

  @Test("A CMD_SYNC is complete whatever becomes of what is behind it")
  func completeSync() throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    world.smmu.failCommand(after: 2, .illegal)
    let before = host.read(0x98)
    host.post((0x10, 0), (0x46, 0), (0x30, 0), (0x46, 0))
    let waits = host.wait(reads: 100)
    #expect(waits == nil)
    #expect(host.read(0x9c) == before + 2)
    let errors = host.read(0x60) ^ host.read(0x64)
    #expect(errors == 1 << 8)
  }
}
