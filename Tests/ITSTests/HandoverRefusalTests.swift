// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Ownership
import Testing

@testable import ITS
@testable import SimulatedHardware

/// One handover that must fail, and how.
struct Refusal: Sendable, CustomTestStringConvertible {
  let testDescription: String
  var variant = Variant()
  /// Makes the host's call wrong; the error that follows.
  let spoil: @Sendable (HandoverHost) -> HandoverError

  init(
    _ name: String, _ variant: Variant = Variant(),
    spoil: @escaping @Sendable (HandoverHost) -> HandoverError
  ) {
    testDescription = name
    self.variant = variant
    self.spoil = spoil
  }

  private static func ownership(_ page: UInt64) -> HandoverError {
    .ownership(OwnershipErrorCode(page: PhysicalAddress(page)))
  }

  static let descriptors: [Refusal] = [
    Refusal("A descriptor that is not aligned to a page") {
      $0.descriptorPlace += 8
      return .unreadable(PhysicalAddress($0.descriptorPlace))
    },
    Refusal("A descriptor in EL2's memory") {
      $0.descriptorPlace = canary
      return .unreadable(PhysicalAddress(canary))
    },
    Refusal("A descriptor where there is no memory") {
      $0.descriptorPlace = 0x0900_0000
      return .unreadable(PhysicalAddress(0x0900_0000))
    },
    Refusal("A descriptor at the end of all addresses") {
      $0.descriptorPlace = ~0xfff
      return .unreadable(PhysicalAddress(~0xfff))
    },
    Refusal("A descriptor whose second page is EL2's") {
      $0.descriptorPlace = ITSWorld.hypervisor.first.address.rawValue - 0x1000
      $0.descriptor.deviceCount = 300
      return .unreadable(PhysicalAddress($0.descriptorPlace))
    },
    Refusal("Version 0") {
      $0.descriptor.version = 0
      return .malformed
    },
    Refusal("Version 2") {
      $0.descriptor.version = 2
      return .malformed
    },
    Refusal("A reserved word") {
      $0.descriptor.zero.0 = 1
      return .malformed
    },
    Refusal("The other reserved word") {
      $0.descriptor.zero.1 = 1 << 63
      return .malformed
    },
    Refusal("B-27 More devices than a descriptor holds") {
      $0.descriptor.deviceCount = 4085
      return .malformed
    },
    Refusal("B-27 A count of devices whose size wraps") {
      $0.descriptor.deviceCount = 1 << 60
      return .malformed
    },
    Refusal("B-27 More collections than a descriptor holds") {
      $0.descriptor.collectionCount = .max
      return .malformed
    },
    Refusal("The control frame of no ITS") {
      $0.descriptor.controlFrame += 0x1000
      return .malformed
    },
    Refusal("A staging queue that is not aligned") {
      $0.descriptor.stagingQueue += 0x800
      return .malformed
    },
    Refusal("A staging queue beyond all addresses") {
      $0.descriptor.stagingQueue = 1 << 56
      return .malformed
    },
    Refusal("A staging queue in EL2's memory") {
      $0.descriptor.stagingQueue = canary
      return ownership(canary)
    },
    Refusal("A staging queue that is the hardware's") {
      $0.descriptor.stagingQueue = $0.driver.queue
      return ownership($0.driver.queue)
    },
    Refusal("A staging queue in the table of devices") {
      $0.descriptor.stagingQueue = $0.driver.devices
      return ownership($0.driver.devices)
    },
  ]

