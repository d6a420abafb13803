// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Ownership
import Testing

@testable import ITS
@testable import SimulatedHardware

/// The descriptor of a handover as a host fills it in; by the C header, not by EL2's code.
struct Descriptor: Sendable {
  struct Device: Sendable {
    var id: UInt32
    var bits: UInt64
    var table: UInt64
  }

  var version: UInt64 = 1
  var controlFrame: UInt64 = 0
  var commandBase: UInt64 = 0
  var stagingQueue: UInt64 = 0
  /// Instead of the true counts.
  var deviceCount: UInt64?
  var collectionCount: UInt64?
  var zero: (UInt64, UInt64) = (0, 0)
  var tableBases = [UInt64](repeating: 0, count: 8)
  var stagedTables = [UInt64](repeating: 0, count: 8)
  var devices: [Device] = []
  /// ICID and RDbase of each.
  var collections: [UInt64] = []

  var words: [UInt64] {
    var words = [version, controlFrame, commandBase, stagingQueue]
    words.append(deviceCount ?? UInt64(devices.count))
    words.append(collectionCount ?? UInt64(collections.count))
    words += [zero.0, zero.1]
    words += tableBases
    words += stagedTables
    for device in devices {
      words.append(UInt64(device.id) | device.bits << 32)
      words.append(device.table)
    }
    return words + collections
  }
}

/// A trusted host with a live ITS, which it hands over.
final class HandoverHost {
  let world: ITSWorld
  let driver: HostDriver
  var descriptor = Descriptor()
  var descriptorPlace: UInt64

  /// The devices that are mapped before the handover, with four events each.
  var devices: [UInt32] = [1, 2, 3]
  static let bits: UInt64 = 5

  static func options(_ variant: Variant = Variant()) -> ITSWorldOptions {
    var options = variant.options
    options.isHandover = true
    return options
  }

  init(_ world: ITSWorld, _ index: Int = 0) {
    self.world = world
    driver = HostDriver(world, index)
    descriptorPlace = driver.base + 0xfa_0000
  }

  /// A host on a board of its own, with all that it describes.
  static func live(
    _ variant: Variant = Variant(), processors: Int = 2,
    hardware: (inout ITSConfiguration) -> Void = { _ in },
    _ change: (HostDriver) -> Void = { _ in }
  ) throws -> HandoverHost {
    var options = options(variant)
    options.processors = processors
    hardware(&options.services[0])
    let host = HandoverHost(try ITSWorld(options))
    host.driver.isIndirect = variant.isIndirect
    host.driver.pageSize = variant.pageSize ?? .kib4
    change(host.driver)
    host.start()
    host.describe()
    return host
  }

  var staging: UInt64 { driver.base + 0xe0_0000 }
  func stagedTable(_ index: UInt64) -> UInt64 { driver.base + 0xe8_0000 + index * 0x2_0000 }
  static func interrupt(_ device: UInt32, _ event: UInt32) -> UInt32 { 8192 + device * 8 + event }

  /// Programs the hardware, and has the devices signal.
  func start() {
    if !world.gic.redistributors[0].state.isEnabled { world.enableLPIs() }
    if driver.isIndirect { devices.append(600) }
    driver.disable()
    driver.installQueue()
    driver.installTables()
    // Virtual interrupts are not this host's business.
    if let register = driver.register(of: .vpes) { driver.write(0x100 + register * 8, 0) }
    driver.write(0, 1, .word)
    for device in devices { driver.prepare(device) }
    world.gic.memory.clean(driver.devices, size: 0x1_0000)
    driver.mapCollections()
    for device in devices {
      driver.mapDevice(
        device, bits: Self.bits, events: 4, interrupt: Self.interrupt(device, 0))
    }
  }

  /// Programs GITS_BASER<n> of the vPEs, as a host does that has not used it yet.
  func installTableOfVPEs(at base: UInt64) {
    guard let register = driver.register(of: .vpes) else { return }
    driver.disable()
    driver.write(
      0x100 + register * 8,
      GITSTableBase(
        base: base, pages: 1, pageSize: driver.pageSize, isIndirect: false,
        attributes: driver.attributes
      ).rawValue)
    driver.write(0, 1, .word)
  }

