// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import Simulation
import SimulatedHardware
import Testing

@Suite("The life of a board behind simulated SMMUs")
struct LifeTests {
  static let levels: [SMMUIDR3.BreakBeforeMake] = [.required, .level1, .level2]

  /// A board of SMMUs that do everything as late as they may.
  static func options(
    _ count: Int = 1, _ level: SMMUIDR3.BreakBeforeMake = .level2, hasRanges: Bool = true,
    hasTwoLevels: Bool = true
  ) -> SMMUWorldOptions {
    var options = SMMUWorldOptions()
    options.units = (0..<count).map { _ in
      var unit = SMMUConfiguration()
      unit.breakBeforeMake = level
      unit.hasRangeInvalidation = hasRanges
      unit.hasTwoLevelStreams = hasTwoLevels
      unit.streamIDBits = hasTwoLevels ? 16 : 8
      unit.invalidation = .atSync
      unit.commandsFetchedAhead = 2
      return unit
    }
    return options
  }

  static func started(_ options: SMMUWorldOptions) throws -> SMMUWorld {
    let world = try SMMUWorld(options)
    try world.start()
    return world
  }

  @Test(
    "Once they are taken over devices reach the host's memory, and nothing of EL2's",
    arguments: levels, [true, false])
  func takenOver(level: SMMUIDR3.BreakBeforeMake, hasTwoLevels: Bool) throws {
    for count in 1...3 {
      let world = try SMMUWorld(Self.options(count, level, hasTwoLevels: hasTwoLevels))
      world.setWord(0x40123, 42)
      let secret = SMMULayout.canary.first.rawValue
      world.setWord(secret, 7)
      for unit in 0..<count {
        // As the SMMUs are reset: everything passes.
        #expect(world.read(0x40123, unit: unit) == 42 && world.read(secret, unit: unit) == 7)
      }
      try world.start()
      #expect(world.phase == .following && world.driverPhase == .confining)
      for unit in 0..<count {
        #expect(world.read(0x40123, unit: unit) == 42)
        #expect(world.write(0x40124, 43, unit: unit) && world.word(0x40124) == 43)
        #expect(world.read(0x8001, unit: unit) == 0)
        for page in [secret, SMMULayout.hypervisor.first.rawValue, SMMULayout.frame(unit) >> 12] {
          #expect(world.read(page, unit: unit) == nil && !world.write(page, 1, unit: unit))
        }
      }
      #expect(world.word(secret) == 7)
      #expect(world.check() == nil)
    }
  }

  @Test("An SMMU that takes its time is waited for")
  func slow() throws {
    var options = Self.options(2)
    for unit in options.units.indices { options.units[unit].stepsToAcknowledge = 5 }
    let world = try SMMUWorld(options)
    for unit in world.units { unit.pace = .steps(1) }
    try world.start()
    let held = try world.donate([pages(0x40200, 3)])
    #expect(world.read(0x40201) == nil && world.check() == nil)
    try world.giveBack(held)
    #expect(world.read(0x40201) == 0 && world.check() == nil)
  }