  static let registers: [Refusal] = [
    Refusal("B-15 Another queue than the hardware's") {
      $0.descriptor.commandBase ^= 0x1000
      return .mismatch(offset: 0x80)
    },
    Refusal("B-15 A queue of another size") {
      $0.descriptor.commandBase += 1
      return .mismatch(offset: 0x80)
    },
    Refusal("B-15 A queue with other attributes") {
      $0.descriptor.commandBase ^= 1 << 59
      return .mismatch(offset: 0x80)
    },
    Refusal("B-15 A queue of which the hardware has none") {
      $0.driver.disable()
      $0.driver.write(0x80, 0)
      $0.driver.write(0, 1, .word)
      $0.descriptor.commandBase = 0
      return .mismatch(offset: 0x80)
    },
    Refusal("B-15 Another table of devices") {
      $0.descriptor.tableBases[0] ^= 0x10_0000
      return .mismatch(offset: 0x100)
    },
    Refusal("B-15 A table of collections of another size") {
      $0.descriptor.tableBases[1] += 1
      return .mismatch(offset: 0x108)
    },
    Refusal("B-15 A table that the hardware does not have") {
      $0.descriptor.tableBases[7] = 1 << 63
      return .mismatch(offset: 0x138)
    },
    Refusal("An ITS that is disabled") {
      $0.driver.disable()
      return .notEnabled
    },
    Refusal("A queue of three pages") {
      $0.driver.disable()
      $0.driver.queuePages = 3
      $0.driver.installQueue()
      $0.driver.write(0, 1, .word)
      $0.describe()
      return .queueSize
    },
    Refusal("No table of devices") {
      $0.driver.disable()
      $0.driver.write(0x100, 0)
      $0.driver.write(0, 1, .word)
      $0.describe()
      return .table(index: 8)
    },
    Refusal("B-32 Commands that the hardware has not read") {
      $0.world.service().pace = .manual
      $0.driver.post(.event(.int, 1, 0))
      return .busy
    },
    Refusal("B-32 A command at which the hardware has stalled") {
      $0.driver.post(.event(.int, 0x40, 0))
      return .busy
    },
    Refusal("B-32 A queue that is empty, and says that it has stalled") {
      $0.world.service().state.isStalled = true
      return .busy
    },
    Refusal("B-32 One command before the end of the queue") {
      let driver = $0.driver
      while driver.writeOffset + 32 != driver.queueSize { driver.post(.sync(target: 0)) }
      $0.world.service().pace = .manual
      driver.post(.sync(target: 0))
      return .busy
    },
  ]

