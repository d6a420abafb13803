// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("What the simulated SMMU keeps")
struct CacheTests {
  /// A device that has used all four pages, the second of which has then been unmapped.
  func used(_ configuration: SMMUConfiguration = SMMUConfiguration()) -> SmallSMMUDriver {
    let driver = SmallSMMUDriver(configuration)
    driver.confine(3)
    for index in 0..<4 as Range<UInt64> {
      #expect(driver.smmu.read(3, SMMUPlace.pages + index << 12) == .completed(0))
    }
    driver.put(SMMUPlace.level3 + 8, 0)
    return driver
  }

  func isReached(_ driver: SmallSMMUDriver, _ page: UInt64 = 1) -> Bool {
    driver.smmu.read(3, SMMUPlace.pages + page << 12) == .completed(0)
  }

  @Test("What was translated stays until it is invalidated")
  func stays() {
    let driver = used()
    #expect(isReached(driver))
    #expect(driver.smmu.isKept(SMMUPlace.pages + 0x1000))
    driver.post(synchronise)
    #expect(isReached(driver))
    driver.post(invalidateStage2(SMMUPlace.pages + 0x1000), synchronise)
    #expect(!isReached(driver))
    #expect(!driver.smmu.isKept(SMMUPlace.pages + 0x1000))
    #expect(isReached(driver, 0) && driver.smmu.faults.isEmpty)
  }

  @Test(
    "Only what reaches the entry removes it",
    arguments: [
      (0x2a | 5 << 32, SMMUPlace.pages + 0x1000, false), (0x2a | 5 << 32, SMMUPlace.pages, true),
      (0x2a | 6 << 32, SMMUPlace.pages + 0x1000, true), (0x28 | 5 << 32, 0, false),
      (0x28 | 6 << 32, 0, true), (0x30, 0, false), (0x10 | 5 << 32, 0, true),
      // Ranges: two pages, 8 pages from below, what ends before, and one at a level.
      (0x2a | 5 << 32 | 1 << 12, SMMUPlace.pages | 1 << 10, false),
      (0x2a | 5 << 32 | 1 << 20 | 3 << 12, SMMUPlace.pages - 0x6000 | 1 << 10, false),
      (0x2a | 5 << 32 | 1 << 12, SMMUPlace.pages - 0x1000 | 1 << 10, true),
      (0x2a | 5 << 32, SMMUPlace.pages + 0x1000 | 1 << 10 | 3 << 8, false),
      (0x2a | 5 << 32, SMMUPlace.pages + 0x1000 | 1 << 10 | 2 << 8, true),
    ] as [(UInt64, UInt64, Bool)])
  func reach(word0: UInt64, word1: UInt64, stays: Bool) {
    let driver = used()
    driver.post((word0, word1), synchronise)
    #expect(driver.read(0x9c) == 2)
    #expect(isReached(driver) == stays)
  }

  @Test("Without RIL a range is one address")
  func noRanges() {
    var configuration = SMMUConfiguration()
    configuration.hasRangeInvalidation = false
    let driver = used(configuration)
    driver.post((0x2a | 5 << 32 | 1 << 12, SMMUPlace.pages | 1 << 10), synchronise)
    #expect(isReached(driver))
  }

  @Test("With VMW low bits of the VMID don't count")
  func wildcards() {
    var configuration = SMMUConfiguration()
    configuration.hasVMIDWildcards = true
    let driver = used(configuration)
    driver.post((0x28 | 4 << 32, 0), synchronise)
    #expect(isReached(driver))
    driver.write(0x20, everything | 1 << 6)
    driver.post((0x28 | 4 << 32, 0), synchronise)
    #expect(!isReached(driver))
  }

  @Test("An invalidation may take effect no earlier than the next CMD_SYNC")
  func late() {
    var configuration = SMMUConfiguration()
    configuration.invalidation = .atSync
    let driver = used(configuration)
    driver.post(invalidateStage2(SMMUPlace.pages + 0x1000))
    #expect(driver.smmu.completedCommands == 1)
    #expect(isReached(driver))
    driver.post(synchronise)
    #expect(!isReached(driver))
  }