  @Test("Claimed pages are out of reach, with a fault; shared, lent and given back ones are not")
  func states() throws {
    let world = try Self.started(Self.options())
    world.setWord(0x40201, 42)
    #expect(world.read(0x40201, stream: 0x18) == 42)

    let held = try world.donate([pages(0x40200, 3), pages(0x40400, 0x200)])
    world.setWord(0x40201, 99)
    for page: UInt64 in [0x40200, 0x40202, 0x40400, 0x405ff] { #expect(world.read(page) == nil) }
    _ = world.drainFaults()
    #expect(world.read(0x40201, stream: 0x18) == nil)
    #expect(!world.write(0x40201, 1, stream: 0x19) && world.word(0x40201) == 99)
    let faults = world.drainFaults()
    #expect(faults.map(\.stream) == [StreamID(0x18), StreamID(0x19)])
    #expect(faults.map(\.address) == [0x4020_1000, 0x4020_1000])
    #expect(faults.map(\.event.isRead) == [true, false])
    #expect(faults.allSatisfy { "\($0.reason)" == "F_TRANSLATION" && $0.event.isStage2 })
    #expect(world.read(0x40203) == 0 && world.check() == nil)

    try world.setLent(held, true)
    #expect(world.read(0x40201) == 99 && world.check() == nil)
    try world.setLent(held, false)
    #expect(world.read(0x40201) == nil && world.check() == nil)
    try world.giveBack(held)
    #expect(world.read(0x40201) == 0 && world.write(0x40201, 5) && world.word(0x40201) == 5)

    try world.ownership.share([pages(0x40700, 2)].span)
    #expect(world.write(0x40701, 6) && world.word(0x40701) == 6)
    try world.ownership.unshare([pages(0x40700, 2)].span)
    #expect(world.write(0x40701, 7) && world.check() == nil)
  }

  @Test("MMIO is claimed from devices as well", arguments: levels)
  func mmio(level: SMMUIDR3.BreakBeforeMake) throws {
    let world = try Self.started(Self.options(2, level))
    // In a block of 1 GiB that nobody has touched: the SMMUs may keep it.
    let far: UInt64 = 0x10_0000
    for unit in 0..<2 { #expect(world.read(far + 5, unit: unit) == 0) }
    let held = try world.donate([SMMULayout.controlFrame, pages(far + 4, 2)], .mmio)
    for unit in 0..<2 {
      for page in [0x8080, 0x808f, far + 4, far + 5] {
        #expect(world.read(page, unit: unit) == nil && !world.write(page, 1, unit: unit))
      }
      #expect(world.read(far + 6, unit: unit) == 0 && world.read(0x8091, unit: unit) == 0)
    }
    #expect(world.check() == nil)
    try world.giveBack(held)
    for unit in 0..<2 { #expect(world.write(0x8080, 1, unit: unit)) }
    #expect(world.check() == nil)
  }

  @Test("Claims before the snapshot and after it come to the same", arguments: levels)
  func orders(level: SMMUIDR3.BreakBeforeMake) throws {
    let claims: [([PageRange], PageKind)] = [
      ([SMMULayout.controlFrame], .mmio),
      ([pages(0x401ff, 2), pages(0x40600, 0x200)], .memory),
      ([pages(0x8100, 0x100)], .mmio),
    ]
    let before = try SMMUWorld(Self.options(1, level))
    for (ranges, kind) in claims { try before.donate(ranges, kind) }
    try before.start()
    let after = try Self.started(Self.options(1, level))
    for (ranges, kind) in claims { try after.donate(ranges, kind) }
    for world in [before, after] {
      #expect(world.check() == nil)
      for page: UInt64 in [0x8080, 0x808f, 0x401ff, 0x40200, 0x40600, 0x407ff, 0x8100, 0x81ff] {
        #expect(world.read(page) == nil && !world.write(page, 1))
      }
      #expect(world.wrongAccess(SMMULayout.mmio.frameNumbers) == nil)
      #expect(world.wrongAccess(0x401f0..<0x40810) == nil)
      // What was claimed before the snapshot is given back as any other.
      for held in world.claims where !held.isForEver { try world.giveBack(held) }
      #expect(world.check() == nil && world.write(0x8080, 1) && world.read(0x40600) == 0)
    }
  }

  @Test("Devices ring the doorbell, whoever owns it, and read nothing of it")
  func doorbells() throws {
    for isClaimed in [false, true] {
      let world = try Self.started(Self.options(2))
      if isClaimed { try world.donate([pages(0x8080, 0x20)], .mmio) }
      for (index, unit) in world.units.enumerated() {
        var rung: [UInt64] = []
        unit.onTransfer = { access, value in
          if access.address == 0x809_0040, let value { rung.append(value) }
          return access.address == 0x809_0040 ? 0 : nil
        }
        #expect(unit.write(0x20, 0x809_0040, 0x55, width: .word) == .completed(0))
        #expect(rung == [0x55])
        #expect(unit.read(0x20, 0x809_0040, width: .word) == .aborted && rung == [0x55])
        #expect(world.read(0x8080, unit: index) == (isClaimed ? nil : 0))
        #expect(world.read(0x8091, unit: index) == (isClaimed ? nil : 0))
        unit.onTransfer = nil
      }
      #expect(world.check() == nil)
    }
    // A frame that nobody named is MMIO as any other.
    var options = Self.options()
    options.hasDoorbell = false
    let world = try Self.started(options)
    #expect(world.read(0x8090) == 0)
    try world.donate([pages(0x8080, 0x20)], .mmio)
    #expect(!world.write(0x8090, 1) && world.check() == nil)
  }

  @Test(
    "What an SMMU has kept, or under way, of a page does not outlive its donation",
    arguments: levels, [true, false])
  func underWay(level: SMMUIDR3.BreakBeforeMake, hasRanges: Bool) throws {
    let world = try Self.started(Self.options(2, level, hasRanges: hasRanges))
    let ranges = [
      pages(0x401ff, 2), pages(0x40300), pages(0x40400, 0x200),
    ]
    let pages: [UInt64] = [0x401ff, 0x40200, 0x40300, 0x40400, 0x405ff]
    for round in 1...3 as ClosedRange<UInt64> {
      for page in pages {
        for unit in 0..<2 {
          #expect(world.read(page, unit: unit) != nil)
          #expect(world.units[unit].isKept(page << 12))
          let write = DeviceTransaction(8, page << 12, write: round << 16 | page)
          #expect(world.units[unit].post(write) == nil)
        }
      }
      let before = world.usage
      let held = try world.donate(ranges)
      // One SYNC for each SMMU, however many ranges there are; the writes have arrived by then.
      #expect(world.usage.syncs - before.syncs == 2)
      for page in pages {
        #expect(world.word(page) == round << 16 | page)
        world.setWord(page, 0xe12)
        for unit in 0..<2 {
          #expect(!world.units[unit].isKept(page << 12))
          #expect(world.read(page, unit: unit) == nil && !world.write(page, 1, unit: unit))
          world.units[unit].land()
        }
        #expect(world.word(page) == 0xe12)
      }
      #expect(world.check() == nil)
      try world.giveBack(held)
      #expect(world.wrongAccess(0x401f8..<0x40608) == nil)
    }
  }

  @Test("Without the invalidations they do: what is kept is what a device goes by")
  func lostInvalidations() throws {
    var options = Self.options()
    options.losesInvalidations = true
    options.hasTableLog = false
    let world = try Self.started(options)
    world.setWord(0x40200, 42)
    #expect(world.read(0x40200) == 42)
    try world.donate([pages(0x40200)])
    #expect(world.read(0x40200) == 42)
    #expect(world.check() == "SMMU 0 still translates to 40200")
  }

  @Test("Without the invalidations the log of tables says that EL2 has the page too early")
  func loggedInvalidations() throws {
    var options = Self.options()
    options.losesInvalidations = true
    let world = try Self.started(options)
    #expect(world.check() == nil)
    try world.donate([pages(0x40200)])
    let fault = try #require(world.memory.tableLog?.faults.first)
    #expect(fault.rule == .invalidateBeforeReuse && fault.reason.contains("smmu-s2"))
    guard case .store(let store) = fault.record.event else {
      Issue.record("\(fault)")
      return
    }
    #expect(store.entry?.kind == .hypervisor && store.new & 0xffff_ffff_f000 == 0x4020_0000)
  }

  @Test(
    "A stream beyond the table, or that nobody permits, reaches nothing", arguments: [true, false])
  func streams(hasTwoLevels: Bool) throws {
    var options = Self.options(1, hasTwoLevels: hasTwoLevels)
    options.streams = PermittedStreams()
    let isAdded =
      options.streams.permit(StreamID(8)...StreamID(15))
      && options.streams.permit(StreamID(0x41)...StreamID(0xd1))
    #expect(isAdded)
    let world = try Self.started(options)
    for stream in 0..<0x200 as Range<UInt32> {
      let isPermitted = (8...15).contains(stream) || (0x41...0xd1).contains(stream)
      #expect(world.read(0x40000, stream: stream) == (isPermitted ? 0 : nil), "\(stream)")
    }
    let faults = world.drainFaults()
    // Behind the table, which ends at a power of two, there are no entries.
    #expect(
      faults.allSatisfy { $0.event.type == ($0.stream < StreamID(0x100) ? .badEntry : .badStream) })
    #expect(faults.contains { $0.stream == StreamID(0) } && world.check() == nil)
  }

  @Test("Transactions that say they are translated are not believed")
  func translated() throws {
    var options = Self.options()
    options.units[0].hasATS = true
    let world = try Self.started(options)
    let secret = SMMULayout.canary.first.rawValue
    world.setWord(secret, 7)
    let forged = DeviceTransaction(8, secret << 12, type: .translated)
    #expect(world.units[0].process(forged) == .aborted)
    #expect(world.units[0].process(DeviceTransaction(8, 0x4000_0000, type: .request)) == .aborted)
    #expect(
      world.drainFaults().map(\.event.type) == [.translatedForbidden, .badTranslationRequest])
    // Without ATSCHK they are.
    _ = world.units[0].write(.word, 0b1101, at: 0x20)
    #expect(world.units[0].process(forged) == .completed(7))
  }

  @Test("Two SMMUs that differ are driven as the lesser; what one can't address none reaches")
  func unequal() throws {
    var options = Self.options(2)
    options.units[0].breakBeforeMake = .required
    options.units[0].outputSize = .bits36
    options.units[1].hasRangeInvalidation = false
    let world = try Self.started(options)
    let far: UInt64 = 1 << 24
    for unit in 0..<2 {
      #expect(world.read(far - 1, unit: unit) == 0 && world.read(far, unit: unit) == nil)
    }
    let held = try world.donate([pages(far - 2, 4), SMMULayout.controlFrame], .mmio)
    for unit in 0..<2 { #expect(world.read(far - 1, unit: unit) == nil) }
    #expect(world.check() == nil)
    try world.giveBack(held)
    for unit in 0..<2 { #expect(world.read(far - 1, unit: unit) == 0) }
    #expect(world.check() == nil)
  }

  @Test("Stores that no barrier has made visible are not relied on")
  func storeBuffer() throws {
    var options = Self.options(2)
    options.hasStoreBuffer = true
    options.hasCache = true
    let world = try Self.started(options)
    #expect(world.read(0x40200) == 0)
    let held = try world.donate([pages(0x40200, 2), pages(0x40400, 0x200)])
    #expect(world.read(0x40200) == nil && world.read(0x40401, unit: 1) == nil)
    #expect(world.check() == nil)
    try world.giveBack(held)
    #expect(world.read(0x40200) == 0 && world.read(0x40401, unit: 1) == 0 && world.check() == nil)
  }
}
