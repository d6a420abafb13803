// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITSWorld
import Testing
import Traps

@testable import ITS
@testable import SimulatedITS

/// A trusted host with a live ITS, about to hand it over.
private final class Handover {
  let world: World
  let driver: HostDriver
  let descriptor: UInt64 = 0x4a00_0000
  let staging: UInt64 = 0x4a10_0000
  private let devices: [UInt32] = [1, 2, 5]

  init(_ variant: Variant = Variant(isIndirect: false), arenaPages: UInt64 = 1024) throws {
    var options = variant.options
    options.isHandover = true
    options.arenaPages = arenaPages
    world = try World(options)
    world.enableLPIs()
    driver = HostDriver(world)
    driver.isIndirect = variant.isIndirect
    driver.pageSize = variant.pageSize ?? .kib4
    driver.start()
    driver.mapCollections()
    for device in devices { driver.mapDevice(device, events: 2, interrupt: 8192 + device * 8) }
    world.gic.memory.cleanAll()
    describe()
  }

  func set(_ word: UInt64, _ value: UInt64) {
    world.store(.double, value, at: descriptor + word * 8)
  }

  private func describe() {
    set(0, 1)
    set(1, world.service().base)
    set(2, driver.read(0x80) ?? 0)
    set(3, staging)
    set(4, UInt64(devices.count))
    set(5, UInt64(world.options.processors))
    for number in 0..<8 as Range<UInt64> { set(8 + number, driver.read(0x100 + number * 8) ?? 0) }
    set(16, 0x4a20_0000)
    set(17, 0x4a30_0000)
    for (index, device) in devices.enumerated() {
      set(24 + UInt64(index) * 2, UInt64(device) | 5 << 32)
      set(25 + UInt64(index) * 2, driver.table(device))
    }
    for processor in 0..<world.options.processors {
      set(
        24 + UInt64(devices.count) * 2 + UInt64(processor),
        UInt64(processor) | driver.target(processor) << 16)
    }
  }

  /// Everything that must be as before where a handover fails: hardware, and who has which page.
  func state() -> (SimulatedITS.State, [Bool]) {
    (
      world.service().state,
      [driver.queue, driver.devices, driver.collections, driver.table(1), descriptor, staging]
        .map(world.hostReaches)
    )
  }

  /// Tries, and expects the error and nothing else.
  func expectRefused(
    _ error: HandoverError, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let before = state()
    #expect(failure == error, sourceLocation: sourceLocation)
    let after = state()
    #expect(after.0 == before.0 && after.1 == before.1, sourceLocation: sourceLocation)
    #expect(world.handedOver.isEmpty && world.pinned[0].isEmpty, sourceLocation: sourceLocation)
    #expect(world.service().message(device: 1, event: 1) == nil, sourceLocation: sourceLocation)
    #expect(world.violations == [], sourceLocation: sourceLocation)
  }

  var failure: HandoverError? {
    do throws(HandoverError) {
      try world.handOver(descriptor: descriptor)
      return nil
    } catch {
      return error
    }
  }
}

@Suite("Handover of a live ITS") struct HandoverTests {
  static let variants =
    Variant.all.filter { $0.version == .gicv3 && $0.isCoherent } + Variant.pageSizes

  @Test(
    "B-29 B-32 Interrupts go on, the queue goes on where it was, and new devices are mapped",
    arguments: variants)
  func live(_ variant: Variant) throws {
    let handover = try Handover(variant)
    let (world, driver) = (handover.world, handover.driver)
    let enabled = world.service().completedCommands
    #expect(handover.failure == nil)
    #expect(world.service().completedCommands == enabled)
    #expect(world.checkInvariant() == nil)
    driver.queueBase = handover.staging
    #expect(driver.isDone)
    #expect(driver.read(0x88) == driver.writeOffset)
    #expect(GITSCommandBase(rawValue: driver.read(0x80) ?? 0).base == handover.staging)
    #expect(world.service().message(device: 5, event: 1) == nil)
    #expect(world.taken(by: 0) == [8233])
    driver.post(.event(.int, 2, 0), .sync(target: driver.target(0)))
    driver.post(.mapd(7, table: driver.table(7), eventIDBits: 5))
    driver.post(
      .mapti(7, 3, interrupt: 8300, collectionID: 1), .event(.int, 7, 3),
      .unmapd(1), .sync(target: driver.target(0)))
    driver.ring()
    #expect(driver.isDone)
    #expect(world.taken(by: 0) == [8233, 8208])
    #expect(world.taken(by: 1) == [8300])
    #expect(world.its.counters.allRefused == 0)
    #expect(world.checkInvariant() == nil)
    // What was the host's is EL2's for good.
    for address in [driver.base, driver.devices, driver.collections, driver.table(1)] {
      #expect(!world.hostReaches(address))
    }
    driver.post(Array(repeating: .sync(target: driver.target(1)), count: 100))
    #expect(driver.isDone)
    #expect(world.checkInvariant() == nil)
  }