  @Test("A write that is on its way reaches memory before CMD_SYNC is complete, and not after")
  func inFlight() {
    let driver = used()
    let write = DeviceTransaction(3, SMMUPlace.pages + 0x1000, write: 9)
    #expect(driver.smmu.post(write) == nil)
    driver.post(invalidateStage2(SMMUPlace.pages + 0x1000))
    #expect(driver.word(SMMUPlace.pages + 0x1000) == 0)
    #expect(driver.smmu.isKept(SMMUPlace.pages + 0x1000))
    driver.post(synchronise)
    #expect(driver.word(SMMUPlace.pages + 0x1000) == 9)
    #expect(driver.smmu.post(write) == .aborted)
  }

  @Test("A pointer to a table stays where the leaf alone is invalidated")
  func tables() {
    let driver = used()
    // The table of level 3 is left for another one.
    driver.put(SMMUPlace.level2, 0)
    driver.post(invalidateStage2(SMMUPlace.pages + 0x3000), synchronise)
    #expect(isReached(driver, 3))
    driver.post(invalidateStage2(SMMUPlace.pages + 0x3000, leaf: false), synchronise)
    #expect(!isReached(driver, 3))
    #expect(driver.smmu.faults.isEmpty)
  }

  @Test("Replacing a live entry is told, where anything but rights changes")
  func replaced() {
    let driver = used()
    // Invalid, not invalidated, and valid elsewhere.
    driver.put(SMMUPlace.level3 + 8, 0x9000_0000 | page)
    #expect(isReached(driver))
    #expect(
      driver.smmu.faults == [
        .breakBeforeMake(
          entry: SMMUPlace.level3 + 8, old: SMMUPlace.pages + 0x1000 | page, new: 0x9000_0000 | page
        )
      ])
    // Rights may change, and be late.
    driver.put(SMMUPlace.level3 + 16, SMMUPlace.pages + 0x2000 | 0x77f)
    #expect(driver.smmu.write(3, SMMUPlace.pages + 0x2000, 1) == .completed(0))
    #expect(driver.smmu.faults.count == 1)
    // Memory's type may not.
    driver.put(SMMUPlace.level3, SMMUPlace.pages | 0x7c7)
    driver.smmu.run()
    #expect(isReached(driver, 0) && driver.smmu.faults.count == 2)
  }

  @Test("In order there is nothing to tell: invalid, invalidated, valid")
  func inOrder() {
    let driver = used()
    driver.post(invalidateStage2(SMMUPlace.pages + 0x1000), synchronise)
    driver.put(SMMUPlace.level3 + 8, 0x9000_0000 | page)
    #expect(isReached(driver))
    #expect(driver.smmu.faults.isEmpty)
  }

  @Test(
    "A block may be split while it lives where BBML is 2",
    arguments: [SMMUIDR3.BreakBeforeMake.required, .level1, .level2])
  func split(level: SMMUIDR3.BreakBeforeMake) {
    var configuration = SMMUConfiguration()
    configuration.breakBeforeMake = level
    let driver = SmallSMMUDriver(configuration)
    driver.confine(3)
    driver.put(SMMUPlace.level2 + 8, 0x8020_0000 | block)
    #expect(driver.smmu.read(3, 0x8020_0000) == .completed(0))
    driver.put(0x4010_3000, 0x8020_0000 | page)
    driver.put(SMMUPlace.level2 + 8, 0x4010_3000 | table)
    #expect(driver.smmu.read(3, 0x8020_0000) == .completed(0))
    let wrong = SMMUSoftwareFault.breakBeforeMake(
      entry: SMMUPlace.level2 + 8, old: 0x8020_0000 | block, new: 0x4010_3000 | table)
    #expect(driver.smmu.faults == (level == .level2 ? [] : [wrong]))
  }

  @Test("Two sizes for one address in the TLB are told")
  func conflict() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    // The pages become a block, of which the first is still kept as a page.
    driver.put(SMMUPlace.level2, 0)
    driver.post(invalidateStage2(SMMUPlace.pages + 0x1000, leaf: false), synchronise)
    driver.put(SMMUPlace.level2, SMMUPlace.pages | block)
    #expect(driver.smmu.read(3, SMMUPlace.pages + 0x1000) == .completed(0))
    #expect(driver.smmu.faults == [.cacheConflict(address: SMMUPlace.pages)])
  }

  @Test("A translation may be fetched without a device asking")
  func prefetch() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.post((0x02 | 3 << 32, SMMUPlace.pages), (0x02 | 9 << 32, SMMUPlace.pages))
    #expect(driver.smmu.isKept(SMMUPlace.pages))
    #expect(driver.events().isEmpty)
    driver.smmu.prefetch(DeviceTransaction(3, SMMUPlace.pages + 0x1000))
    #expect(driver.smmu.isKept(SMMUPlace.pages + 0x1000))
  }

  @Test(
    "With BBML 2 a block may take the place of its pages, but not of others", arguments: [0, 1])
  func merge(offset: UInt64) {
    var configuration = SMMUConfiguration()
    configuration.breakBeforeMake = .level2
    let driver = SmallSMMUDriver(configuration)
    driver.confine(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    driver.put(SMMUPlace.level2, (SMMUPlace.pages + offset << 21) | block)
    driver.post(invalidateStage2(SMMUPlace.pages + 0x1000, leaf: false), synchronise)
    #expect(driver.smmu.read(3, SMMUPlace.pages + 0x1000) == .completed(0))
    #expect(
      driver.smmu.faults == (offset == 0 ? [] : [.cacheConflict(address: SMMUPlace.pages)]))
  }

  @Test("An entry of the stream table may be forgotten no earlier than CMD_SYNC, too")
  func lateConfiguration() {
    var configuration = SMMUConfiguration()
    configuration.invalidation = .atSync
    let driver = SmallSMMUDriver(configuration)
    driver.setEntry(3, 0x9)
    #expect(driver.smmu.read(3, 0x6000_0000) == .completed(0))
    driver.setEntry(3, 0x1)
    driver.post(invalidateEntry(3))
    #expect(driver.smmu.read(3, 0x6000_0000) == .completed(0))
    driver.post(synchronise)
    #expect(driver.smmu.read(3, 0x6000_0000) == .aborted)
  }

  @Test("A walk doesn't see a store that no barrier has published")
  func storeBuffer() {
    let driver = SmallSMMUDriver(memory: PhysicalMemory(hasStoreBuffer: true))
    driver.confine(3)
    driver.smmu.memory.store(.double, 0, at: SMMUPlace.level3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    driver.post(invalidateBoth, synchronise)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
  }

  @Test("Stage 1 of EL2 is out of reach of EL1's commands")
  func hypervisor() {
    var configuration = SMMUConfiguration()
    configuration.hasHypervisorContexts = true
    let driver = SmallSMMUDriver(configuration)
    // STRW 2.
    driver.setEntry(3, 0xb | 0x6000_0000, 1 << 44 | 2 << 30 | 0xd4)
    driver.put(0x6000_0000, NestedTests.contextWord0, 0x6000_1000)
    driver.put(0x6000_1000, 0x6000_2000 | table)
    driver.put(0x6000_2000, 0x6000_3000 | NestedTests.leaf)
    #expect(driver.smmu.read(3, 0) == .completed(0))
    driver.put(0x6000_2000, 0)
    driver.post((0x30, 0), (0x10, 0), (0x28, 0), (0x21 | 8 << 48, 0), (0x22 | 9 << 48, 0x1000))
    #expect(driver.smmu.read(3, 0) == .completed(0))
    driver.post((0x22 | 9 << 48, 0), synchronise)
    #expect(driver.smmu.read(3, 0) == .aborted)
    #expect(driver.smmu.activeErrors.rawValue == 0)
  }
}
