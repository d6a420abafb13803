// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import Simulation

/// Which pages devices may do what to, as runs without gaps or overlaps, in order.
struct AccessMap: Equatable {
  struct Run: Equatable {
    var first: UInt64
    var end: UInt64
    var access: DMAAccess
  }
  private(set) var runs: [Run] = []

  subscript(page: UInt64) -> DMAAccess? {
    runs.first { $0.first <= page && page < $0.end }?.access
  }

  /// Replaces what is said of `pages`.
  mutating func set(_ pages: PageRange, _ access: DMAAccess?) {
    let first = pages.first.rawValue
    let end = first + pages.count
    var result: [Run] = []
    for run in runs {
      if run.end <= first || run.first >= end {
        result.append(run)
        continue
      }
      if run.first < first { result.append(Run(first: run.first, end: first, access: run.access)) }
      if run.end > end { result.append(Run(first: end, end: run.end, access: run.access)) }
    }
    if let access { result.append(Run(first: first, end: end, access: access)) }
    result.sort { $0.first < $1.first }
    runs = []
    for run in result {
      if let last = runs.last, last.end == run.first, last.access == run.access {
        runs[runs.count - 1].end = run.end
      } else {
        runs.append(run)
      }
    }
  }
}

/// What a driver was told, and what devices reach by it: the table, and what units still have cached.
final class Recorder: @unchecked Sendable {
  enum Call: Equatable {
    case begin
    case map(PageRange, DMAAccess)
    case unmap(PageRange)
    case restore(PageRange)
    case sync
  }

  var calls: [Call] = []
  var table = AccessMap()
  /// The table as it was when every unit last confirmed: until the next time, devices may go by it.
  var confirmed = AccessMap()
  var pageLimit: UInt64 = 1 << 28
  /// Looks at the board whenever the driver is called.
  var onCall: ((Call) -> Void)?
  /// What a driver was asked that it must not be.
  var violations: [String] = []

  /// Where it fails; nil is nowhere.
  var failsToBegin = false
  var refusedPage: UInt64?
  var refusalsLeft = Int.max
  var stuckPage: UInt64?
  var failsToSync = false
  var tables: UInt64 = 0

  /// Whether a device can reach the page now, at worst.
  func isReachable(_ page: UInt64) -> Bool { table[page] != nil || confirmed[page] != nil }

  func record(_ call: Call) {
    calls.append(call)
    onCall?(call)
  }
}

struct RecordingDriver: IOMMUDriver {
  let recorder: Recorder

  var pageLimit: UInt64 { recorder.pageLimit }

  mutating func begin<Memory: TableMemory & ~Copyable>(
    _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) {
    recorder.record(.begin)
    if recorder.failsToBegin { throw .unsupported(reason: 7) }
  }

  func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(IOMMUError) -> UInt64 {
    for index in ranges.indices {
      check(ranges[index])
      if let page = recorder.refusedPage, ranges[index].contains(frame(page)),
        recorder.refusalsLeft > 0
      {
        recorder.refusalsLeft -= 1
        throw .refused(frame(page))
      }
    }
    return recorder.tables
  }

  mutating func map<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ access: DMAAccess, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    check(pages)
    for run in recorder.table.runs
    where run.first <= pages.last.rawValue && pages.first.rawValue < run.end {
      recorder.violations.append("mapped twice: \(pages)")
    }
    recorder.table.set(pages, access)
    // A device may use it at once, and it may be cached from then on.
    recorder.confirmed.set(pages, access)
    recorder.record(.map(pages, access))
  }

  mutating func unmap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>, _ reservation: inout Reservation
  ) throws(IOMMUError) {
    check(pages)
    recorder.record(.unmap(pages))
    if let stuck = recorder.stuckPage, pages.contains(frame(stuck)) {
      // What lies below has gone already.
      if stuck > pages.first.rawValue {
        recorder.table.set(
          Simulation.pages(pages.first.rawValue, stuck - pages.first.rawValue), nil)
      }
      throw .notConfirmed(unit: 1)
    }
    recorder.table.set(pages, nil)
  }

  mutating func restore<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>
  ) {
    check(pages)
    for run in recorder.confirmed.runs {
      let first = max(run.first, pages.first.rawValue)
      let end = min(run.end, pages.first.rawValue + pages.count)
      if first < end { recorder.table.set(Simulation.pages(first, end - first), run.access) }
    }
    recorder.record(.restore(pages))
  }

  mutating func sync() throws(IOMMUError) {
    if recorder.failsToSync {
      recorder.record(.sync)
      throw .notConfirmed(unit: 0)
    }
    recorder.confirmed = recorder.table
    recorder.record(.sync)
  }

  private func check(_ pages: PageRange) {
    if pages.last.rawValue >= recorder.pageLimit {
      recorder.violations.append("beyond the limit: \(pages)")
    }
  }
}
