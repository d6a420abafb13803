// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import ITS
internal import Ownership
internal import Redistributor
internal import VirtualSMMU

// The figures of ``Statistic``, wherever each is kept.
extension Monitor {
  /// The figure with a number; nil where there is no such ITS.
  ///
  /// Takes one lock at a time: that of an ITS, of the Redistributors, or one of the machine.
  public func value(_ number: StatisticNumber) -> UInt64? {
    guard !number.statistic.isOfITS || Int(number.its) < platform.itsCount else { return nil }
    return switch number.statistic.owner {
    case .itsWords: platform.counts.value(number)
    case .redistributors:
      platform.guardsRedistributors
        ? platform.withRedistributors { number.value(in: $0) } : 0
    case .its:
      platform.withITS(number.its) { its in
        its.isMediated
          ? number.value(counters: its.mediation.counters, usage: its.mediation.usage) : 0
      }
    case .board where number.statistic == .itses: UInt64(platform.itsCount)
    case .board, .cpus, .ownership, .log, .smmus, .virtualSMMUs: platform.ownValue(number)
    }
  }

  /// Answers the host's call for the figure with a number.
  func answerStatistic(_ number: UInt64) -> SMCCC.Result {
    guard let value = StatisticNumber(number).flatMap({ value($0) }) else {
      return SMCCC.Result(UInt64(bitPattern: HypervisorService.invalidParameter))
    }
    var result = SMCCC.Result(0)
    result.x1 = value
    return result
  }
}

extension Monitor where Machine: BoardPlatform {
  /// What the board itself has counted.
  ///
  /// Takes one lock at a time: that of a virtual SMMU, of the owners of pages, or of the log.
  func boardValue(_ number: StatisticNumber) -> UInt64 {
    switch number.statistic.owner {
    case .board: platform.frequency
    case .cpus: platform.counts.value(number)
    case .ownership:
      state.shared.ownershipLock.withLock(on: platform) {
        number.value(in: state.shared.ownership.usage)
      }
    case .log:
      state.diagnostics.logLock.withLock(on: platform) {
        number.statistic == .logBytes
          ? state.diagnostics.log.waiting : state.diagnostics.log.dropped
      }
    case .smmus: dmaCount(number)
    case .virtualSMMUs: sumOfVirtualSMMUs { number.value(in: $0) }
    case .itsWords, .its, .redistributors: 0
    }
  }

  /// Writes a summary to the console, past the ring of the log.
  func writeStatistics() { StatisticSummary(MonitorStatistics(monitor: self)).write() }
}

private struct MonitorStatistics<Machine: BoardPlatform>: StatisticSource {
  let monitor: Monitor<Machine>

  func value(_ number: StatisticNumber) -> UInt64 { monitor.value(number) ?? 0 }
  func write(_ line: consuming LogLine) -> Bool { monitor.logNow(.info, line) }
}
