// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("Stage 2 of the simulated SMMU")
struct Stage2Tests {
  @Test("A page translates, and what lies in memory is what the device sees and writes")
  func pages() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.put(SMMUPlace.level3 + 8, 0x9000_0000 | page)
    driver.put(0x9000_0018, 7)
    #expect(driver.smmu.read(3, SMMUPlace.pages + 0x1018) == .completed(7))
    #expect(driver.smmu.write(3, SMMUPlace.pages + 0x1fff, 0xab, width: .byte) == .completed(0))
    #expect(driver.word(0x9000_0ff8) == 0xab << 56)
    #expect(driver.events().isEmpty)
  }

  @Test("Blocks of 2 MiB and 1 GiB translate")
  func blocks() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.put(SMMUPlace.level2 + 8, 0xa020_0000 | block)
    driver.put(SMMUPlace.root + 3 * 8, 0x1_0000_0000 | block)
    driver.put(0xa021_2340, 1)
    driver.put(0x1_2345_6788, 2)
    #expect(driver.smmu.read(3, 0x8021_2340) == .completed(1))
    #expect(driver.smmu.read(3, 0xe345_6788) == .completed(2))
  }

  @Test("A concatenated root has an entry for each start-level index")
  func concatenated() {
    let driver = SmallSMMUDriver()
    // S2T0SZ 24 with SL0 1: two tables of level 1.
    let control = (stage2Control & ~(0x3f << 32)) | 24 << 32
    driver.setEntry(3, 0xd, 1 << 44, 5 | control | stage2Flags, 0x4012_0000)
    driver.put(0x4012_0000 + 512 * 8, 0x4000_0000 | block)
    driver.put(0x6000_0000, 9)
    #expect(driver.smmu.read(3, 1 << 39 | 0x2000_0000) == .completed(9))
    // What lies behind the root is no part of it.
    driver.put(0x4012_0000 + 1024 * 8, 0x4000_0000 | block)
    #expect(driver.smmu.read(3, 1 << 40) == .aborted)
    #expect(driver.events().map(\.type) == [.translation])
  }

  @Test(
    "Four levels and two levels", arguments: [(16, 2, 0), (34, 0, 2)] as [(UInt64, UInt64, Int)])
  func startLevels(size: UInt64, start: UInt64, level: Int) {
    let driver = SmallSMMUDriver()
    let control = stage2Control & ~(0xff << 32) | size << 32 | start << 38
    driver.setEntry(3, 0xd, 1 << 44, 5 | control | stage2Flags, SMMUPlace.root)
    driver.put(0x6000_0000, 9)
    if level == 0 {
      driver.put(SMMUPlace.root + 8, SMMUPlace.level2 | table)
      driver.put(SMMUPlace.level2, 0x4000_0000 | block)
      #expect(driver.smmu.read(3, 1 << 39 | 0x2000_0000) == .completed(9))
    } else {
      driver.put(SMMUPlace.root + 8, 0x6000_0000 | block)
      #expect(driver.smmu.read(3, 0x20_0000) == .completed(9))
    }
  }

  /// What an entry of level 3 comes to.
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var descriptor: UInt64
    var read: SMMUEventType?
    var write: SMMUEventType?
  }

  static let cases = [
    Case(testDescription: "all", descriptor: 0x7ff),
    Case(testDescription: "read", descriptor: 0x77f, write: .permission),
    Case(testDescription: "write", descriptor: 0x7bf, read: .permission),
    Case(testDescription: "nothing", descriptor: 0x73f, read: .permission, write: .permission),
    Case(
      testDescription: "not accessed", descriptor: 0x3ff, read: .accessFlag, write: .accessFlag),
    Case(testDescription: "invalid", descriptor: 0x7fe, read: .translation, write: .translation),
    Case(testDescription: "block", descriptor: 0x7fd, read: .translation, write: .translation),
    Case(
      testDescription: "beyond S2PS", descriptor: 1 << 45 | 0x7ff, read: .addressSize,
      write: .addressSize),
  ]

  @Test("Each right and each fault of a page, with the whole record", arguments: cases)
  func rights(_ `case`: Case) {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    // S2PS of 44 bits.
    let control = stage2Control & ~(7 << 48) | 4 << 48
    driver.setEntry(3, 0xd, 1 << 44, 5 | control | stage2Flags, SMMUPlace.root)
    driver.put(SMMUPlace.level3, SMMUPlace.pages | `case`.descriptor)
    for (type, isWrite) in [(`case`.read, false), (`case`.write, true)] {
      let response =
        isWrite
        ? driver.smmu.write(3, SMMUPlace.pages + 0x128, 5)
        : driver.smmu.read(3, SMMUPlace.pages + 0x128)
      #expect(response == (type == nil ? .completed(0) : .aborted))
      let expected = type.map {
        // PnU, S2 and CLASS 2, and RnW of a read.
        SMMUEvent(
          UInt64($0.rawValue) | 3 << 32,
          1 << 33 | 1 << 39 | 2 << 40 | (isWrite ? 0 : 1 << 35), SMMUPlace.pages + 0x128,
          SMMUPlace.pages)
      }
      #expect(driver.events() == (expected.map { [$0] } ?? []))
    }
    let written = driver.word(SMMUPlace.pages + 0x128)
    #expect(written == (`case`.write == nil ? 5 : 0))
  }

  @Test("Without S2R a fault aborts and is not told; with S2AFFD the Access flag doesn't count")
  func flags() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.setEntry(3, 0xd, 1 << 44, 5 | stage2Control | 1 << 51 | 1 << 53, SMMUPlace.root)
    driver.put(SMMUPlace.level3, SMMUPlace.pages | 0x3ff)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    #expect(driver.smmu.read(3, SMMUPlace.pages + 0x4000) == .aborted)
    #expect(driver.events().isEmpty)
  }

  @Test("A walk where nothing answers is F_WALK_EABT with the address")
  func walkAbort() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.smmu.holes = [SMMUPlace.level2..<SMMUPlace.level2 + 8]
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    let events = driver.events()
    #expect(events.map(\.type) == [.walkAbort])
    #expect(events.first?.fetchAddress == SMMUPlace.level2)
    #expect(events.first?.inputAddress == SMMUPlace.pages)
  }

  @Test("A table beyond S2PS is not walked")
  func tableSize() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    let control = stage2Control & ~(7 << 48) | 2 << 48
    driver.setEntry(3, 0xd, 1 << 44, 5 | control | stage2Flags, SMMUPlace.root)
    driver.put(SMMUPlace.root + 2 * 8, 1 << 41 | table)
    driver.smmu.recordsAccesses = true
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    #expect(driver.events().map(\.type) == [.addressSize])
    #expect(!driver.smmu.accesses.contains { $0.address >> 40 != 0 })
  }

  @Test("Hardware sets the Access flag and dirty state where it is told to")
  func hardwareUpdates() {
    var configuration = SMMUConfiguration()
    configuration.hardwareUpdates = 2
    let driver = SmallSMMUDriver(configuration)
    driver.confine(3, flags: 0b11 << 55)
    driver.put(SMMUPlace.level3, SMMUPlace.pages | 0x37f | 1 << 51)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    #expect(driver.word(SMMUPlace.level3) == SMMUPlace.pages | 0x77f | 1 << 51)
    #expect(driver.smmu.write(3, SMMUPlace.pages, 1) == .completed(0))
    #expect(driver.word(SMMUPlace.level3) == SMMUPlace.pages | 0x7ff | 1 << 51)
    #expect(driver.smmu.faults.isEmpty)
  }

  @Test("Walks that are not told to look into caches see what was cleaned")
  func notCoherent() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.setEntry(
      3, 0xd, 1 << 44, 5 | (stage2Control & ~(0xff << 40)) | stage2Flags, SMMUPlace.root)
    driver.smmu.memory.store(.double, 0, at: SMMUPlace.level3)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
    driver.smmu.memory.clean(SMMUPlace.level3, size: 8)
    driver.post(invalidateBoth, synchronise)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
  }

  @Test("A transaction that stalls waits for CMD_RESUME, which retries it, aborts it, or drops it")
  func stalls() {
    let driver = SmallSMMUDriver()
    driver.confine(3, flags: 1 << 57)
    let there = SMMUPlace.pages + 0x5000
    #expect(driver.smmu.write(3, there, 1) == .stalled(0))
    #expect(driver.smmu.write(3, there, 2) == .stalled(1))
    #expect(driver.smmu.write(3, there, 3) == .stalled(2))
    #expect(driver.events().map { $0.isStalled ? $0.stallTag : 99 } == [0, 1, 2])
    driver.put(SMMUPlace.level3 + 5 * 8, there | page)
    driver.post((0x44 | 3 << 32 | 1 << 12, 0))
    #expect(driver.word(there) == 1)
    driver.post((0x44 | 4 << 32 | 1 << 12, 1), (0x44 | 3 << 32 | 1 << 13, 1), (0x45 | 3 << 32, 0))
    #expect(driver.smmu.resumed == [.completed(0), .aborted, .aborted])
    #expect(driver.word(there) == 1)
  }

  @Test("What stands at an address instead of memory answers the device")
  func deviceMemory() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.put(SMMUPlace.level3, 0x0809_0000 | page)
    var written: [UInt64?] = []
    driver.smmu.onTransfer = { access, value in
      guard access.address >> 16 == 0x809 else { return nil }
      written.append(value)
      return 0
    }
    #expect(driver.smmu.write(3, SMMUPlace.pages + 0x40, 77, width: .word) == .completed(0))
    #expect(driver.smmu.write(3, SMMUPlace.pages + 0x1000, 78) == .completed(0))
    #expect(written == [77])
  }

  @Test("Nothing answers in a hole, and no event tells of it")
  func hole() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    driver.smmu.holes = [SMMUPlace.pages..<SMMUPlace.pages + 0x1000]
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    #expect(driver.events().isEmpty)
  }

  @Test("Tables may be big-endian where the SMMU reads them so")
  func bigEndian() {
    var configuration = SMMUConfiguration()
    configuration.endianness = 0
    let driver = SmallSMMUDriver(configuration)
    driver.confine(3, flags: 1 << 52)
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    for place in [SMMUPlace.root + 2 * 8, SMMUPlace.level2, SMMUPlace.level3] {
      driver.put(place, driver.word(place).byteSwapped)
    }
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .completed(0))
  }
}
