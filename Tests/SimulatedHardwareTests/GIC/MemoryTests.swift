// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Testing

@Suite("Memory, caches and the record of accesses")
struct MemoryTests {
  @Test("A store is seen by CPUs and coherent devices at once, by others once it is cleaned")
  func coherence() {
    let memory = PhysicalMemory()
    memory.store(.double, 0x1122_3344_5566_7788, at: 0x1038)
    #expect(memory.load(.byte, at: 0x103f) == 0x11)
    #expect(memory.load(.word, at: 0x1038, by: .coherentDevice) == 0x5566_7788)
    #expect(memory.load(.double, at: 0x1038, by: .nonCoherentDevice) == 0)
    #expect(memory.isDirty(0x1000) && !memory.isDirty(0x1040))
    memory.clean(0x1040, size: 64)
    #expect(memory.load(.double, at: 0x1038, by: .nonCoherentDevice) == 0)
    memory.clean(0x103f, size: 1)
    #expect(memory.load(.double, at: 0x1038, by: .nonCoherentDevice) == 0x1122_3344_5566_7788)
    #expect(!memory.isDirty(0x1000))
  }

  @Test("Cleaning a range takes every line it touches, across pages, and no other")
  func lines() {
    let memory = PhysicalMemory()
    let addresses: [UInt64] = [0xf80, 0xfc0, 0x1000, 0x1fc0, 0x2000, 0x2040]
    for address in addresses { memory.store(.byte, 1, at: address) }
    memory.clean(0xfff, size: 0x1002)
    #expect(addresses.map { memory.isDirty($0) } == [true, false, false, false, false, true])
    memory.cleanAll()
    #expect(!addresses.contains { memory.isDirty($0) })
    #expect(memory.load(.byte, at: 0x2040, by: .nonCoherentDevice) == 1)
  }

  @Test("A dirty line that is written back late overwrites what a non-coherent device wrote")
  func lateWriteBack() {
    let memory = PhysicalMemory()
    memory.store(.double, 1, at: 0x1000)
    memory.store(.double, 2, at: 0x1008, by: .nonCoherentDevice)
    #expect(memory.load(.double, at: 0x1008) == 0)
    memory.cleanAll()
    #expect(memory.load(.double, at: 0x1008, by: .nonCoherentDevice) == 0)
    memory.store(.double, 3, at: 0x1000)
    memory.invalidate(0x1000, size: 8)
    #expect(memory.load(.double, at: 0x1000) == 1)
  }

  @Test("A coherent device writes into a dirty line, and a later clean keeps what it wrote")
  func coherentWrite() {
    let memory = PhysicalMemory()
    memory.store(.double, 1, at: 0x1000)
    memory.store(.double, 2, at: 0x1008, by: .coherentDevice)
    memory.clean(0x1000, size: 16)
    #expect(memory.load(.double, at: 0x1008, by: .nonCoherentDevice) == 2)
  }

  @Test("A CPU that keeps what it has loaded sees that until the line is cleaned or invalidated")
  func keptLines() {
    let memory = PhysicalMemory(keepsLoads: true)
    #expect(memory.load(.double, at: 0x1000) == 0 && !memory.isStale(0x1008))
    memory.store(.double, 7, at: 0x1008, by: .nonCoherentDevice)
    #expect(memory.load(.double, at: 0x1008) == 0 && memory.isStale(0x1008))
    #expect(memory.load(.double, at: 0x1008, by: .coherentDevice) == 0)
    #expect(memory.load(.double, at: 0x1008, by: .nonCoherentDevice) == 7)
    memory.clean(0x1000, size: 8)
    #expect(memory.load(.double, at: 0x1008) == 7 && !memory.isStale(0x1008))
    // A device that looks into caches leaves nothing that is stale.
    memory.store(.double, 8, at: 0x1010, by: .coherentDevice)
    #expect(memory.load(.double, at: 0x1010) == 8)
    // A store into a line that is stale makes all of it newer than memory.
    memory.store(.double, 9, at: 0x1008, by: .nonCoherentDevice)
    memory.store(.double, 1, at: 0x1000)
    memory.clean(0x1000, size: 8)
    #expect(memory.load(.double, at: 0x1008, by: .nonCoherentDevice) == 7)
  }

