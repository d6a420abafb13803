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

@Suite("SMMUs that fail")
struct FailureTests {
  /// What devices of two streams come to at some pages, behind every SMMU.
  static func reach(_ world: SMMUWorld) -> [UInt64?] {
    var found: [UInt64?] = []
    for unit in world.units.indices {
      for stream in [8, 9] as [UInt32] {
        for page: UInt64 in [0x40000, 0x40200, SMMULayout.canary.first.rawValue, 0x8080] {
          found.append(world.read(page, stream: stream, unit: unit))
        }
      }
    }
    return found
  }

  /// How many registers are accessed by `body`.
  static func accesses(_ world: SMMUWorld, _ body: () throws -> Void) throws -> UInt64 {
    let before = world.seams.registerAccesses
    try body()
    return world.seams.registerAccesses - before
  }

  /// Has firmware let stream 9 through, and abort all others, by a table of its own.
  static func firmware(_ units: [SimulatedSMMU]) {
    for (index, unit) in units.enumerated() {
      let table: UInt64 = 0x40a0_0000 + UInt64(index) << 16
      for stream in 0..<16 as Range<UInt64> {
        let entry = stream == 9 ? 0b1001 : 0b0001 as UInt64
        unit.memory.store(.double, entry, at: table + stream * 64)
      }
      _ = unit.write(.word, 0xd75, at: 0x28)
      _ = unit.write(.double, table, at: 0x80)
      _ = unit.write(.word, 4, at: 0x88)
      _ = unit.write(.word, 1, at: 0x20)
    }
  }

