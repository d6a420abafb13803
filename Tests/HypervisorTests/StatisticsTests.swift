// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import DeviceTree
import Testing
import Traps

@testable import Hypervisor
@testable import ITS
@testable import Ownership

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

  @Test("Counts of all CPUs are added up")
  func sums() {
    for cpu in 0..<3 as Range<UInt64> {
      for _ in 0...cpu { counts.countTrap(cpu: cpu, ticks: 1, syndrome: 0, address: 0) }
      counts.countUnfinished(cpu: cpu)
      counts.countCall(cpu: cpu)
      counts.count(.unmapped, cpu: cpu)
    }
    #expect(counts.value(.traps) == 6)
    #expect(counts.value(.unfinished) == 3)
    #expect(counts.value(.calls) == 3)
    #expect(counts.refused(.unmapped) == 3)
    #expect(counts.refused(.width) == 0)
  }

  @Test(
    "The longest trap is that of any CPU, with what it was about", arguments: 0..<3 as Range<UInt64>
  )
  func longest(slowest: UInt64) {
    for cpu in 0..<3 as Range<UInt64> {
      counts.countTrap(cpu: cpu, ticks: cpu == slowest ? 900 : 7, syndrome: cpu, address: cpu + 10)
      counts.countTrap(cpu: cpu, ticks: 6, syndrome: 77, address: 77)
    }
    #expect(counts.value(.longestTrap) == 900)
    #expect(counts.value(.ticks) == 900 + 2 * 7 + 3 * 6)
    #expect(counts.value(.longestSyndrome) == slowest)
    #expect(counts.value(.longestAddress) == slowest + 10)
  }

  @Test(
    "Every word of the control frame and every command has a count of its own, up to GITS_BASER7")
  func services() {
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
        let number = StatisticNumber(
          rawValue: (UInt64(service) + 1) * StatisticNumber.page + index)
        guard case .service(let owner, let place) = number.meaning else { continue }
        #expect(owner == service && place == index)
        let count = counts.service(owner, place) ?? 0
        // The last of the registers is all that lie behind GITS_BASER7.
        let isLast = index == 80 || index == 176
        #expect(count == (isLast ? 2 : 1), "index \(index)")
        sum += count
      }
      #expect(sum == 82 * 2 + 64)
    }
  }

  @Test("Each number has a meaning and a name of its own, or neither")
  func names() {
    var names: [String: UInt64] = [:]
    for number in 0..<3 * StatisticNumber.page {
      var text = Text()
      StatisticNumber(rawValue: number).writeName(to: &text)
      let name = String(decoding: text.bytes, as: UTF8.self)
      #expect((StatisticNumber(rawValue: number).meaning == nil) == name.isEmpty)
      // All commands that the architecture reserves are called so.
      guard !name.isEmpty, !name.hasSuffix(": reserved") else { continue }
      #expect(names[name] == nil, "\(number) is called as \(names[name] ?? 0): \(name)")
      names[name] = number
    }
    func expect(_ name: String, _ number: UInt64) {
      let found = names[name] ?? .max
      #expect(found == number, "\(name)")
    }
    expect("traps", 2)
    expect("accesses refused: not mapped", 26)
    expect("Redistributors", 64)
    expect("Redistributors, tables held", 67)
    expect("Redistributors, tables refused: the pending table is not the host's", 83)
    expect("ITS 0 loads of GITS_CREADR", 512 + 0x90 / 4)
    expect("ITS 0 stores to GITS_CWRITER", 512 + 96 + 0x88 / 4)
    expect("ITS 1 commands accepted: MAPD", 1024 + 192 + 8)
    expect("ITS 1 commands refused: no memory left", 1024 + 256 + 14)
    expect("ITS 0 doorbells", 512 + 289)
    expect("table pages in use", 128)
    expect("SMMUs", 160)
    expect("stream of the last DMA fault", 169)
    expect("DMA faults: F_TRANSLATION", 192 + 0x10)
    expect("DMA faults: of no known type", 230)
    expect("virtual SMMUs", 256)
    expect("virtual SMMUs that have broken down", 263)
    expect("virtual SMMUs, refused: reserved command", 272)
    expect("virtual SMMUs, refused: the event queue is not the host's memory", 287)
    expect("pins of pages", 132)
    expect("ITS 0 pages in use", 512 + 320)
    expect("ITS 1 unfinished doorbells", 1024 + 325)
  }

  @Test("Each gauge reads its own figure")
  func gauges() {
    let ownership = OwnershipUsage(tables: 1, freeTables: 2, claimed: 3, shared: 4, pins: 5)
    let service = ITSUsage(
      pages: 1, freePages: 2, devices: 3, collections: 4, retiring: 5, doorbells: 6, heldTables: 7)
    for number in 0..<StatisticNumber.page {
      switch StatisticNumber(rawValue: number).meaning {
      case .gauge(let gauge):
        let value = gauge.value(in: ownership)
        #expect(value == (number < 133 ? number - 127 : nil), "number \(number)")
      default: #expect(!(128..<135).contains(number), "number \(number)")
      }
      switch StatisticNumber(rawValue: 2 * StatisticNumber.page + number).meaning {
      case .serviceGauge(let owner, let gauge):
        #expect(owner == 1 && gauge.value(in: service) == number - 319, "number \(number)")
      default: #expect(!(320..<327).contains(number), "number \(number)")
      }
    }
  }

  @Test("A number beyond any ITS means nothing")
  func beyond() {
    #expect(StatisticNumber(rawValue: .max).meaning == nil)
    #expect(StatisticNumber(rawValue: 257 * StatisticNumber.page + 289).meaning == nil)
    #expect(counts.service(0, 256) == nil)
  }

  private struct Text: TextSink {
    var bytes: [UInt8] = []
    mutating func append(_ byte: UInt8) { bytes.append(byte) }
  }
}
