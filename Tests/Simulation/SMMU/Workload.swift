// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import SimulatedHardware

/// A random life of a board, step by step.
///
/// Pages change their owners, devices access them meanwhile, and now and then an SMMU fails. After each step
/// the host's table and the devices' are held against each other.
package struct Workload {
  /// The board.
  package let world: SMMUWorld
  /// What the steps came to.
  package private(set) var tally = WorkloadTally()
  private var random: SeededGenerator
  /// How many steps lie between two walks of everything.
  private let stepsPerWalk: UInt64
  /// How many claims come before the snapshot.
  private static let early = 16

  /// Makes a board by the number, with some claims, and has the mirror start; different numbers are
  /// different boards.
  ///
  /// - Parameter defect: what is wrong with the mirror or the driver.
  package init(
    number: UInt64, stepsPerWalk: UInt64 = 1000, defect: WorkloadDefect? = nil
  ) throws {
    var random = SeededGenerator(seed: number)
    var options = Self.options(&random)
    options.forgotten = defect?.forgotten
    options.losesInvalidations = defect == .invalidationsLost
    // What shows that comparing can fail is not found by other means.
    options.hasTableLog = defect == nil
    world = try SMMUWorld(options)
    self.random = random
    self.stepsPerWalk = stepsPerWalk
    for _ in 0..<Self.early { _ = step(isMirrored: false) }
    try world.start()
  }

  /// A board: one or two SMMUs, and of each what changes how the driver treats it.
  private static func options(_ random: inout SeededGenerator) -> SMMUWorldOptions {
    var options = SMMUWorldOptions()
    options.patience = 40
    options.hasDoorbell = !random.oneIn(8)
    options.units = []
    let splitting: [SMMUIDR3.BreakBeforeMake] = [.required, .level1, .level2]
    let level = splitting[Int(random.below(3))]
    for _ in 0...random.below(2) {
      var unit = SMMUConfiguration()
      // Of two that differ, the driver goes by the lesser.
      unit.breakBeforeMake = random.oneIn(4) ? .level2 : level
      unit.hasRangeInvalidation = !random.oneIn(3)
      unit.invalidation =
        [.immediate, .atSync, .anyOrder(seed: random.next())][Int(random.below(3))]
      unit.commandsFetchedAhead = Int(random.below(4))
      unit.hasTwoLevelStreams = random.oneIn(2)
      unit.streamIDBits = unit.hasTwoLevelStreams ? 16 : 8
      unit.cachesTables = !random.oneIn(4)
      unit.commandQueueLog2 = 2 + random.below(7)
      options.units.append(unit)
    }
    return options
  }

  /// One step.
  ///
  /// - Returns: what is wrong then; nil for nothing.
  package mutating func step() -> String? { step(isMirrored: true) }

  private mutating func step(isMirrored: Bool) -> String? {
    tally.steps += 1
    if isMirrored { approach() }
    let before = world.usage
    if isMirrored, random.oneIn(16) { breakSomething() }
    var touched: [PageRange] = []
    do throws(OwnershipError) {
      try change(&touched)
      tally.changes += 1
    } catch {
      if case .refusedByObserver = error {
        tally.unconfirmed += 1
      } else {
        tally.refusals += 1
      }
    }
    let after = world.usage
    tally.invalidations += after.invalidations - before.invalidations
    tally.syncs += after.syncs - before.syncs
    guard isMirrored else { return nil }
    repair()
    for range in touched { if let wrong = compare(range) { return wrong } }
    if tally.steps % stepsPerWalk == 0 {
      tally.walks += 1
      _ = world.drainFaults()
      return world.check()
    }
    return nil
  }

  /// Gives back all that is held, and looks at everything for the last time.
  ///
  /// - Returns: what is wrong then; nil for nothing.
  package mutating func finish() -> String? {
    for slot in world.holds.keys.sorted() { world.release(slot) }
    if world.ownership.usage.shared != 0 { return "pages stay shared that nobody holds" }
    for held in world.claims where !held.isForEver {
      // What an SMMU complained of last may be noticed only now: then the change is refused once.
      if let failure = end(held), let again = end(held) {
        return "a claim can't be given back: \(failure), \(again)"
      }
    }
    tally.walks += 1
    return world.check() ?? world.wrongAccess(SMMULayout.host.frameNumbers)
      ?? world.wrongAccess(SMMULayout.mmio.frameNumbers)
  }

  private func end(_ held: HeldClaim) -> OwnershipError? {
    do throws(OwnershipError) {
      if held.isLent { try world.setLent(held, false) }
      try world.giveBack(held)
      return nil
    } catch {
      return error
    }
  }

  // MARK: What happens

  /// Devices read here and there, so that SMMUs have something to forget.
  private mutating func approach() {
    for _ in 0..<2 {
      tally.accesses += 1
      let page = somePage(random.oneIn(4) ? .mmio : .memory)
      let unit = Int(random.below(UInt64(world.units.count)))
      if random.oneIn(8) {
        // On its way until the next SYNC.
        _ = world.units[unit].post(DeviceTransaction(8, page << 12, write: page))
      } else {
        _ = world.read(page, unit: unit)
      }
    }
  }

  private mutating func change(_ touched: inout [PageRange]) throws(OwnershipError) {
    switch random.below(8) {
    case 0, 1, 2:
      let kind: PageKind = random.oneIn(3) ? .mmio : .memory
      touched = someRanges(kind)
      try world.donate(touched, kind)
    case 3, 4, 5:
      guard let held = someClaim() else { return }
      touched = held.ranges
      try world.giveBack(held)
    case 6:
      guard let held = someClaim() else { return }
      touched = held.ranges
      try world.setLent(held, !held.isLent)
    default:
      if random.oneIn(2) {
        let pages = someRanges(.memory)[0]
        touched = [pages]
        try world.hold(pages)
      } else {
        let slots = world.holds.keys.sorted()
        guard !slots.isEmpty else { return }
        let slot = slots[Int(random.below(UInt64(slots.count)))]
        if let pages = world.holds[slot] { touched = [pages] }
        world.release(slot)
      }
    }
  }

  /// Something about an SMMU goes wrong for the rest of the step.
  private mutating func breakSomething() {
    let unit = world.units[Int(random.below(UInt64(world.units.count)))]
    switch random.below(4) {
    case 0: unit.failCommand(after: random.below(4), .illegal)
    case 1: unit.failCommand(after: random.below(4), .abort)
    case 2: unit.hang(after: random.below(3))
    default: world.seams.abort(after: random.below(8), count: 1 + random.below(3))
    }
  }

  private func repair() {
    world.seams.heal()
    for unit in world.units {
      unit.hang(after: nil)
      unit.failCommand(after: nil)
      unit.run()
    }
  }

  // MARK: What it happens to

  private mutating func somePage(_ kind: PageKind) -> UInt64 {
    switch kind {
    case .mmio: SMMULayout.mmio.first.rawValue + random.below(SMMULayout.mmio.count)
    // Half of the time around the edge of two blocks.
    case .memory:
      random.oneIn(2)
        ? SMMULayout.host.first.rawValue + 0x1f8 + random.below(16)
        : SMMULayout.host.first.rawValue + random.below(SMMULayout.host.count)
    }
  }

  private mutating func someRanges(_ kind: PageKind) -> [PageRange] {
    let area = kind == .mmio ? SMMULayout.mmio : SMMULayout.host
    // A whole block, now and then; one of memory takes long to scrub.
    if random.oneIn(kind == .mmio ? 128 : 2048) {
      let block = area.first.rawValue + 0x200 * random.below(area.count / 0x200)
      return [pages(block, 0x200)]
    }
    return (0...random.below(3) / 2).map { _ in
      let first = somePage(kind)
      return pages(first, min(1 + random.below(4), area.last.rawValue + 1 - first))
    }
  }

  private mutating func someClaim() -> HeldClaim? {
    let held = world.claims.filter { !$0.isForEver }
    return held.isEmpty ? nil : held[Int(random.below(UInt64(held.count)))]
  }

  // MARK: What must hold

  /// The pages and their neighbours: in both tables, in what SMMUs keep, and for a device.
  private mutating func compare(_ range: PageRange) -> String? {
    let pages = range.first.rawValue - 1..<range.last.rawValue + 2
    tally.comparedPages += UInt64(pages.count)
    if let wrong = world.softwareFault() ?? world.wrongHold(pages) ?? world.difference(pages) {
      return wrong
    }
    // Of a long range its ends: a device is slower than a walk.
    let ends =
      pages.count <= 8
      ? [pages]
      : [pages.lowerBound..<pages.lowerBound + 4, pages.upperBound - 4..<pages.upperBound]
    for end in ends {
      if let wrong = world.staleTranslation(end) { return wrong }
    }
    let page = pages.lowerBound + random.below(UInt64(pages.count))
    tally.accesses += UInt64(world.units.count)
    return world.wrongAccess(page..<page + 1)
  }
}
