// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("Stream tables of the simulated SMMU")
struct StreamTableTests {
  @Test("A stream beyond the table is told of where CR2.RECINVSID asks for it")
  func unknown() {
    let driver = SmallSMMUDriver()
    #expect(driver.smmu.read(0x100, SMMUPlace.pages) == .aborted)
    #expect(driver.events() == [SMMUEvent(0x02 | 0x100 << 32)])
    driver.write(0x20, 0b1100)
    driver.write(0x2c, 0)
    driver.write(0x20, everything)
    #expect(driver.smmu.read(0x100, SMMUPlace.pages) == .aborted)
    #expect(driver.events().isEmpty)
  }

  @Test("An entry that is not valid is C_BAD_STE")
  func invalid() {
    let driver = SmallSMMUDriver()
    #expect(driver.smmu.write(7, SMMUPlace.pages, 1) == .aborted)
    #expect(driver.events() == [SMMUEvent(0x04 | 7 << 32)])
  }

  @Test("Abort is silent, reserved values are as abort, and bypass passes")
  func configurations() {
    let driver = SmallSMMUDriver()
    driver.put(0x6000_0000, 42)
    for (stream, word0) in [0x1, 0x3, 0x5, 0x7].enumerated() {
      driver.setEntry(UInt64(stream), UInt64(word0))
      #expect(driver.smmu.read(UInt32(stream), 0x6000_0000) == .aborted)
    }
    #expect(driver.events().isEmpty)
    driver.setEntry(9, 0x9)
    #expect(driver.smmu.read(9, 0x6000_0000) == .completed(42))
    #expect(driver.smmu.read(9, 1 << 48) == .aborted)
    #expect(driver.events().map(\.type) == [.addressSize])
  }

