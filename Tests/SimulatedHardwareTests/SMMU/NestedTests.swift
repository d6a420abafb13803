// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("Both stages of the simulated SMMU")
struct NestedTests {
  /// The IPAs of the host's own tables, which stage 2 maps one to one.
  static let context = SMMUPlace.pages
  static let table1 = SMMUPlace.pages + 0x1000
  static let table2 = SMMUPlace.pages + 0x2000
  static let data = SMMUPlace.pages + 0x3000
  static let address: UInt64 = 0x4000_0000

  /// A context of one half with 30 bits of input and ASID 9, which records and aborts.
  static let contextWord0: UInt64 =
    34 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 1 << 31 | 5 << 32 | 1 << 41 | 1 << 45 | 1 << 46
    | 9 << 48
  /// A page of stage 1: nG, accessed, Inner Shareable, for all, of attribute 0.
  static let leaf: UInt64 = 1 << 11 | 0x743

  /// Stream 3 has stage 1 of the host, in which `pages` of 4 KiB come to `data`, behind stage 2.
  func driver(_ configuration: SMMUConfiguration = SMMUConfiguration(), flags: UInt64 = 0)
    -> SmallSMMUDriver
  {
    let driver = SmallSMMUDriver(configuration)
    driver.confine(3, flags: flags)
    driver.setEntry(
      3, 0xf | Self.context, 1 << 44 | 0xd4, 5 | stage2Control | stage2Flags | flags, SMMUPlace.root
    )
    driver.put(Self.context, Self.contextWord0, Self.table1)
    driver.put(Self.table1, Self.table2 | table)
    driver.put(Self.table2, Self.data | Self.leaf)
    return driver
  }

  @Test("An address goes through both stages, and so does all that stage 1 is made of")
  func both() {
    let driver = driver()
    driver.put(SMMUPlace.level3 + 3 * 8, 0x9000_0000 | page)
    driver.put(0x9000_0008, 42)
    driver.smmu.recordsAccesses = true
    #expect(driver.smmu.read(3, 8) == .completed(42))
    let contexts = driver.smmu.accesses.filter { $0.use == .context }
    let tables = driver.smmu.accesses.filter { $0.use == .stage1Table }
    #expect(contexts.map(\.address) == (0..<4).map { Self.context + $0 * 8 })
    #expect(tables.map(\.address) == [Self.table1, Self.table2])
  }

  @Test(
    "Where stage 2 refuses something of stage 1 the record says what",
    arguments: [
      (0, SMMUEvent.AccessClass.context), (1, .table), (2, .table), (3, .input),
    ] as [(UInt64, SMMUEvent.AccessClass)])
  func refused(index: UInt64, accessClass: SMMUEvent.AccessClass) {
    let driver = driver()
    driver.put(SMMUPlace.level3 + index * 8, 0)
    #expect(driver.smmu.read(3, 8) == .aborted)
    let event = driver.events().first
    #expect(event?.type == .translation && event?.isStage2 == true)
    #expect(event?.accessClass == accessClass)
    #expect(event?.inputAddress == 8)
    let refused = SMMUPlace.pages + index << 12
    #expect(event?.intermediateAddress == refused)
  }

  @Test("Tables of stage 1 may not lie in Device memory where S2PTW says so")
  func protectedWalk() {
    for flags in [0, 1 << 54] as [UInt64] {
      let driver = driver(flags: flags)
      driver.put(SMMUPlace.level3 + 8, Self.table1 | 0x7c7)
      #expect(driver.smmu.read(3, 8) == (flags == 0 ? .completed(0) : .aborted))
      #expect(driver.events().map(\.type) == (flags == 0 ? [] : [.permission]))
    }
  }

