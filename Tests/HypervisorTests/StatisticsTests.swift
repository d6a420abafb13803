// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import Traps

@testable import Hypervisor
@testable import ITS
@testable import Ownership
@testable import SMMUDriver

@Suite("What EL2 counts")
struct StatisticsTests {
  private let counts = Statistics(cpus: 3, memory: Words())

  /// As many words as two ITSes and three CPUs take.
  private final class Words: CountMemory {
    private var words = [UInt64](
      repeating: 0, count: Int(Statistics<Words>.size(cpus: 3, services: 2) / 8))
    func load(_ index: UInt64) -> UInt64 { words[Int(index)] }
    func store(_ value: UInt64, at index: UInt64) { words[Int(index)] = value }
  }

  private func value(_ statistic: Statistic, _ item: UInt8 = 0) -> UInt64 {
    counts.value(StatisticNumber(statistic, item: item))
  }

  @Test("Counts of all CPUs are added up")
  func sums() {
    for cpu in 0..<3 as Range<UInt64> {
      for _ in 0...cpu { counts.countTrap(cpu: cpu, ticks: 1, syndrome: 0, address: 0) }
      counts.countUnfinished(cpu: cpu)
      counts.countCall(cpu: cpu)
      counts.count(.unmapped, cpu: cpu)
    }
    #expect(value(.traps) == 6)
    #expect(value(.unfinished) == 3)
    #expect(value(.calls) == 3)
    #expect(value(.refusedAccesses, Refusal.unmapped.rawValue) == 3)
    #expect(value(.refusedAccesses, Refusal.width.rawValue) == 0)
  }

  @Test(
    "The longest trap is that of any CPU, with what it was about", arguments: 0..<3 as Range<UInt64>
  )
  func longest(slowest: UInt64) {
    for cpu in 0..<3 as Range<UInt64> {
      counts.countTrap(cpu: cpu, ticks: cpu == slowest ? 900 : 7, syndrome: cpu, address: cpu + 10)
      counts.countTrap(cpu: cpu, ticks: 6, syndrome: 77, address: 77)
    }
    #expect(value(.longestTrap) == 900)
    #expect(value(.ticks) == 900 + 2 * 7 + 3 * 6)
    #expect(value(.longestSyndrome) == slowest)
    #expect(value(.longestAddress) == slowest + 10)
  }

  @Test(
    "Every word of the control frame and every command has a count of its own, up to GITS_BASER7")
  func services() throws {
    for service in 0..<2 as Range<UInt8> {
      for offset in stride(from: UInt64(0), to: 0x148, by: 4) {
        counts.countLoad(service, offset)
        counts.countStore(service, offset)
      }
      for command in 0..<64 as Range<UInt8> { counts.countCommand(service, command) }
    }
    for service in 0..<2 as Range<UInt8> {
      var sum: UInt64 = 0
      for index in 0..<StatisticNumber.page {
        guard let number = StatisticNumber((UInt64(service) + 1) * StatisticNumber.page + index),
          number.statistic.owner == .itsWords
        else { continue }
        #expect(number.its == service)
        let count = counts.value(number)
        // The last of the registers is all that lie behind GITS_BASER7.
        let isLast = index == 80 || index == 176
        #expect(count == (isLast ? 2 : 1), "index \(index)")
        sum += count
      }
      #expect(sum == 82 * 2 + 64)
    }
  }

  @Test("Numbers and statistics stand for each other", arguments: [UInt64(0), 1, 2])
  func numbers(page: UInt64) {
    var found = 0
    for index in 0..<StatisticNumber.page {
      guard let number = StatisticNumber(page * StatisticNumber.page + index) else { continue }
      found += 1
      #expect(UInt64(number.its) == max(page, 1) - 1)
      let base = number.statistic.rawValue + UInt64(number.item)
      #expect(base == min(page, 1) * StatisticNumber.page + index)
      #expect(number.statistic.isOfITS == (page > 0))
    }
    // Not all raw values are reasons.
    let whole = 9 + 11 + 5 + 7 + 7 + 12 + 19 + 1 + 8 + 13
    #expect(found == (page == 0 ? whole : 81 * 2 + 64 + 15 + 10))
  }

  @Test(
    "A number keeps its meaning",
    arguments: [
      (2, Statistic.traps, 0), (26, .refusedAccesses, 10), (64, .redistributors, 0),
      (67, .tablesHeld, 0), (83, .refusedTables, 3), (128, .tablePages, 0), (132, .pins, 0),
      (160, .smmus, 0), (169, .lastStream, 0), (192 + 0x10, .dmaFaults, 0x10),
      (230, .unknownFaults, 0), (256, .virtualSMMUs, 0), (263, .virtualBroken, 0),
      (287, .virtualRefused, 15), (512 + 0x90 / 4, .loads, 0x24),
      (512 + 96 + 0x88 / 4, .stores, 0x22), (512 + 192 + 8, .commands, 8),
      (512 + 256 + 14, .refusedCommands, 14), (512 + 289, .doorbells, 0), (512 + 320, .pages, 0),
      (512 + 325, .unfinishedDoorbells, 0),
    ] as [(UInt64, Statistic, UInt8)])
  func meaning(number: UInt64, statistic: Statistic, item: UInt8) {
    #expect(StatisticNumber(number) == StatisticNumber(statistic, item: item))
  }

  @Test("Each gauge of pages and of an ITS reads its own figure")
  func gauges() {
    let ownership = OwnershipUsage(tables: 1, freeTables: 2, claimed: 3, shared: 4, pins: 5)
    let pages = [Statistic.tablePages, .freeTablePages, .claimedPages, .sharedPages, .pins]
    #expect(pages.map { StatisticNumber($0).value(in: ownership) } == [1, 2, 3, 4, 5])
    let usage = ITSUsage(
      pages: 1, freePages: 2, devices: 3, collections: 4, retiring: 5, doorbells: 6, heldTables: 7)
    var counters = ITSCounters()
    (counters.ignored, counters.doorbells, counters.publications) = (8, 9, 10)
    counters.refused[14] = 11
    let its: [Statistic] = [
      .pages, .freePages, .devices, .collections, .retiring, .unfinishedDoorbells, .heldTables,
      .ignored, .doorbells, .publications,
    ]
    #expect(
      its.map { StatisticNumber($0).value(counters: counters, usage: usage) } == Array(1...10))
    #expect(
      StatisticNumber(.refusedCommands, item: 14).value(counters: counters, usage: usage) == 11)
  }

  @Test("Each figure of the SMMUs is its own")
  func smmus() {
    var usage = SMMUUsage()
    (usage.invalidations, usage.syncs, usage.unconfirmed) = (4, 5, 6)
    let statistics: [Statistic] = [.smmus, .invalidations, .syncs, .unconfirmed, .keptPages]
    let values = statistics.map {
      StatisticNumber($0).value(
        units: 3, events: SMMUEventCounts(), usage: usage, keptPages: 7, last: nil)
    }
    #expect(values == [3, 4, 5, 6, 7])
  }

  @Test("A number beyond any ITS means nothing")
  func beyond() {
    #expect(StatisticNumber(.max) == nil)
    #expect(StatisticNumber(257 * StatisticNumber.page + 289) == nil)
    #expect(StatisticNumber(256 * StatisticNumber.page + 289)?.its == 255)
  }
}