  @Test("Without a cache every store is in memory")
  func noCache() {
    let memory = PhysicalMemory(hasCache: false)
    memory.store(.half, 0xabcd, at: 6)
    #expect(memory.load(.double, at: 0, by: .nonCoherentDevice) == 0xabcd << 48)
    #expect(!memory.isDirty(6))
  }

  @Test(
    "A queue that isn't cleaned is read stale by a non-coherent ITS only", arguments: [true, false])
  func staleQueue(isCoherent: Bool) {
    var configuration = ITSConfiguration()
    configuration.isCoherent = isCoherent
    let driver = SmallITSDriver(configuration)
    driver.gic.memory.store(.double, 0x09, at: ITSPlace.queue)
    driver.gic.memory.store(.double, valid | 1 << 16, at: ITSPlace.queue + 16)
    driver.write(0x88, 32)
    #expect(driver.its.lastError == (isCoherent ? nil : .unknownCommand(0)))
    #expect(driver.its.completedCommands == (isCoherent ? 1 : 0))
  }

  @Test("With a store buffer, no device sees a store before a barrier or a clean")
  func storeBuffer() {
    let memory = PhysicalMemory(hasStoreBuffer: true)
    let gic = SimulatedGIC(memory: memory)
    memory.store(.double, 0x1111_1111_1111_1111, at: 0x1000)
    memory.store(.half, 0x2222, at: 0x1002)
    #expect(memory.load(.word, at: 0x1000) == 0x2222_1111)
    #expect(memory.load(.word, at: 0x1000, by: .coherentDevice) == 0)
    GICDeviceMemory(gic).orderAccesses()
    #expect(memory.load(.word, at: 0x1000, by: .coherentDevice) == 0x2222_1111)
    #expect(memory.load(.word, at: 0x1000, by: .nonCoherentDevice) == 0)
    memory.store(.byte, 3, at: 0x1000)
    memory.clean(0x1000, size: 8)
    #expect(memory.load(.word, at: 0x1000, by: .nonCoherentDevice) == 0x2222_1103)
  }

  @Test("What isn't zero is visited in order, and nothing outside the range")
  func nonzero() {
    let memory = PhysicalMemory()
    for address in [0xff8, 0x1000, 0x1ff8, 0x5000, 0x5008] as [UInt64] {
      memory.store(.double, address, at: address)
    }
    var visited: [UInt64] = []
    memory.forEachNonzero(in: 0x1000, size: 0x4008, by: .processor) { address, value in
      #expect(address == value)
      visited.append(address)
    }
    #expect(visited == [0x1000, 0x1ff8, 0x5000])
    memory.forEachNonzero(in: 0x1000, size: 0x4008, by: .nonCoherentDevice) { _, _ in
      Issue.record("nothing has been cleaned")
    }
  }

  @Test("Attributes that are Non-cacheable make a coherent ITS see memory alone")
  func attributes() {
    let driver = SmallITSDriver(attributes: MemoryAttributes.nonCacheable)
    driver.gic.memory.store(.double, 0x09, at: ITSPlace.queue)
    driver.write(0x88, 32)
    #expect(driver.its.lastError == .unknownCommand(0))
  }

  @Test("Zeroes that aren't cleaned leave a forged entry to a non-coherent ITS")
  func staleZeroes() {
    var configuration = ITSConfiguration()
    configuration.isCoherent = false
    let driver = SmallITSDriver(configuration)
    let forged = TableEntry.device(table: ITSPlace.canary, eventIDBits: 5)
    driver.gic.memory.store(.double, forged.word0, at: ITSPlace.devices + 8)
    driver.gic.memory.clean(ITSPlace.devices + 8, size: 8)
    driver.gic.memory.zero(ITSPlace.devices, size: 0x1000)
    #expect(driver.its.reachable.contains { $0.base == ITSPlace.canary })
    driver.gic.memory.clean(ITSPlace.devices, size: 0x1000)
    #expect(!driver.its.reachable.contains { $0.base == ITSPlace.canary })
  }

