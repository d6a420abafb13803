// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU
import Testing
import Traps

@testable import Hypervisor
@testable import ITS

@Suite("The summary of statistics")
struct StatisticSummaryTests {
  /// Figures by their numbers, and the lines that are written.
  private final class Figures: StatisticSource {
    var values: [StatisticNumber: UInt64] = [:]
    var lines: [String] = []
    var taken = Int.max

    func value(_ number: StatisticNumber) -> UInt64 { values[number] ?? 0 }

    func write(_ line: consuming LogLine) -> Bool {
      guard lines.count < taken else { return false }
      let text = line.text
      lines.append(String(decoding: text.indices.map { text[$0] }, as: UTF8.self))
      return true
    }

    subscript(_ statistic: Statistic, _ item: UInt8 = 0, its its: UInt8 = 0) -> UInt64 {
      get { value(StatisticNumber(statistic, its: its, item: item)) }
      set { values[StatisticNumber(statistic, its: its, item: item)] = newValue }
    }
  }

  private func summary(_ set: (Figures) -> Void) -> [String] {
    let figures = Figures()
    figures[.frequency] = 62_500_000
    set(figures)
    StatisticSummary(figures).write()
    return figures.lines
  }

  @Test("A host that has done nothing leaves two lines")
  func nothing() {
    #expect(
      summary { _ in } == [
        "statistics: 0 aborts, mean 0.0 us, longest 0.0 us; 0 calls",
        "pages of the host: 0 taken, 0 shared, 0 pins; table pages: 0 in use, 0 free; log lines lost: 0",
      ])
  }

  @Test("Times are microseconds, syndrome and address are hexadecimal")
  func longest() {
    let lines = summary {
      ($0[.traps], $0[.ticks], $0[.calls]) = (4, 1000, 17)
      ($0[.longestTrap], $0[.longestSyndrome], $0[.longestAddress]) = (625, 0x93c0_8007, 0x808_0088)
    }
    #expect(lines[0] == "statistics: 4 aborts, mean 4.0 us, longest 10.0 us; 17 calls")
    #expect(lines[1] == "longest abort: ESR_EL2 0x93c08007, IPA 0x8080088")
  }

  @Test("Times do not overflow", arguments: [0, 1, 62_500_000, 1_000_000_000] as [UInt64])
  func times(frequency: UInt64) {
    let lines = summary {
      $0[.frequency] = frequency
      ($0[.traps], $0[.ticks], $0[.longestTrap]) = (1, .max, .max)
    }
    #expect(lines.count == 3)
  }

  @Test("Reasons are listed where something was refused, and figures of ITSes added up")
  func refusals() {
    let lines = summary {
      $0[.itses] = 2
      $0[.refusedAccesses, Refusal.width.rawValue] = 3
      $0[.refusedAccesses, Refusal.unmapped.rawValue] = 1
      ($0[.commands, 8], $0[.commands, 8, its: 1], $0[.commands, 5, its: 1]) = (5, 6, 7)
      $0[.refusedCommands, CommandRefusalReason.deviceNotMapped.rawValue] = 1
      $0[.refusedCommands, CommandRefusalReason.deviceNotMapped.rawValue, its: 1] = 1
      ($0[.ignored, its: 1], $0[.pages], $0[.devices, its: 1]) = (9, 45, 4)
      // Of an ITS that is not there.
      $0[.ignored, its: 2] = 100
      ($0[.redistributors], $0[.tablesHeld], $0[.refusedTables, 3]) = (4, 8, 2)
    }
    #expect(
      lines.dropFirst().dropLast() == [
        "accesses refused: 3 width not permitted, 1 not mapped",
        "ITS commands: 18 committed, 2 refused; 9 accesses without effect",
        "commands refused: 2 device not mapped",
        "ITS memory: 45 pages in use, 0 free; devices mapped: 4, collections: 0, "
          + "tables that wait for the hardware: 0",
        "Redistributors: 4; 8 LPI tables held, 2 refused; 0 accesses without effect",
        "LPI tables refused: 2 the pending table is not the host's",
      ])
  }

  @Test("SMMUs have a line each way")
  func smmus() {
    let lines = summary {
      ($0[.smmus], $0[.syncs], $0[.smmuEvents]) = (1, 33, 3)
      ($0[.dmaFaults, SMMUEventType.translation.rawValue], $0[.unknownFaults]) = (2, 1)
      ($0[.lastStream], $0[.lastAddress]) = (8, 0x4000_0000)
      ($0[.virtualSMMUs], $0[.virtualCommands], $0[.virtualRefused, 0]) = (1, 55, 4)
    }
    #expect(
      lines.suffix(3) == [
        "SMMUs: 1; 33 SYNCs, 0 batches not confirmed; 3 events, 0 not logged, queue full 0 times",
        "DMA faults: 1 of no known type, 2 F_TRANSLATION; the last logged: stream 0x8 at 0x40000000",
        "virtual SMMUs: 1; 55 commands carried out, refused: 4 reserved command",
      ])
  }

  /// A source of which every figure is as large as it may be.
  private func whole() -> Figures {
    let figures = Figures()
    for number in (0..<2 * StatisticNumber.page).compactMap({ StatisticNumber($0) }) {
      figures.values[number] = 1 << 40
    }
    figures[.itses] = 1
    figures[.lastAddress] = .max
    return figures
  }

  @Test("There are at most 12 lines, and none is cut")
  func limit() {
    let figures = whole()
    StatisticSummary(figures).write()
    #expect(figures.lines.count == 12)
    for line in figures.lines { #expect(line.utf8.count < LogLine.capacity - 2 - 12, "\(line)") }
    #expect(figures.lines[2].hasSuffix(" others"))
  }

  @Test("A console that takes no more is not asked again", arguments: 0..<12)
  func refused(taken: Int) {
    let figures = whole()
    figures.taken = taken
    StatisticSummary(figures).write()
    #expect(figures.lines.count == taken)
  }
}