  /// Fills the descriptor in from what the host knows, and the hardware says.
  func describe() {
    descriptor.controlFrame = world.gic.services[driver.index].base
    descriptor.commandBase = driver.read(0x80) ?? 0
    descriptor.stagingQueue = staging
    for index in 0..<8 as Range<UInt64> {
      descriptor.tableBases[Int(index)] = driver.read(0x100 + index * 8) ?? 0
      let table = GITSTableBase(rawValue: descriptor.tableBases[Int(index)])
      descriptor.stagedTables[Int(index)] = table.isValid ? stagedTable(index) : 0
    }
    descriptor.devices = devices.map {
      Descriptor.Device(id: $0, bits: Self.bits, table: driver.table($0))
    }
    descriptor.collections = (0..<world.options.processors).map {
      UInt64($0) | driver.target($0) << 16
    }
  }

  /// Writes the descriptor where the host says that it is.
  func writeDescriptor() {
    for (index, word) in descriptor.words.enumerated() {
      world.store(.double, word, at: descriptorPlace & ~7 &+ UInt64(index) * 8)
    }
  }

  /// The call, and on success the change to the staging queue.
  func handOver(setup: ITSSetup? = nil) throws(HandoverError) {
    writeDescriptor()
    try world.handOver(driver.index, descriptor: descriptorPlace, setup: setup)
    driver.queueBase = descriptor.stagingQueue
  }

  /// Expects the call to fail with an error, and everything to be as before.
  func expectRefusal(
    _ expected: HandoverError?, setup: ITSSetup? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    writeDescriptor()
    let before = WorldSnapshot(world)
    // What the host has made of its own ITS may be odd already.
    let wrong = world.checkInvariant()
    do throws(HandoverError) {
      try world.handOver(driver.index, descriptor: descriptorPlace, setup: setup)
      Issue.record("the handover succeeds", sourceLocation: sourceLocation)
      driver.queueBase = descriptor.stagingQueue
    } catch {
      if let expected { #expect(error == expected, sourceLocation: sourceLocation) }
    }
    let after = WorldSnapshot(world)
    #expect(after.memory == before.memory, "memory", sourceLocation: sourceLocation)
    #expect(after.pages == before.pages, "ownership", sourceLocation: sourceLocation)
    #expect(after.service == before.service, "hardware", sourceLocation: sourceLocation)
    #expect(world.handedOver.isEmpty && world.pinned.allSatisfy { $0.value.isEmpty })
    #expect(world.checkInvariant() == wrong, sourceLocation: sourceLocation)
  }

  /// Expects every event of a device to arrive, by a command and as the device's own message.
  func expectInterrupts(
    of device: UInt32, processor: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for event in 0..<4 as Range<UInt32> {
      world.gic.delivered = []
      driver.post(.event(.int, device, event), .sync(target: driver.target(processor)))
      #expect(driver.isDone, sourceLocation: sourceLocation)
      #expect(
        world.service(driver.index).message(device: device, event: event) == nil,
        sourceLocation: sourceLocation)
      let interrupt = Self.interrupt(device, event)
      #expect(
        world.taken(by: processor) == [interrupt, interrupt], sourceLocation: sourceLocation)
    }
  }

  /// Expects a live ITS, whoever it belongs to.
  func expectWorking(sourceLocation: SourceLocation = #_sourceLocation) {
    for device in devices { expectInterrupts(of: device, sourceLocation: sourceLocation) }
    #expect(world.checkInvariant() == nil, sourceLocation: sourceLocation)
  }
}

/// All that a handover must leave alone where it fails.
struct WorldSnapshot {
  /// What a page is to the host and to EL2.
  struct Page: Equatable {
    let record: PageRecord
    let isHosts: Bool
    let isMappedAtEL2: Bool
  }

  /// The host's memory.
  let memory: [UInt64: PhysicalMemory.Page]
  let pages: [Page]
  let service: [SimulatedITS.State]

  init(_ world: ITSWorld) {
    world.gic.memory.publish()
    let own = ITSWorld.hypervisor
    memory = world.gic.memory.state.pages.filter { !own.contains(PageFrameNumber($0.key)) }
    let table = ProcessorMemory(world.gic.memory)
    // The 16 MiB of the first driver, and what lies around.
    pages = (0x40ff0..<0x42010 as Range<UInt64>).map { number in
      Page(
        record: world.ownership.pageRecord(of: PageFrameNumber(number)),
        isHosts: world.hostReaches(number << 12),
        isMappedAtEL2: world.ownership.hypervisor.lookup(
          VirtualAddress(1 << 40 + number << 12), in: table) != nil)
    }
    service = world.gic.services.map(\.state)
  }
}