  @Test(
    "B-15 What the hardware tells is compared: the register that differs is named",
    arguments: [2, 8, 9, 10, 15] as [UInt64])
  func mismatch(_ word: UInt64) throws {
    let handover = try Handover()
    handover.set(
      word, (handover.world.load(.double, at: handover.descriptor + word * 8) ?? 0) ^ 0x1000)
    handover.expectRefused(.mismatch(offset: word == 2 ? 0x80 : 0x100 + (word - 8) * 8))
  }

  @Test(
    "B-27 A descriptor that is malformed, or counts too much, is refused",
    arguments: [0, 1, 4, 5, 6, 7] as [UInt64])
  func malformed(_ word: UInt64) throws {
    let handover = try Handover()
    handover.set(word, .max)
    handover.expectRefused(.malformed)
    if word == 4 || word == 5 {
      handover.set(word, 0x1ff0)
      handover.expectRefused(.malformed)
    }
  }

  @Test(
    "A descriptor that can't be read is refused",
    arguments: [0x4a00_0008, 0x808_0000, 0x100_0000_0000, canary] as [UInt64])
  func unreadable(_ address: UInt64) throws {
    let handover = try Handover()
    #expect(throws: HandoverError.unreadable(PhysicalAddress(address))) {
      try handover.world.handOver(descriptor: address)
    }
  }

  @Test("B-17 An ITS that is off is not handed over; one that is busy must drain first")
  func notReady() throws {
    let handover = try Handover()
    let service = handover.world.service()
    service.pace = .manual
    handover.driver.post(.sync(target: 0))
    #expect(handover.failure == .busy)
    service.stall(after: 0)
    service.run()
    #expect(handover.failure == .busy)
    handover.driver.ring(isRetry: true)
    service.run()
    handover.driver.disable()
    #expect(handover.failure == .notEnabled)
    #expect(handover.world.handedOver.isEmpty)
  }

  @Test(
    "Devices that can't be are refused",
    arguments: [
      1 | 0 << 32, 1 | 17 << 32, 0x1_0000 | 5 << 32, 0xffff_ffff | 5 << 32, 2 | 5 << 32, 1 << 63,
    ] as [UInt64])
  func devices(_ head: UInt64) throws {
    let handover = try Handover()
    handover.set(24, head)
    // The second is named twice, and is the one at fault.
    handover.expectRefused(.device(UInt32(truncatingIfNeeded: head)))
  }

  @Test(
    "B-56 B-70 The table of a device that is EL2's, the queue's, or not aligned",
    arguments: [canary, 0x4100_0000, 0x4180_1080, 1 << 52, 0x0f_ffff_ffff_ff00] as [UInt64])
  func deviceTables(_ address: UInt64) throws {
    let handover = try Handover()
    handover.set(25, address)
    let isPage = address == canary || address == 0x4100_0000
    handover.expectRefused(
      isPage ? .ownership(OwnershipErrorCode(page: PhysicalAddress(address))) : .device(1))
  }

  @Test(
    "Collections that can't be are refused", arguments: [0xffff, 0 | 9 << 16, 1 << 52] as [UInt64])
  func collections(_ word: UInt64) throws {
    let handover = try Handover()
    handover.set(30, word)
    handover.expectRefused(.collection(UInt16(truncatingIfNeeded: word)))
  }

  @Test("B-54 A first level with reserved bits, or not aligned to its page, is refused")
  func firstLevel() throws {
    for value in [1 << 63 | 0x4130_0008, 1 << 63 | 1 << 62, 1 << 63 | 0x4130_1000] as [UInt64] {
      let handover = try Handover(Variant(pageSize: .kib64))
      handover.world.store(.double, value, at: handover.driver.devices + 64)
      handover.world.gic.memory.publish()
      handover.expectRefused(.firstLevelEntry(PhysicalAddress(handover.driver.devices + 64)))
    }
  }

  @Test(
    "A staging queue that is not the host's is refused",
    arguments: [canary, 0x4100_0000, 0x4a00_0800, 1 << 52] as [UInt64])
  func stagingQueue(_ address: UInt64) throws {
    let handover = try Handover()
    handover.set(3, address)
    handover.expectRefused(
      address & 0xfff != 0 || address >> 40 != 0
        ? .malformed : .ownership(OwnershipErrorCode(page: PhysicalAddress(address))))
  }

  @Test(
    "B-20 B-24 B-31 Each claim, and each access to a register, fails once: all is given back, and it works the next time"
  )
  func everyFault() throws {
    let handover = try Handover()
    var count = 0
    var failing = -1
    handover.world.refusesShare = {
      count += 1
      return count - 1 == failing
    }
    handover.world.aborts = { _, _, _ in
      count += 1
      return count - 1 == failing
    }
    var refusals = 0
    for candidate in 0..<100 {
      (count, failing) = (0, candidate)
      let before = handover.state()
      guard let error = handover.failure else { break }
      refusals += 1
      switch error {
      case .silent, .ownership, .unreadable: break
      default: Issue.record("\(candidate): \(error)")
      }
      let after = handover.state()
      #expect(after.0 == before.0 && after.1 == before.1)
      #expect(handover.world.handedOver.isEmpty && handover.world.pinned[0].isEmpty)
    }
    #expect(refusals >= 19)
    #expect(handover.world.mediations.count == 1)
    #expect(handover.world.checkInvariant() == nil)
  }

  @Test("Every size of the arena: whole, or refused", arguments: [1, 10, 17, 26, 40] as [UInt64])
  func arenaSizes(_ pages: UInt64) throws {
    let handover = try Handover(arenaPages: pages)
    if pages < 40 {
      handover.expectRefused(.outOfMemory)
    } else {
      #expect(handover.failure == .outOfMemory || handover.world.checkInvariant() == nil)
    }
  }

  @Test("Every error has an answer of its own")
  func codes() {
    let codes: [Int64] = [
      HandoverError.unreadable(PhysicalAddress(0)), .malformed, .silent(offset: 0), .notEnabled,
      .busy,
      .mismatch(offset: 0), .queueSize, .table(index: 0), .firstLevelEntry(PhysicalAddress(0)),
      .device(0), .collection(0), .ownership(OwnershipErrorCode(page: PhysicalAddress(0))),
      .outOfMemory, .tooManyRedistributors,
    ].map(\.code)
    #expect(codes == (16...29).map { -$0 })
  }

  @Test("A queue whose size is no power of two, and a second table of devices, are refused")
  func strangeHardware() throws {
    var options = Variant(isIndirect: false).options
    options.isHandover = true
    options.services[0].tables.append(.init(.devices))
    let world = try World(options)
    let driver = HostDriver(world)
    driver.queuePages = 3
    driver.start()
    world.store(.double, 1, at: 0x4a00_0000)
    world.store(.double, world.service().base, at: 0x4a00_0008)
    world.store(.double, driver.read(0x80) ?? 0, at: 0x4a00_0010)
    #expect(throws: HandoverError.queueSize) { try world.handOver(descriptor: 0x4a00_0000) }
    driver.disable()
    driver.queuePages = 4
    driver.installQueue()
    driver.write(
      0x110,
      GITSTableBase(
        base: driver.vpes, pages: 1, pageSize: .kib4, isIndirect: false, attributes: 0
      ).rawValue)
    driver.write(0, 1, .word)
    for (word, offset) in [(2, 0x80), (8, 0x100), (9, 0x108), (10, 0x110)] as [(UInt64, UInt64)] {
      world.store(.double, driver.read(offset) ?? 0, at: 0x4a00_0000 + word * 8)
    }
    #expect(throws: HandoverError.table(index: 2)) { try world.handOver(descriptor: 0x4a00_0000) }
  }
}