  /// What a page of stage 1 comes to.
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var descriptor: UInt64
    var isWrite = false
    var isPrivileged = true
    var event: SMMUEventType?
  }

  static let cases = [
    Case(testDescription: "read", descriptor: data | leaf),
    Case(testDescription: "write", descriptor: data | leaf, isWrite: true),
    Case(
      testDescription: "write where it is read-only", descriptor: data | leaf | 1 << 7,
      isWrite: true, event: .permission),
    Case(
      testDescription: "EL0 where it is EL1's", descriptor: data | leaf & ~(1 << 6),
      isPrivileged: false, event: .permission),
    Case(
      testDescription: "not accessed", descriptor: data | leaf & ~(1 << 10), event: .accessFlag),
    Case(testDescription: "invalid", descriptor: 0, event: .translation),
    Case(
      testDescription: "beyond stage 2", descriptor: 1 << 40 | leaf, event: .translation),
  ]

  @Test("Rights and faults of stage 1", arguments: cases)
  func rights(_ `case`: Case) {
    let driver = driver()
    driver.put(Self.table2, `case`.descriptor)
    let response = driver.smmu.process(
      DeviceTransaction(
        3, 8, write: `case`.isWrite ? 1 : nil, isPrivileged: `case`.isPrivileged))
    #expect(response == (`case`.event == nil ? .completed(0) : .aborted))
    #expect(driver.events().map(\.type) == (`case`.event.map { [$0] } ?? []))
  }

  @Test(
    "A context that is illegal is C_BAD_CD",
    arguments: [
      contextWord0 & ~(1 << 31), contextWord0 & ~(1 << 41), contextWord0 | 1 << 15,
      contextWord0 & ~0x3f | 15, contextWord0 & ~0x3f | 40, contextWord0 | 1 << 6,
    ])
  func badContext(word0: UInt64) {
    let driver = driver()
    driver.put(Self.context, word0)
    #expect(driver.smmu.read(3, 8) == .aborted)
    #expect(driver.events().map(\.type) == [.badContext])
  }

  @Test("CMD_TLBI_S2_IPA doesn't reach what is combined of both stages")
  func combined() {
    let driver = driver()
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.put(SMMUPlace.level3 + 3 * 8, 0)
    driver.post(invalidateStage2(Self.data), synchronise)
    #expect(driver.smmu.read(3, 8) == .completed(0))
    #expect(driver.smmu.isKept(Self.data))
    driver.post(invalidateStage1, synchronise)
    #expect(driver.smmu.read(3, 8) == .aborted)
    #expect(!driver.smmu.isKept(Self.data))
  }

  @Test("Up to a CMD_SYNC the two may happen in any order, with the device in between")
  func anyOrder() {
    for isOrdered in [false, true] {
      var kept = 0
      for seed in UInt64(0)..<32 {
        var configuration = SMMUConfiguration()
        configuration.invalidation = .anyOrder(seed: seed)
        let driver = driver(configuration)
        #expect(driver.smmu.read(3, 8) == .completed(0))
        driver.put(SMMUPlace.level3 + 3 * 8, 0)
        if isOrdered {
          driver.post(invalidateStage2(Self.data), synchronise, invalidateStage1, synchronise)
        } else {
          driver.post(invalidateStage2(Self.data), invalidateStage1, synchronise)
        }
        if driver.smmu.read(3, 8) != .aborted { kept += 1 }
      }
      #expect(isOrdered ? kept == 0 : (1..<32).contains(kept))
    }
  }

  @Test("Invalidating stage 1 alone doesn't do either")
  func stage1Alone() {
    let driver = driver()
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.put(SMMUPlace.level3 + 3 * 8, 0)
    driver.post(invalidateStage1, synchronise)
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.post(invalidateBoth, synchronise)
    #expect(driver.smmu.read(3, 8) == .aborted)
  }

  @Test("Where stages are not combined CMD_TLBI_S2_IPA suffices")
  func separate() {
    var configuration = SMMUConfiguration()
    configuration.combinesStages = false
    let driver = driver(configuration)
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.put(SMMUPlace.level3 + 3 * 8, 0)
    driver.post(invalidateStage2(Self.data), synchronise)
    #expect(driver.smmu.read(3, 8) == .aborted)
  }

  @Test(
    "The host's invalidations reach its own address space",
    arguments: [
      (0x12 | 5 << 32 | 9 << 48, 0, false), (0x12 | 5 << 32 | 8 << 48, 0, true),
      (0x12 | 5 << 32 | 9 << 48, 0x1000, true), (0x12 | 4 << 32 | 9 << 48, 0, true),
      (0x13 | 5 << 32, 0, false), (0x11 | 5 << 32 | 9 << 48, 0, false),
      (0x11 | 5 << 32 | 8 << 48, 0, true),
    ] as [(UInt64, UInt64, Bool)])
  func reach(word0: UInt64, word1: UInt64, stays: Bool) {
    let driver = driver()
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.put(Self.table2, 0)
    driver.post((word0, word1), synchronise)
    #expect(driver.smmu.read(3, 8) == (stays ? .completed(0) : .aborted))
  }

  @Test("A context stays until CMD_CFGI_CD")
  func contextCached() {
    let driver = driver()
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.put(Self.context, 0)
    driver.post((0x30, 0), synchronise)
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.post((0x05 | 3 << 32, 1), synchronise)
    #expect(driver.smmu.read(3, 8) == .aborted)
    #expect(driver.events().map(\.type) == [.badContext])
  }

  @Test(
    "All contexts of a stream go with its entry, when CMD_SYNC completes; those of others stay",
    arguments: [
      (0x03 | 3 << 32, 1, false), (0x03 | 3 << 32, 0, false), (0x04 | 2 << 32, 0, false),
      (0x04, 31, false), (0x06 | 3 << 32, 0, false), (0x03 | 4 << 32, 0, true),
      (0x04 | 4 << 32, 0, true), (0x06 | 4 << 32, 0, true), (0x01 | 3 << 32, 0, true),
    ] as [(UInt64, UInt64, Bool)])
  func contextsForgotten(word0: UInt64, word1: UInt64, stays: Bool) {
    var configuration = SMMUConfiguration()
    configuration.invalidation = .atSync
    configuration.substreamIDBits = 4
    let driver = driver(configuration)
    // S1CDMax 1, and S1DSS 2: without a substream it is context 0.
    driver.setEntry(
      3, 0xf | Self.context | 1 << 59, 1 << 44 | 0xd6, 5 | stage2Control | stage2Flags,
      SMMUPlace.root)
    driver.put(Self.context + 64, Self.contextWord0, Self.table1)
    #expect(driver.smmu.read(3, 8) == .completed(0))
    #expect(driver.smmu.read(3, 8, substream: 1) == .completed(0))
    driver.put(Self.context, 0)
    driver.put(Self.context + 64, 0)
    driver.post((word0, word1))
    #expect(driver.smmu.read(3, 8) == .completed(0))
    driver.post(synchronise)
    let expected = stays ? DeviceResponse.completed(0) : .aborted
    #expect(driver.smmu.read(3, 8) == expected)
    #expect(driver.smmu.read(3, 8, substream: 1) == expected)
  }

  @Test("Substreams: each has a context, and S1DSS says what becomes of the rest")
  func substreams() {
    var configuration = SMMUConfiguration()
    configuration.substreamIDBits = 4
    let driver = driver(configuration)
    let word0 = 0xf | Self.context | 1 << 59
    let word2 = 5 | stage2Control | stage2Flags
    driver.setEntry(3, word0, 1 << 44 | 0xd4, word2, SMMUPlace.root)
    driver.put(Self.context + 64, Self.contextWord0, Self.table1)
    #expect(driver.smmu.read(3, 8, substream: 1) == .completed(0))
    #expect(driver.smmu.read(3, 8, substream: 2) == .aborted)
    #expect(driver.smmu.read(3, 8) == .aborted)
    #expect(driver.events().map(\.type) == [.badSubstream, .streamDisabled])
    // S1DSS 1: stage 1 is passed by, and stage 2 is not.
    driver.setEntry(3, word0, 1 << 44 | 0xd5, word2, SMMUPlace.root)
    driver.post(invalidateEntry(3), synchronise)
    #expect(driver.smmu.read(3, Self.data) == .completed(0))
    #expect(driver.smmu.read(3, 0x9000_0000) == .aborted)
    #expect(driver.events().map(\.isStage2) == [true])
    // S1DSS 2: they have context 0.
    driver.setEntry(3, word0, 1 << 44 | 0xd6, word2, SMMUPlace.root)
    driver.post(invalidateEntry(3), synchronise)
    #expect(driver.smmu.read(3, 8) == .completed(0))
    #expect(driver.smmu.read(3, 8, substream: 0) == .aborted)
    #expect(driver.events().map(\.type) == [.streamDisabled])
  }

  @Test("Stage 1 by itself comes to physical addresses")
  func stage1() {
    let driver = SmallSMMUDriver()
    driver.setEntry(3, 0xb | 0x6000_0000, 1 << 44 | 0xd4)
    driver.put(0x6000_0000, Self.contextWord0, 0x6000_1000)
    driver.put(0x6000_1000, 0x6000_2000 | table)
    driver.put(0x6000_2000, 0x6000_3000 | Self.leaf)
    driver.put(0x6000_3010, 7)
    #expect(driver.smmu.read(3, 0x10) == .completed(7))
    #expect(driver.smmu.read(3, 1 << 30) == .aborted)
    let event = driver.events().first
    #expect(event?.type == .translation && event?.isStage2 == false)
  }

  @Test("A table of contexts may have two levels")
  func twoLevelContexts() {
    var configuration = SMMUConfiguration()
    configuration.substreamIDBits = 8
    let driver = driver(configuration)
    // S1Fmt 1, S1CDMax 8: the first level where the context was, the second in the data's page.
    driver.setEntry(
      3, 0xf | Self.context | 1 << 4 | 8 << 59, 1 << 44 | 0xd4,
      5 | stage2Control | stage2Flags, SMMUPlace.root)
    driver.put(Self.context, 0, Self.data | 1)
    driver.put(Self.data + 64, Self.contextWord0, Self.table1)
    #expect(driver.smmu.read(3, 0x40, substream: 65) == .completed(Self.contextWord0))
    #expect(driver.smmu.read(3, 0x40, substream: 1) == .aborted)
    let event = driver.events().first
    #expect(event?.type == .badSubstream && event?.substream == SubstreamID(1))
  }

  @Test("Without A a refused write is lost and a read is zero; without R nobody is told")
  func silent() {
    let driver = driver()
    driver.put(Self.context, Self.contextWord0 & ~(3 << 45), Self.table1)
    driver.put(Self.table2, 0)
    driver.put(Self.data, 42)
    #expect(driver.smmu.read(3, 0) == .completed(0))
    #expect(driver.smmu.write(3, 0, 1) == .completed(0))
    #expect(driver.word(Self.data) == 42 && driver.events().isEmpty)
  }

  @Test(
    "Hardware sets the Access flag of stage 1 where stage 2 lets it write",
    arguments: [true, false])
  func accessFlag(mayWrite: Bool) {
    var configuration = SMMUConfiguration()
    configuration.hardwareUpdates = 1
    let driver = driver(configuration)
    driver.put(Self.context, Self.contextWord0 | 1 << 43, Self.table1)
    driver.put(Self.table2, Self.data | Self.leaf & ~(1 << 10))
    if !mayWrite { driver.put(SMMUPlace.level3 + 2 * 8, Self.table2 | 0x77f) }
    #expect(driver.smmu.read(3, 0) == (mayWrite ? .completed(0) : .aborted))
    #expect(driver.word(Self.table2) & 1 << 10 == (mayWrite ? 1 << 10 : 0))
    #expect(driver.events().map(\.accessClass) == (mayWrite ? [] : [.table]))
  }

  @Test(
    "What has been read and is kept may still not be written where a stage forbids it",
    arguments: [1, 2])
  func keptRights(stage: Int) {
    let driver = driver()
    if stage == 1 {
      driver.put(Self.table2, Self.data | Self.leaf | 1 << 7)
    } else {
      driver.put(SMMUPlace.level3 + 3 * 8, Self.data | 0x77f)
    }
    #expect(driver.smmu.read(3, 0) == .completed(0))
    #expect(driver.smmu.write(3, 0, 1) == .aborted)
    #expect(driver.smmu.read(3, 0) == .completed(0))
    let events = driver.events()
    #expect(events.map(\.type) == [.permission])
    #expect(events.map(\.isStage2) == [stage == 2])
  }

  @Test("What has been written and is kept may still not be read where stage 2 forbids it")
  func keptReads() {
    let driver = driver()
    driver.put(SMMUPlace.level3 + 3 * 8, Self.data | 0x7bf)
    #expect(driver.smmu.write(3, 0, 1) == .completed(0))
    #expect(driver.smmu.read(3, 0) == .aborted)
    #expect(driver.events().map(\.isStage2) == [true])
  }
}