  @Test("The record names every access of a command, in order, before it is made")
  func record() {
    let driver = SmallITSDriver()
    driver.post(.mapc(0, target: 0), .mapd(3, table: driver.table(3), eventIDBits: 5))
    driver.gic.recordsAccesses = true
    var before: [UInt64] = []
    driver.gic.onAccess = { access in
      guard access.range.isWritten else { return }
      before.append(driver.gic.memory.load(.double, at: access.range.base & ~7))
    }
    driver.post(.mapti(3, 2, interrupt: 8200, collectionID: 0))
    driver.gic.onAccess = nil
    let queue = (0..<4).map { ITSPlace.queue + 64 + $0 * 8 }
    #expect(
      driver.gic.accesses.map(\.range) == queue.map {
        MemoryReach(use: .queue, base: $0, size: 8, isWritten: false)
      } + [
        MemoryReach(
          use: .table(.devices), base: ITSPlace.devices + 24, size: 8, isWritten: false),
        MemoryReach(
          use: .translationTable, base: driver.table(3) + 24, size: 12, isWritten: true),
      ])
    #expect(before == [0])
    #expect(driver.gic.accesses.allSatisfy { $0.service == 0 })
  }

  @Test("An interrupt touches the tables of its Redistributor, and those alone")
  func interrupt() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    driver.gic.recordsAccesses = true
    driver.its.message(device: 3, event: 0)
    let writes = driver.gic.accesses.map(\.range).filter(\.isWritten)
    #expect(Set(writes.map(\.use)) == [.pendingTable])
    #expect(Set(writes.map(\.base)) == [driver.pendingTable(0) + 8200 / 8])
    let reach = driver.gic.redistributors[0].reachable
    #expect(reach.map(\.size) == [0x2000, 0xe000])
    #expect(writes.allSatisfy { write in reach.contains { $0.contains(write.base) } })
  }

  @Test("A forged interrupt number is ignored, or where hardware doesn't check, is written past")
  func pendingRange() {
    for checks in [true, false] {
      var configuration = ITSConfiguration()
      configuration.checksPendingRange = checks
      let driver = SmallITSDriver(configuration)
      driver.mapDevice()
      let forged = TranslationEntry.physical(0x10_0000, collection: 0)
      driver.gic.memory.store(.word, forged.word, at: driver.table(3))
      driver.gic.memory.store(.word, forged.word >> 32, at: driver.table(3) + 4)
      // Configured as enabled where the forged number is looked up, so that a pending bit would go.
      driver.its.message(device: 3, event: 0)
      #expect(driver.word(driver.pendingTable(0) + 0x2_0000) == (checks ? 0 : 1))
    }
  }

  @Test("Every access of a busy life lies in what was reachable before it")
  func containment() {
    var configuration = ITSConfiguration()
    configuration.entryCache = .writeThrough
    let driver = SmallITSDriver(configuration, isIndirect: true)
    driver.gic.memory.store(.double, valid | ITSPlace.secondLevel, at: ITSPlace.devices)
    driver.gic.memory.clean(ITSPlace.devices, size: 8)
    driver.its.pace = .manual
    var commands: [ITSCommand] = [.mapc(0, target: 0), .mapc(1, target: 1)]
    for device in 0..<8 as Range<UInt32> {
      commands.append(.mapd(device, table: driver.table(device), eventIDBits: 5))
      commands.append(.mapti(device, 1, interrupt: 8192 + device, collectionID: 0))
      commands.append(.event(.int, device, 1))
      commands.append(.movi(device, 1, collectionID: 1))
      commands.append(.unmapd(device))
    }
    driver.post(commands)
    driver.gic.recordsAccesses = true
    var outside = 0
    while !driver.its.isIdle {
      driver.gic.accesses = []
      var reach = driver.its.reachable
      for redistributor in driver.gic.redistributors { reach += redistributor.reachable }
      driver.its.step()
      for access in driver.gic.accesses
      where !reach.contains(where: {
        $0.contains(access.range.base) && $0.contains(access.range.base + access.range.size - 1)
          && ($0.isWritten || !access.range.isWritten)
      }) {
        outside += 1
      }
    }
    #expect(outside == 0)
    #expect(driver.its.completedCommands == UInt64(commands.count))
  }

  @Test("Going back to a kept state and running again leads to the same state")
  func snapshot() {
    let driver = SmallITSDriver()
    driver.its.pace = .manual
    driver.mapDevice()
    driver.its.run(limit: 2)
    let kept = driver.gic.state
    driver.its.run()
    driver.its.message(device: 3, event: 0)
    let end = driver.gic.state
    #expect(end != kept && end.hashValue != kept.hashValue)
    driver.gic.state = kept
    #expect(driver.gic.delivered.isEmpty && driver.its.readPointer.offset == 64)
    driver.its.run()
    driver.its.message(device: 3, event: 0)
    #expect(driver.gic.state == end)
  }
}
