// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import SimulatedHardware

@Suite("The text of the log of tables")
struct TableTextTests {
  private static let pages = PageRange(first: PageFrameNumber(0x40001), count: 3)

  private static let actions: [SMMUAction] = [
    .enable(breakBeforeMake: 2), .disable, .combine, .tell, .sync,
    .invalidateStage2(vmid: 7, first: 0x1000, last: 0x2fff), .invalidateBothStages(vmid: .max),
    .invalidateCombined(vmid: 0), .invalidateAll,
    .configure(first: 0, last: UInt64(UInt32.max), isLeaf: false),
    .configure(first: 8, last: 8, isLeaf: true), .other(0xff),
  ]

  private static let services: [ITSAction] = [
    .enable, .quiescent, .tell, .map(device: .max, base: 0x9_0000, size: 0x100),
    .unmap(device: 0), .collection(target: 0x80a), .sync(target: 3),
  ]

  private static let entries: [LoggedEntry?] =
    LoggedTable.allCases.map { LoggedEntry($0, level: 3, input: .max, unit: 0x905_0000) } + [
      nil, LoggedEntry(.streamEntry, level: 0, input: 8, unit: 1, isUsed: false),
    ]

  static let events: [TableEvent] =
    LoggedTable.allCases.map {
      .root(TableRoot($0, base: 0x1000, size: 0x2000, level: 1, unit: 0x808_0000, vmid: 9))
    } + entries.map { .store(LoggedStore($0, at: 0x4008, 0, .max)) }
    + actions.map { .smmu(0x905_0000, $0) } + services.map { .its(0x808_0000, $0) }
    + (0...UInt8.max).compactMap(LockRank.init(rawValue:)).flatMap {
      [TableEvent.take($0), .release($0)]
    } + [
      .barrier, .clean(address: 64, size: .max), .invalidateStage2(pages), .invalidateStage2(nil),
      .invalidateHypervisor(address: 0x4000, count: 1), .enter, .leave, .run, .uncached,
    ]

  @Test("What is written is read again", arguments: events)
  func roundTrip(event: TableEvent) {
    let record = TableRecord(12, cpu: 3, event)
    #expect(TableRecord(record.text) == record)
    #expect(record.text.hasPrefix("12 3 "))
    #expect(record.text.allSatisfy { $0.isASCII && !$0.isNewline })
  }

  @Test("No two events have one text")
  func different() {
    #expect(Set(Self.events).count == Self.events.count)
    #expect(Set(Self.events.map { $0.words }).count == Self.events.count)
  }

  @Test("A line that is cut, too long or no event is none", arguments: events)
  func cut(event: TableEvent) {
    let line = TableRecord(12, cpu: 3, event).text
    let words = line.split(separator: " ")
    for count in words.indices {
      #expect(TableRecord(words[..<count].joined(separator: " ")) == nil)
    }
    #expect(TableRecord(line + " 0") == nil)
  }

  @Test(
    "Numbers and names out of range are refused",
    arguments: [
      "", "# a remark", "1 0 nothing", "-1 0 barrier", "0 x barrier", "0 0 take tea",
      "0 0 store s2 4 0x0 0x0 1 0x0 0x0 0x1", "0 0 store s3 3 0x0 0x0 1 0x0 0x0 0x1",
      "0 0 store s2 3 0x0 0x0 2 0x0 0x0 0x1", "0 0 smmu 0x0 tlbi-s12 65536",
      "0 0 smmu 0x0 cfgi 0x2 0x1 0", "0 0 tlbi-s2 0x1000 0",
      "0 0 clean 0x0 0x10000000000000000", "0 0 its 0x0 mapd 4294967296 0x0 0x0",
    ])
  func refused(line: String) { #expect(TableRecord(line) == nil) }
}