  static let contents: [Refusal] = [
    Refusal("A first-level entry with a reserved bit") {
      $0.spoilFirstLevel(5, 1 << 63 | 1 << 60 | $0.spare)
    },
    Refusal("A first-level entry with a low bit") {
      $0.spoilFirstLevel(5, 1 << 63 | $0.spare | 4)
    },
    Refusal("A second-level page of 64 KiB that is not aligned", Variant(pageSize: .kib64)) {
      $0.spoilFirstLevel(5, 1 << 63 | $0.spare + 0x1000)
    },
    Refusal("A second-level page of 16 KiB that is not aligned", Variant(pageSize: .kib16)) {
      $0.spoilFirstLevel(0x7ff, 1 << 63 | $0.spare + 0x2000)
    },
    Refusal("A second-level page beyond the limit of addresses") {
      $0.spoilFirstLevel(511, 1 << 63 | 1 << 40)
    },
    Refusal("A second-level page that is EL2's") {
      _ = $0.spoilFirstLevel(5, 1 << 63 | canary)
      return ownership(canary)
    },
    Refusal("A second-level page that only begins in the host's memory", Variant(pageSize: .kib64))
    {
      // EL2's memory begins at a multiple of 64 KiB: what is below it was donated in parts.
      let page = $0.spare
      #expect($0.world.donate(page + 0xf000) != nil)
      _ = $0.spoilFirstLevel(5, 1 << 63 | page)
      return ownership(page)
    },
    Refusal("A second-level page where there is no memory") {
      _ = $0.spoilFirstLevel(5, 1 << 63 | 0x0808_0000)
      return ownership(0x0808_0000)
    },
    Refusal("A second-level page that is the first level") {
      _ = $0.spoilFirstLevel(5, 1 << 63 | $0.driver.devices)
      return ownership($0.driver.devices)
    },
    Refusal("A second-level page that is the queue") {
      _ = $0.spoilFirstLevel(5, 1 << 63 | $0.driver.queue)
      return ownership($0.driver.queue)
    },
    Refusal("Two entries with one second-level page") {
      _ = $0.spoilFirstLevel(5, 1 << 63 | $0.driver.secondLevel)
      return ownership($0.driver.secondLevel)
    },
    Refusal("A second-level page that is a device's translation table") {
      _ = $0.spoilFirstLevel(5, 1 << 63 | $0.driver.table(2))
      return ownership($0.driver.table(2))
    },
    Refusal("A translation table in the queue") {
      $0.descriptor.devices[1].table = $0.driver.queue + 0x100
      return ownership($0.driver.queue)
    },
    Refusal("A translation table in the table of collections") {
      $0.descriptor.devices[1].table = $0.driver.collections
      return ownership($0.driver.collections)
    },
    Refusal("A translation table that only begins in the host's memory") {
      $0.descriptor.devices[1].table = ITSWorld.hypervisor.first.address.rawValue - 0x100
      return ownership(ITSWorld.hypervisor.first.address.rawValue)
    },
    Refusal("A translation table that is the staging queue") {
      $0.descriptor.devices[1].table = $0.staging
      return ownership($0.staging)
    },
    Refusal("A device without events") {
      $0.descriptor.devices[1].bits = 0
      return .device(2)
    },
    Refusal("A device with more events than the ITS has") {
      $0.descriptor.devices[1].bits = 17
      return .device(2)
    },
    Refusal("A device with so many events that a shift wraps") {
      $0.descriptor.devices[1].bits = 64 + 5
      return .device(2)
    },
    Refusal("A translation table that is not aligned") {
      $0.descriptor.devices[1].table += 0x80
      return .device(2)
    },
    Refusal("A translation table beyond the limit of addresses") {
      $0.descriptor.devices[1].table = 1 << 40
      return .device(2)
    },
    Refusal("A translation table that ends beyond the limit of addresses") {
      $0.descriptor.devices[1].table = 1 << 40 - 0x100
      return .device(2)
    },
    Refusal("A device beyond the table") {
      $0.descriptor.devices[1].id = 0x1_0000
      return .device(0x1_0000)
    },
    Refusal("A device that is named twice") {
      $0.descriptor.devices.append($0.descriptor.devices[0])
      return .device(1)
    },
    Refusal("B-70 Two devices with one translation table") {
      $0.descriptor.devices[2].table = $0.descriptor.devices[0].table
      return .overlap(3)
    },
    Refusal("B-70 A translation table that begins in the last bytes of another") {
      // 2^5 events of 12 bytes: 384 bytes, of which the second 256 hold but half.
      $0.descriptor.devices[2].table = $0.descriptor.devices[1].table + 0x100
      return .overlap(3)
    },
    Refusal("B-70 A translation table that ends in the first bytes of another") {
      $0.descriptor.devices[2].table = $0.descriptor.devices[1].table - 0x100
      return .overlap(3)
    },
    Refusal("B-70 A small translation table in the last page of a large one") {
      // 2^9 events of 12 bytes are a page and a half.
      $0.descriptor.devices[0].table = $0.spare + 0x800
      $0.descriptor.devices[0].bits = 9
      $0.descriptor.devices[2].table = $0.spare + 0x1f00
      return .overlap(3)
    },
    Refusal("B-70 A large translation table around a small one") {
      $0.descriptor.devices[0].table = $0.spare + 0x1000
      $0.descriptor.devices[2].table = $0.spare + 0x800
      $0.descriptor.devices[2].bits = 9
      return .overlap(3)
    },
    Refusal("A collection beyond the table") {
      $0.descriptor.collections[1] = 0xffff
      return .collection(0xffff)
    },
    Refusal("A collection of a Redistributor that is none") {
      $0.descriptor.collections[1] = 1 | 7 << 16
      return .collection(1)
    },
    Refusal(
      "A collection of an address that is no Redistributor's", Variant(targetsAreAddresses: true)
    ) {
      $0.descriptor.collections[1] = 1 | canary
      return .collection(1)
    },
    Refusal("A collection with a reserved bit") {
      $0.descriptor.collections[1] |= 1 << 52
      return .collection(1)
    },
  ]
}