  @Test(
    "Whichever access to a register is aborted while SMMUs are taken over, devices reach no more than before",
    arguments: [false, true], [1, UInt64.max])
  func takeover(isTranslating: Bool, count: UInt64) throws {
    func make() throws -> SMMUWorld {
      let world = try SMMUWorld(LifeTests.options(2)) { if isTranslating { Self.firmware($0) } }
      for page: UInt64 in [0x40000, 0x40200, SMMULayout.canary.first.rawValue, 0x8080] {
        world.setWord(page, page)
      }
      return world
    }
    let whole = try make()
    let total = try Self.accesses(whole) { try whole.start() }
    #expect(total > 60)
    var phases: Set<SMMUGroup<SMMUWorld.Machine>.Phase> = []
    // One that is silent for good is so from every fourth access on.
    for first in stride(from: 0, to: total, by: count == 1 ? 1 : 4) {
      let world = try make()
      let before = Self.reach(world)
      world.seams.abort(after: first, count: count)
      #expect(throws: IOMMUError.self) { try world.start() }
      world.seams.heal()
      phases.insert(world.driverPhase)
      let after = Self.reach(world)
      // What was given back is as before; what is quarantined aborts, if it has been told so at all.
      let isAsBefore = zip(before, after).allSatisfy { $1 == nil || $0 == $1 }
      #expect(isAsBefore, "access \(first)")
      if world.driverPhase == .off { #expect(before == after, "access \(first)") }
      #expect(world.softwareFault() == nil, "access \(first)")
      #expect(world.phase == .off)
      // The host may lose pages as it could before.
      let held = try world.donate([pages(0x40300)])
      try world.giveBack(held)
      if world.driverPhase == .off, first % 4 == 0 {
        try world.start()
        let wrong = world.check()
        #expect(wrong == nil, "access \(first)")
        #expect(world.read(SMMULayout.canary.first.rawValue) == nil)
      }
    }
    // Wherever firmware had an SMMU translate it is quarantined, unless nothing was changed yet; another one
    // is given back where it answers again in time.
    #expect(phases.contains(.quarantined) == (isTranslating || count > 1))
    #expect(phases.contains(.off))
  }

  @Test("An SMMU that was translating for firmware, and can't be taken over, aborts")
  func quarantine() throws {
    let world = try SMMUWorld(LifeTests.options(2), prepare: Self.firmware)
    world.setWord(0x40000, 42)
    #expect(world.read(0x40000, stream: 9) == 42 && world.read(0x40000) == nil)
    // The second one carries out no command.
    world.units[1].hang(after: 0)
    #expect(throws: IOMMUError.self) { try world.start() }
    #expect(world.driverPhase == .quarantined && world.phase == .off)
    for unit in 0..<2 {
      for stream in [8, 9] as [UInt32] {
        #expect(world.read(0x40000, stream: stream, unit: unit) == nil)
      }
    }
    #expect(throws: IOMMUError.wrongPhase) { try world.start() }
    #expect(world.softwareFault() == nil)
  }

  @Test(
    "Whichever access is aborted during a change, a page has one owner", arguments: LifeTests.levels
  )
  func change(level: SMMUIDR3.BreakBeforeMake) throws {
    let ranges = [pages(0x401ff, 2), pages(0x40600, 0x200)]
    let whole = try LifeTests.started(LifeTests.options(2, level))
    var held = try whole.donate(ranges)
    try whole.giveBack(held)
    let total = try Self.accesses(whole) { held = try whole.donate(ranges) }
    for count in [1, UInt64.max] {
      for first in 0..<total {
        let world = try LifeTests.started(LifeTests.options(2, level))
        world.setWord(0x401ff, 42)
        for unit in 0..<2 { #expect(world.read(0x401ff, unit: unit) == 42) }
        world.seams.abort(after: first, count: count)
        let claim = try? world.donate(ranges)
        world.seams.heal()
        #expect(world.check() == nil, "access \(first)")
        for unit in 0..<2 {
          #expect(world.read(0x401ff, unit: unit) == (claim == nil ? 42 : nil), "access \(first)")
        }
        #expect(claim == nil, "access \(first)")
        // Once it answers again, the host may lose the pages; what it complains of last is noticed first.
        let again = try (try? world.donate(ranges)) ?? world.donate(ranges)
        #expect(world.check() == nil && world.read(0x401ff, unit: 1) == nil)
        try world.giveBack(again)
        #expect(world.check() == nil && world.read(0x401ff, unit: 1) == 0)
      }
    }
  }

  @Test(
    "Whichever command fails, the pages stay the host's until all SMMUs confirm",
    arguments: [SMMUCommandError.illegal, .abort, .invalidation])
  func commands(error: SMMUCommandError) throws {
    for level in LifeTests.levels {
      let ranges = [pages(0x401ff, 2), pages(0x40300)]
      // Two invalidations and a SYNC.
      for index in 0..<3 as Range<UInt64> {
        let world = try LifeTests.started(LifeTests.options(2, level))
        world.setWord(0x401ff, 42)
        world.units[1].failCommand(after: index, error)
        #expect(throws: OwnershipError.refusedByObserver(PageFrameNumber(0x401ff))) {
          try world.donate(ranges)
        }
        #expect(world.read(0x401ff) == 42 && world.read(0x401ff, unit: 1) == 42)
        #expect(world.check() == nil && world.usage.unconfirmed == 1)
        try world.donate(ranges)
        #expect(world.read(0x401ff) == nil && world.read(0x401ff, unit: 1) == nil)
        #expect(world.check() == nil)
      }
    }
  }

  @Test("An SMMU that hangs keeps the pages with the host, for as long as it does")
  func hang() throws {
    // An invalidation and a SYNC.
    for after in 0..<2 as Range<UInt64> {
      let world = try LifeTests.started(LifeTests.options(3))
      world.setWord(0x40200, 42)
      world.units[2].hang(after: after)
      for _ in 0..<5 {
        #expect(throws: OwnershipError.refusedByObserver(PageFrameNumber(0x40200))) {
          try world.donate([pages(0x40200, 2)])
        }
        for unit in 0..<3 { #expect(world.read(0x40200, unit: unit) == 42) }
        #expect(world.difference() == nil && world.softwareFault() == nil)
      }
      // What comes back to the host needs nobody's word.
      world.units[2].hang(after: nil)
      world.units[2].run()
      let held = try world.donate([pages(0x40200, 2)])
      for unit in 0..<3 { #expect(world.read(0x40200, unit: unit) == nil) }
      world.units[2].hang(after: 0)
      try world.giveBack(held)
      for unit in 0..<3 { #expect(world.read(0x40200, unit: unit) == 0) }
      #expect(world.difference() == nil)
    }
  }

  @Test("An SMMU with a small queue that was not told of its commands hears of them later")
  func untold() throws {
    var options = LifeTests.options(1)
    options.units[0].commandQueueLog2 = 2
    let world = try LifeTests.started(options)
    // The third access of a SYNC is the write of CMDQ_PROD.
    for first in 0..<3 as Range<UInt64> {
      world.seams.abort(after: first, count: 1)
      _ = try? world.donate([pages(0x40200, 2)])
      world.seams.heal()
    }
    let held = try world.donate([pages(0x40300, 2)])
    #expect(world.read(0x40300) == nil && world.check() == nil)
    try world.giveBack(held)
  }

  @Test("Faults beyond what the queue holds are counted, and those after them are told again")
  func faults() throws {
    var options = LifeTests.options()
    options.units[0].eventQueueLog2 = 3
    let world = try LifeTests.started(options)
    try world.donate([pages(0x40200)])
    for stream in 0..<20 as Range<UInt32> { #expect(world.read(0x40200, stream: stream) == nil) }
    #expect(world.drainFaults().map(\.stream) == (0..<8).map { StreamID($0) })
    let overflows = world.ownership.observer.mirror.driver.events.overflows
    #expect(overflows == 1)
    #expect(world.read(0x40200, stream: 30) == nil)
    #expect(world.drainFaults().map(\.stream) == [StreamID(30)])
    #expect(world.check() == nil)
  }

  @Test("Where the pool is too small for the snapshot, devices reach nothing, or what they did")
  func exhaustion() throws {
    // Blocks that can't be split at once have all memory mapped page by page.
    let world = try SMMUWorld(LifeTests.options(1, .required))
    var taken: [HeldClaim] = []
    // Every claim in another 2 MiB takes tables of EL2's, of the ledger and of the host.
    var page: UInt64 = 0x10_0000
    while let held = try? world.donate([pages(page)], .mmio) {
      taken.append(held)
      page += 0x200
    }
    #expect(taken.count > 100)
    #expect(throws: IOMMUError.self) { try world.start() }
    #expect(world.phase == .off)
    if world.driverPhase == .confining {
      #expect(world.read(0x40000) == nil && world.read(SMMULayout.canary.first.rawValue) == nil)
    } else {
      #expect(world.driverPhase == .off && world.read(0x40000) == 0)
    }
    #expect(world.softwareFault() == nil)
  }
}
