// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// Where a summary has its figures from, and its lines go to.
public protocol StatisticSource {
  /// The figure with a number; 0 where there is none.
  func value(_ number: StatisticNumber) -> UInt64
  /// Writes a line; false where no more are taken.
  func write(_ line: consuming LogLine) -> Bool
}

/// What a person wants to know when a host has ended, in at most 12 lines.
///
///     statistics: 6931 aborts, mean 3.1 us, longest 97.0 us; 1046 calls
///     longest abort: ESR_EL2 0x93c08007, IPA 0x8080088
///     accesses refused: 3 width not permitted, 1 not mapped
///     ITS commands: 2113 committed, 1 refused; 0 accesses without effect
///     commands refused: 1 device not mapped
///
/// A line about what there is not, or never was, is left out. Figures of ITSes are sums over all of them.
public struct StatisticSummary<Source: StatisticSource> {
  private let source: Source

  /// A summary of what `source` has.
  public init(_ source: Source) { self.source = source }

  /// Writes the lines, until one is not taken.
  public func write() {
    _ =
      writeAborts() && writeRefusals("accesses refused: ", .refusedAccesses)
      && writeCommands() && writeRefusals("commands refused: ", .refusedCommands)
      && writeITSMemory()
      && writeRedistributors() && writeRefusals("LPI tables refused: ", .refusedTables)
      && writePages() && writeSMMUs() && writeFaults() && writeVirtualSMMUs()
  }

  // MARK: Lines

  private func writeAborts() -> Bool {
    let longest = sum(.longestTrap)
    var line = LogLine("statistics: ")
    add(.traps, " aborts, mean ", to: &line)
    line.append(microseconds: sum(.ticks) / max(sum(.traps), 1), sum(.frequency))
    line.append(", longest ")
    line.append(microseconds: longest, sum(.frequency))
    line.append("; ")
    add(.calls, " calls", to: &line)
    guard source.write(line), longest > 0 else { return longest == 0 }
    var worst = LogLine("longest abort: ESR_EL2 ")
    worst.append(hex: sum(.longestSyndrome))
    worst.append(", IPA ")
    worst.append(hex: sum(.longestAddress))
    return source.write(worst)
  }

  private func writeCommands() -> Bool {
    guard sum(.itses) > 0 else { return true }
    var line = LogLine("ITS commands: ")
    add(.commands, " committed, ", to: &line)
    add(.refusedCommands, " refused; ", to: &line)
    add(.ignored, " accesses without effect", to: &line)
    return source.write(line)
  }

  private func writeITSMemory() -> Bool {
    guard sum(.itses) > 0 else { return true }
    var line = LogLine("ITS memory: ")
    add(.pages, " pages in use, ", to: &line)
    add(.freePages, " free; devices mapped: ", to: &line)
    add(.devices, ", collections: ", to: &line)
    add(.collections, ", tables that wait for the hardware: ", to: &line)
    add(.retiring, "", to: &line)
    return source.write(line)
  }

  private func writeRedistributors() -> Bool {
    guard sum(.redistributors) > 0 else { return true }
    var line = LogLine("Redistributors: ")
    add(.redistributors, "; ", to: &line)
    add(.tablesHeld, " LPI tables held, ", to: &line)
    add(.refusedTables, " refused; ", to: &line)
    add(.tablesIgnored, " accesses without effect", to: &line)
    return source.write(line)
  }

  private func writePages() -> Bool {
    var line = LogLine("pages of the host: ")
    add(.claimedPages, " taken, ", to: &line)
    add(.sharedPages, " shared, ", to: &line)
    add(.pins, " pins; table pages: ", to: &line)
    add(.tablePages, " in use, ", to: &line)
    add(.freeTablePages, " free; log lines lost: ", to: &line)
    add(.lostLines, "", to: &line)
    return source.write(line)
  }

  private func writeSMMUs() -> Bool {
    guard sum(.smmus) > 0 else { return true }
    var line = LogLine("SMMUs: ")
    add(.smmus, "; ", to: &line)
    add(.syncs, " SYNCs, ", to: &line)
    add(.unconfirmed, " batches not confirmed; ", to: &line)
    add(.smmuEvents, " events, ", to: &line)
    add(.unloggedEvents, " not logged, queue full ", to: &line)
    add(.smmuOverflows, " times", to: &line)
    return source.write(line)
  }

  private func writeFaults() -> Bool {
    guard sum(.dmaFaults) + sum(.unknownFaults) > 0 else { return true }
    var line = LogLine("DMA faults: ")
    add(.unknownFaults, " of no known type", to: &line)
    append(.dmaFaults, after: ", ", to: &line)
    line.append("; the last logged: stream ")
    line.append(hex: sum(.lastStream))
    line.append(" at ")
    line.append(hex: sum(.lastAddress))
    return source.write(line)
  }

  private func writeVirtualSMMUs() -> Bool {
    guard sum(.virtualSMMUs) > 0 else { return true }
    var line = LogLine("virtual SMMUs: ")
    add(.virtualSMMUs, "; ", to: &line)
    add(.virtualCommands, " commands carried out", to: &line)
    append(.virtualRefused, after: ", refused: ", to: &line)
    return source.write(line)
  }

  /// One line of a statistic that has an item for each reason; none where nothing was refused.
  private func writeRefusals(_ title: StaticString, _ statistic: Statistic) -> Bool {
    guard sum(statistic) > 0 else { return true }
    var line = LogLine()
    append(statistic, after: title, to: &line)
    return source.write(line)
  }

  // MARK: Figures

  /// Appends a figure and what is behind it.
  @inline(never)
  private func add(_ statistic: Statistic, _ text: StaticString, to line: inout LogLine) {
    line.append(sum(statistic), text)
  }

  /// All items of a statistic, of all ITSes.
  @inline(never)
  private func sum(_ statistic: Statistic) -> UInt64 {
    var sum: UInt64 = 0
    for item in 0..<UInt8(statistic.row.items) { sum &+= self.sum(statistic, item) }
    return sum
  }

  private func sum(_ statistic: Statistic, _ item: UInt8) -> UInt64 {
    guard statistic.isOfITS else { return source.value(StatisticNumber(statistic, item: item)) }
    var sum: UInt64 = 0
    for its in 0..<UInt8(truncatingIfNeeded: source.value(StatisticNumber(.itses))) {
      sum &+= source.value(StatisticNumber(statistic, its: its, item: item))
    }
    return sum
  }

  /// Appends each item that is not zero, with its name; what does not fit is added up.
  private func append(
    _ statistic: Statistic, after title: StaticString, to line: inout LogLine
  ) {
    var others: UInt64 = 0
    var separator = title
    for item in 0..<UInt8(statistic.row.items) {
      let value = sum(statistic, item)
      guard value > 0, let name = statistic.name(of: item) else { continue }
      guard line.room > 100 else {
        others &+= value
        continue
      }
      line.append(separator)
      line.append(value, " ")
      line.append(name)
      separator = ", "
    }
    guard others > 0 else { return }
    line.append(separator)
    line.append(others, " others")
  }
}

extension LogLine {
  @inline(never)
  fileprivate mutating func append(_ value: UInt64, _ text: StaticString) {
    append(decimal: value)
    append(text)
  }

  /// Appends counts of a clock as microseconds, with one decimal.
  @inline(never)
  fileprivate mutating func append(microseconds ticks: UInt64, _ frequency: UInt64) {
    let second: UInt64 = 10_000_000
    let frequency = max(frequency, 1)
    let tenths = ticks / frequency &* second &+ ticks % frequency &* second / frequency
    append(tenths / 10, ".")
    append(tenths % 10, " us")
  }
}