extension HandoverHost {
  /// Memory that nothing uses, a multiple of 64 KiB.
  var spare: UInt64 { driver.base + 0xd0_0000 }

  /// Writes an entry of the first level of the device table; the error that speaks of it.
  func spoilFirstLevel(_ index: UInt64, _ value: UInt64) -> HandoverError {
    let place = driver.devices + index * 8
    world.store(.double, value, at: place)
    world.gic.memory.clean(place, size: 8)
    return .firstLevelEntry(PhysicalAddress(place))
  }
}

@Suite("A handover that is refused leaves everything as it was") struct HandoverRefusalTests {
  @Test(
    "B-15 Nothing is taken on trust",
    arguments: Refusal.descriptors + Refusal.registers + Refusal.contents)
  func refusals(_ refusal: Refusal) throws {
    let host = try HandoverHost.live(refusal.variant)
    let (good, place, driver) = (host.descriptor, host.descriptorPlace, host.driver)
    let kept = WorldSnapshot(host.world)
    let expected = refusal.spoil(host)
    host.expectRefusal(expected)
    #expect(host.world.mediations.isEmpty)

    // What the host has spoilt in memory and hardware, it mends; then the ITS is handed over.
    let own = ITSWorld.hypervisor
    let pages = host.world.gic.memory.state.pages.filter { own.contains(PageFrameNumber($0.key)) }
    host.world.gic.memory.state.pages = pages.merging(kept.memory) { $1 }
    host.world.service().pace = .instant
    host.world.service().run()
    if case .notEnabled = expected { driver.write(0, 1, .word) }
    guard host.world.service().state.tableBases == kept.service[0].tableBases,
      host.world.service().state.commandBase == kept.service[0].commandBase,
      !host.world.service().state.isStalled
    else { return }
    host.expectWorking()
    host.descriptor = good
    host.descriptorPlace = place
    try host.handOver()
    host.expectWorking()
    host.world.expectSound()
  }

  @Test("Tables that overlap by what the hardware writes are refused, whatever GITS_TYPER says")
  func understatedEntries() throws {
    func host(_ implementer: UInt32) throws -> HandoverHost {
      let host = try HandoverHost.live(hardware: {
        $0.translationEntrySize = 16
        $0.saidTranslationEntrySize = 8
        $0.implementer = implementer
      })
      // 2^5 events of 8 bytes end where the next table begins, and of 16 in its middle.
      host.descriptor.devices[2].table = host.descriptor.devices[1].table + 0x100
      return host
    }
    try host(0x1070).expectRefusal(.overlap(3))
    // The same hardware, where nobody knows it.
    try host(0x1071).handOver()
  }

  @Test(
    "A queue of a page serves 122 Redistributors, and is refused with more", arguments: [122, 123])
  func fewSlots(processors: Int) throws {
    let host = try HandoverHost.live(processors: processors)
    guard processors == 122 else { return host.expectRefusal(.queueSize) }
    try host.handOver()
    host.expectWorking()
    host.world.expectSound()
  }

  @Test("B-14 B-20 B-24 Each claim that fails is unwound, however many came before")
  func claims() throws {
    let host = try HandoverHost.live()
    let world = host.world
    var count = 0
    var failing = 0
    world.refusesClaim = {
      count += 1
      return count == failing
    }
    // Queue, two tables, two second-level pages, and a page for each of four devices.
    for index in 1...9 {
      (count, failing) = (0, index)
      host.expectRefusal(nil)
      #expect(count == index)
      host.expectInterrupts(of: 1)
    }
    (count, failing) = (0, 0)
    try host.handOver()
    #expect(count == 9)
    host.expectWorking()
    world.expectSound()
  }