  @Test("An entry is read as it stands, and each word of it is seen in the record")
  func reach() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.smmu.recordsAccesses = true
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    let entry = (0..<8).map { SMMUAccess(.streamEntry, 0x4002_00c0 + $0 * 8) }
    let walk = [
      SMMUAccess(.stage2Table, 0x4010_0010), SMMUAccess(.stage2Table, 0x4010_1000),
      SMMUAccess(.stage2Table, 0x4010_2000),
    ]
    let device = SMMUAccess(.device(StreamID(3)), 0x8000_0000)
    #expect(driver.smmu.accesses == entry + walk + [device])
  }

  /// Each changes one thing in an entry of stage 2 that is legal.
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var word0: UInt64 = 0xd
    var word1: UInt64 = 1 << 44
    var word2 = 5 | stage2Control | stage2Flags
    var word3 = SMMUPlace.root
    var configuration = SMMUConfiguration()

    init(_ description: String, _ change: (inout Self) -> Void) {
      testDescription = description
      change(&self)
    }
  }

  static let illegal: [Case] = [
    Case("no stage 2") { $0.configuration.hasStage2 = false },
    Case("no stage 1") {
      $0.word0 = 0xf
      $0.configuration.hasStage1 = false
    },
    Case("AArch32") { $0.word2 &= ~(1 << 51) },
    Case("S2TG of 64 KiB") { $0.word2 |= 1 << 46 },
    Case("S2TG reserved") { $0.word2 |= 3 << 46 },
    Case("S2T0SZ 15") { $0.word2 = $0.word2 & ~(0x3f << 32) | 15 << 32 },
    Case("S2T0SZ 40") { $0.word2 = $0.word2 & ~(0x3f << 32) | 40 << 32 },
    Case("S2SL0 0 for 39 bits") { $0.word2 &= ~(3 << 38) },
    Case("S2SL0 2 for 39 bits") { $0.word2 = $0.word2 & ~(3 << 38) | 2 << 38 },
    Case("S2SL0 3") { $0.word2 |= 3 << 38 },
    Case("more bits than OAS") {
      $0.word2 = $0.word2 & ~(0x3f << 32) | 21 << 32
      $0.configuration.outputSize = .bits40
    },
    Case("S2TTB beyond S2PS") { $0.word3 = 1 << 48 },
    Case("S2ENDI") { $0.word2 |= 1 << 52 },
    Case("S2VMID of 9 bits without VMID16") {
      $0.word2 |= 0x100
      $0.configuration.hasVMID16 = false
    },
    Case("S2S where nothing stalls") {
      $0.word2 |= 1 << 57
      $0.configuration.stallModel = .terminateOnly
    },
    Case("no S2S where all stalls") { $0.configuration.stallModel = .stallOnly },
    Case("split ATS without stage 1") {
      $0.word1 |= 2 << 28
      $0.configuration.hasATS = true
    },
    Case("S1CDMax beyond SSIDSIZE") { $0.word0 = 0xf | 1 << 59 },
  ]

  @Test("What is ILLEGAL is C_BAD_STE", arguments: illegal)
  func isIllegal(_ `case`: Case) {
    let driver = SmallSMMUDriver(`case`.configuration)
    driver.confine(3)
    driver.setEntry(3, `case`.word0, `case`.word1, `case`.word2, `case`.word3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    #expect(driver.events() == [SMMUEvent(0x04 | 3 << 32)])
  }

  @Test("The entry that those cases start from is legal")
  func legal() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
  }

  @Test("An entry stays as it was read, valid or not, until it is invalidated")
  func cached() {
    let driver = SmallSMMUDriver()
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    driver.confine(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    driver.post(invalidateEntry(4), synchronise)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    driver.post(invalidateEntry(3), synchronise)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    driver.setEntry(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    driver.post((0x04 | 3 << 32, 31), synchronise)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
  }

  @Test("CMD_CFGI_STE_RANGE reaches 2^(Range + 1) streams")
  func range() {
    let driver = SmallSMMUDriver()
    for stream in 0..<8 as Range<UInt64> {
      driver.setEntry(stream, 0x9)
      #expect(driver.smmu.read(UInt32(stream), 0x6000_0000) == .completed(0))
      driver.setEntry(stream)
    }
    driver.post((0x04 | 5 << 32, 1), synchronise)
    let reached = (0..<8).filter { driver.smmu.read($0, 0x6000_0000) == .aborted }
    #expect(reached == [4, 5, 6, 7])
  }

  @Test(
    "An entry that is made valid first is kept half written, where hardware fetches at any time",
    arguments: [false, true])
  func prefetched(prefetches: Bool) {
    var configuration = SMMUConfiguration()
    configuration.prefetchesEntries = prefetches
    let driver = SmallSMMUDriver(configuration)
    driver.confine(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == (prefetches ? .aborted : .completed(0)))
    driver.post(invalidateEntry(3), synchronise)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
  }

  /// A driver with a table of two levels, SPLIT 6, of which descriptor 2 points to 2^`log2` entries.
  func twoLevels(span: UInt64, cfg: UInt64 = 1 << 16 | 6 << 6 | 10) -> SmallSMMUDriver {
    let driver = SmallSMMUDriver(enables: false)
    driver.write(0x88, cfg)
    driver.put(SMMUPlace.streams + 2 * 8, SMMUPlace.secondLevel | span)
    driver.write(0x20, everything)
    return driver
  }

  @Test("Two levels: the descriptor says how many entries there are")
  func twoLevel() {
    let driver = twoLevels(span: 3)
    driver.put(SMMUPlace.secondLevel + 3 * 64, 0x9)
    driver.smmu.recordsAccesses = true
    #expect(driver.smmu.read(0x83, 0x6000_0000) == .completed(0))
    #expect(driver.smmu.accesses.first == SMMUAccess(.streamDescriptor, 0x4002_0010))
    #expect(driver.smmu.read(0x84, 0x6000_0000) == .aborted)
    #expect(driver.smmu.read(0x3f, 0x6000_0000) == .aborted)
    #expect(driver.smmu.read(0x400, 0x6000_0000) == .aborted)
    let streams = [0x84, 0x3f, 0x400] as [UInt64]
    #expect(driver.events() == streams.map { SMMUEvent(0x02 | $0 << 32) })
  }

  @Test("A descriptor stays until an invalidation of more than the leaf", arguments: [true, false])
  func descriptorCached(leaf: Bool) {
    let driver = twoLevels(span: 0)
    driver.put(SMMUPlace.secondLevel, 0x9)
    #expect(driver.smmu.read(0x80, 0x6000_0000) == .aborted)
    driver.put(SMMUPlace.streams + 2 * 8, SMMUPlace.secondLevel | 1)
    driver.post(invalidateEntry(0x80, leaf: leaf), synchronise)
    #expect(driver.smmu.read(0x80, 0x6000_0000) == (leaf ? .aborted : .completed(0)))
  }

  @Test("A descriptor of more entries than SPLIT has is told")
  func span() {
    let driver = twoLevels(span: 8)
    driver.put(SMMUPlace.secondLevel, 0x9)
    #expect(driver.smmu.read(0x80, 0x6000_0000) == .completed(0))
    #expect(driver.smmu.faults == [.spanBeyondSplit(index: 2)])
  }

  @Test("A table where nothing answers is F_STE_FETCH with its address")
  func fetch() {
    let driver = SmallSMMUDriver()
    driver.smmu.holes = [SMMUPlace.streams + 0x100..<SMMUPlace.streams + 0x140]
    #expect(driver.smmu.read(4, SMMUPlace.pages) == .aborted)
    #expect(driver.events() == [SMMUEvent(0x03 | 4 << 32, 0, 0, SMMUPlace.streams + 0x100)])
  }

  @Test("Without stage 1 there are no substreams")
  func substream() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages, substream: 1) == .aborted)
    #expect(driver.events().map(\.type) == [.badSubstream])
  }

  @Test("Two tables under one VMID are told")
  func sharedVMID() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    driver.setEntry(4, 0xd, 1 << 44, 5 | stage2Control | stage2Flags, SMMUPlace.root + 0x8000)
    _ = driver.smmu.read(4, SMMUPlace.pages)
    #expect(driver.smmu.faults == [.tablesShareVMID(VMID(5))])
  }
}
