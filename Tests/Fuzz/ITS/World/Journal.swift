// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
@testable import ITS
@testable import SimulatedHardware

/// What words held before they changed, to go back step by step.
struct Journal {
  var words: [(address: UInt64, old: UInt64)] = []
  var tables: [(address: UInt64, old: UInt64)] = []
}

/// Two sums that tell contents apart: whatever differs, differs in one of them but for chance.
package struct Fingerprint: Hashable, Sendable {
  private var low: UInt64
  private var high: UInt64

  /// The sums of nothing.
  package init() { self.init(low: 0, high: 0) }

  fileprivate init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ z >> 32) &* 0xd6e8_feb8_6659_fd93
    z = (z ^ z >> 32) &* 0xd6e8_feb8_6659_fd93
    return z ^ z >> 32
  }

  @inline(__always)
  mutating func add(_ address: UInt64, _ value: UInt64) {
    guard value != 0 else { return }
    low &+= Self.mix(Self.mix(value) ^ address)
    high &+= Self.mix(Self.mix(value &+ 0x5bd1_e995) &+ address)
  }

  @inline(__always)
  mutating func remove(_ address: UInt64, _ value: UInt64) {
    guard value != 0 else { return }
    low &-= Self.mix(Self.mix(value) ^ address)
    high &-= Self.mix(Self.mix(value &+ 0x5bd1_e995) &+ address)
  }
}

extension World {
  /// A place to go back to: cheap, for what memory holds is kept as a journal.
  package struct Mark {
    fileprivate let words: Int
    fileprivate let tables: Int
    fileprivate let services: [MediatedService.State]
    fileprivate let hardware: [SimulatedITS.State]
    fileprivate let redistributors: [SimulatedRedistributor.State]
    fileprivate let pages: (ownership: [UInt8], claims: [UInt8], reached: [Bool])
    fileprivate let comparison: BoardComparison?
    fileprivate let memory: Fingerprint
  }

  /// Begins to keep the journal that marks need.
  package func beginJournal() { journal = Journal() }

  /// Marks the state as it is; `memory` is the sum over memory.
  package func mark(_ memory: Fingerprint) -> Mark {
    Mark(
      words: journal?.words.count ?? 0, tables: journal?.tables.count ?? 0,
      services: services.map(\.state), hardware: gic.services.map(\.state),
      redistributors: gic.redistributors.map(\.state), pages: pages.small,
      comparison: comparison, memory: memory)
  }

  /// Goes back to a mark; the sum over memory there.
  package func goBack(to mark: Mark) -> Fingerprint {
    guard var kept = journal else { return mark.memory }
    journal = nil
    while kept.words.count > mark.words {
      let (address, old) = kept.words.removeLast()
      gic.memory.store(.double, old, at: address, by: .nonCoherentDevice)
    }
    while kept.tables.count > mark.tables {
      let (address, old) = kept.tables.removeLast()
      pages.restore(old, at: address)
    }
    journal = kept
    for (service, state) in zip(services, mark.services) { service.state = state }
    for (service, state) in zip(gic.services, mark.hardware) { service.state = state }
    for (redistributor, state) in zip(gic.redistributors, mark.redistributors) {
      redistributor.state = state
    }
    pages.small = mark.pages
    comparison = mark.comparison
    return mark.memory
  }

  /// The sum over memory now, from the sum at the last mark.
  package func fingerprint(since mark: Mark) -> Fingerprint {
    var sum = mark.memory
    guard let journal else { return sum }
    var changed = Array(journal.words[mark.words...].enumerated())
    changed.sort { ($0.element.address, $0.offset) < ($1.element.address, $1.offset) }
    var last: UInt64?
    for (_, word) in changed where word.address != last {
      last = word.address
      sum.remove(word.address, word.old)
      sum.add(word.address, gic.memory.load(.double, at: word.address))
    }
    return sum
  }

  /// All that decides what happens next, in two numbers: memory and whatever else there is.
  ///
  /// Counters and the log are left out, for nothing depends on them.
  package func identity(_ memory: Fingerprint, _ extra: (inout Hasher) -> Void) -> Fingerprint {
    var hashers = (Hasher(), Hasher())
    hashers.1.combine(1)
    func feed(_ hasher: inout Hasher) {
      for service in services {
        let counters = service.its.pointee.counters
        service.its.pointee.counters = ITSCounters()
        _ = service.its.pointee.takeRefusal()
        defer { service.its.pointee.counters = counters }
        hasher.combine(
          bytes: UnsafeRawBufferPointer(start: service.its, count: MemoryLayout<MediatedITS>.size))
      }
      for service in gic.services { hasher.combine(service.state) }
      for redistributor in gic.redistributors { hasher.combine(redistributor.state) }
      hasher.combine(pages.small.reached)
      hasher.combine(memory)
      extra(&hasher)
    }
    feed(&hashers.0)
    feed(&hashers.1)
    return Fingerprint(
      low: UInt64(bitPattern: Int64(hashers.0.finalize())),
      high: UInt64(bitPattern: Int64(hashers.1.finalize())))
  }
}