  @Test("B-24 Each sharing that fails is unwound")
  func shares() throws {
    let host = try HandoverHost.live()
    var count = 0
    var failing = 0
    host.world.refusesShare = {
      count += 1
      return count == failing
    }
    // The header, the rest of the descriptor, the staging queue.
    let place = PhysicalAddress(host.descriptorPlace)
    let errors: [HandoverError] = [
      .unreadable(place), .unreadable(place),
      .ownership(OwnershipErrorCode(page: PhysicalAddress(host.staging))),
    ]
    for (index, error) in errors.enumerated() {
      (count, failing) = (0, index + 1)
      host.expectRefusal(error)
      host.expectInterrupts(of: 1)
    }
    (count, failing) = (0, 0)
    try host.handOver()
    #expect(count == 3)
    host.expectWorking()
  }

  @Test("Each register that answers with an abort ends it, and none is ever written")
  func silence() throws {
    let host = try HandoverHost.live()
    let world = host.world
    var count = 0
    var failing = 0
    var last: UInt64 = 0
    world.aborts = { _, offset, isWrite in
      if isWrite { Issue.record("a write of \(hex(offset))") }
      count += 1
      last = offset
      return count == failing
    }
    // GITS_CTLR, GITS_TYPER, GITS_IIDR, the three of the queue, eight tables.
    for index in 1...14 {
      (count, failing) = (0, index)
      host.writeDescriptor()
      do throws(HandoverError) {
        try world.handOver(descriptor: host.descriptorPlace)
        Issue.record("the handover succeeds")
      } catch {
        #expect(error == .silent(offset: last))
      }
      (count, failing) = (0, index)
      host.expectRefusal(.silent(offset: last))
    }
    (count, failing) = (0, 0)
    try host.handOver()
    #expect(count == 14)
    world.aborts = nil
    host.expectWorking()
  }

  @Test("B-31 An arena that is too small is noticed before anything is claimed")
  func allocations() throws {
    let host = try HandoverHost.live()
    let whole = host.world.setup(0)
    var claims = 0
    host.world.refusesClaim = {
      claims += 1
      return false
    }
    var sizes = 0
    for pages in 1..<whole.arena.count {
      let setup = try host.setup(arenaPages: pages)
      do throws(HandoverError) {
        host.writeDescriptor()
        let before = claims
        // Where the arena is large enough, a claim of the queue is the first thing that happens.
        host.world.refusesClaim = {
          claims += 1
          return true
        }
        defer { claims = before }
        try host.world.handOver(descriptor: host.descriptorPlace, setup: setup)
      } catch {
        guard error == .outOfMemory else { break }
      }
      sizes += 1
      host.expectRefusal(.outOfMemory, setup: setup)
    }
    // The copy, the list, the queue's places, and five ledgers.
    #expect(sizes > 30 && sizes < 60)
    host.world.refusesClaim = nil
    try host.handOver()
    host.expectWorking()
    host.world.expectSound()
  }

  @Test("A device that the policy does not permit is not handed over; with it permitted it is")
  func unknownDevice() throws {
    let host = try HandoverHost.live()
    var listed = PermittedDevices.none
    var fits = true
    for device in host.devices where device != 2 { fits = listed.add(device...device) && fits }
    let whole = host.world.setup(host.driver.index)
    var policy = whole.policy
    policy.devices = listed
    host.expectRefusal(
      .device(2),
      setup: ITSSetup(
        frame: whole.frame, arena: whole.arena, addressLimit: whole.addressLimit,
        isNonCoherent: whole.isNonCoherent, policy: policy, cpus: whole.cpus))
    host.expectWorking()
    fits = policy.devices.add(2...2) && fits
    #expect(fits)
    host.writeDescriptor()
    try host.world.handOver(
      host.driver.index, descriptor: host.descriptorPlace,
      setup: ITSSetup(
        frame: whole.frame, arena: whole.arena, addressLimit: whole.addressLimit,
        isNonCoherent: whole.isNonCoherent, policy: policy, cpus: whole.cpus))
  }

  @Test("An arena that the ITS does not reach")
  func unreachableArena() throws {
    var options = HandoverHost.options()
    options.addressLimit = 0x5f00_0000
    let host = HandoverHost(try ITSWorld(options))
    host.driver.isIndirect = true
    host.start()
    host.describe()
    host.expectRefusal(.outOfMemory)
    host.expectWorking()
  }

  @Test("More Redistributors than there is room for")
  func targets() throws {
    let host = try HandoverHost.live()
    host.writeDescriptor()
    let before = WorldSnapshot(host.world)
    #expect(throws: HandoverError.tooManyRedistributors) {
      let its = try MediatedITS.handOver(
        host.world.setup(0), base: PhysicalAddress(0x808_0000),
        descriptor: PhysicalAddress(host.descriptorPlace), machine: ITSWorldMachine(host.world, 0)
      ) { _, _ in false }
      _ = its.isEnabled
    }
    #expect(WorldSnapshot(host.world).memory == before.memory)
    #expect(WorldSnapshot(host.world).pages == before.pages)
    host.expectWorking()
  }

  @Test("A second table of devices is refused")
  func twoTables() throws {
    var options = HandoverHost.options()
    options.services[0].tables.append(ITSConfiguration.TableRegister(.devices))
    let host = HandoverHost(try ITSWorld(options))
    let driver = host.driver
    driver.isIndirect = true
    host.start()
    driver.disable()
    driver.write(0x110, driver.read(0x100).map { $0 + 0x10_0000 } ?? 0)
    driver.write(0, 1, .word)
    host.describe()
    host.expectRefusal(.table(index: 2))
  }

  @Test("B-30 A table of vPEs that two ITSes share is refused with the second")
  func sharedTable() throws {
    var options = HandoverHost.options()
    options.services = [ITSConfiguration(.gicv41), ITSConfiguration(.gicv41)]
    let world = try ITSWorld(options)
    let hosts = [HandoverHost(world, 0), HandoverHost(world, 1)]
    let shared = hosts[0].driver.vpes
    for host in hosts {
      host.driver.isIndirect = true
      host.start()
      host.installTableOfVPEs(at: shared)
      host.describe()
    }
    try hosts[0].handOver()
    hosts[1].writeDescriptor()
    #expect(
      throws: HandoverError.ownership(OwnershipErrorCode(page: PhysicalAddress(shared)))
    ) { try world.handOver(1, descriptor: hosts[1].descriptorPlace) }
    #expect(world.handedOver[1] == nil)
    for host in hosts {
      for device in host.devices { host.expectInterrupts(of: device) }
    }
  }

  @Test("More ranges than the list holds: refused, and all given back")
  func manyPages() throws {
    let host = try HandoverHost.live()
    // A table of 2^16 events of 12 bytes is 192 pages; eleven of them are too many.
    for device in 0..<11 as Range<UInt32> {
      host.descriptor.devices.append(
        Descriptor.Device(
          id: 0x100 + device, bits: 16, table: 0x5000_0000 + UInt64(device) << 20))
    }
    host.expectRefusal(.outOfMemory)
    #expect(host.world.hostReaches(0x5000_0000))
    host.expectWorking()
  }

  @Test("More devices than the ledger holds: refused, and all given back")
  func manyDevices() throws {
    let host = try HandoverHost.live()
    for device in 0..<1600 as Range<UInt32> {
      host.descriptor.devices.append(
        Descriptor.Device(
          id: 0x400 + device, bits: 1, table: 0x5000_0000 + UInt64(device) << 8))
    }
    host.expectRefusal(nil)
    #expect(host.world.hostReaches(0x5000_0000))
    host.expectWorking()
  }
}

extension HandoverHost {
  /// The set-up of the world with a smaller arena.
  func setup(arenaPages: UInt64) throws -> ITSSetup {
    let whole = world.setup(driver.index)
    return ITSSetup(
      frame: whole.frame,
      arena: try #require(PageRange(first: whole.arena.first, count: arenaPages)),
      addressLimit: whole.addressLimit, isNonCoherent: whole.isNonCoherent, policy: whole.policy,
      cpus: whole.cpus)
  }
}
