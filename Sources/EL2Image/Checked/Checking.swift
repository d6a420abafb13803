// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CEL2Boot
import CHeap
@testable import CheckedMonitor
import Boards
@testable import Hypervisor
import ITS
import Observing
import Ownership
import Redistributor
import Trace

// The checked image: the specification goes along with each ITS, and ends it all where EL2 does what is not
// permitted. It has a heap, and is never shipped.

/// What goes along, from the first ITS on.
///
/// A leaf: `logs` has memory for each ITS, whose lock is held where it is written or read.
@safe private final class Checker: @unchecked Sendable {
  /// The most that EL2 does in one trap.
  private static let capacity = 8192

  private let lock = SpinLock(.trace)
  /// With `lock` held.
  private var checker = MonitorChecker()
  private let logs: UnsafeMutablePointer<Observation>
  private let counts: UnsafeMutablePointer<Int>

  init(services: Int) {
    unsafe logs = .allocate(capacity: services * Self.capacity)
    unsafe counts = .allocate(capacity: services)
    unsafe counts.initialize(repeating: 0, count: services)
  }

  func note(_ observation: Observation, of its: UInt8) {
    let count = unsafe counts[Int(its)]
    // What does not fit the comparison misses, and so tells a difference.
    guard count < Self.capacity else { return }
    unsafe (logs + Int(its) * Self.capacity + count).initialize(to: observation)
    unsafe counts[Int(its)] = count + 1
  }

  /// Takes what was noted of an ITS.
  func take(_ its: UInt8) -> [Observation] {
    let count = unsafe counts[Int(its)]
    unsafe counts[Int(its)] = 0
    return unsafe Array(
      UnsafeBufferPointer(start: logs + Int(its) * Self.capacity, count: count))
  }

  func withLock<Result>(
    on platform: MetalPlatform, _ body: (inout MonitorChecker) -> Result
  ) -> Result {
    lock.withLock(on: platform) { body(&checker) }
  }
}

// Made when the first ITS begins, on the boot CPU.
nonisolated(unsafe) private var checker: Checker?

struct MetalWitness: Witness {
  fileprivate let its: UInt8

  func note(_ observation: Observation) { unsafe checker?.note(observation, of: its) }
}

extension MetalPlatform {
  var looksOn: Bool { true }

  func recordingMachine(
    of its: borrowing LockedITS, records: Bool
  ) -> ObservedITSMachine<RecordingITSMachine<MetalPlatform>, MetalWitness> {
    ObservedITSMachine(
      RecordingITSMachine(its.number, self, records: records), frame: its.setup.frame,
      MetalWitness(its: its.number))
  }

  func hasBegun(_ its: borrowing LockedITS, isHandedOver: Bool) {
    if unsafe checker == nil { unsafe checker = Checker(services: Int(el2_max_itses)) }
    guard let checker = unsafe checker else { return }
    checker.withLock(on: self) { $0.hasBegun(its, isHandedOver: isHandedOver, on: self) }
  }

  func hasAnswered(_ access: TracedAccess, _ its: borrowing LockedITS) {
    guard let checker = unsafe checker else { return }
    let observations = checker.take(its.number)
    var traps: UInt64 = 0
    let problem = checker.withLock(on: self) { (checker) -> String? in
      let before = checker.traps
      let problem = checker.hasAnswered(
        access, its, observations, on: self, hosts: { hostMemory() })
      if checker.traps != before { traps = checker.traps }
      return problem
    }
    if let problem { return end(problem) }
    if traps != 0, traps & (traps &- 1) == 0 { tell(traps, " traps of ITSes as specified, heap ") }
  }

  func hasPaused(_ its: borrowing LockedITS) {
    guard let checker = unsafe checker else { return }
    let observations = checker.take(its.number)
    endIfNeeded(checker.withLock(on: self) { $0.hasPaused(its, observations, on: self) })
  }

  func hasWoken(_ its: borrowing LockedITS) {
    guard let checker = unsafe checker else { return }
    let observations = checker.take(its.number)
    endIfNeeded(checker.withLock(on: self) { $0.hasWoken(its, observations, on: self) })
  }

  // MARK: Redistributors

  func willAnswer(_ redistributors: borrowing MediatedRedistributors, isWaking: Bool) {
    guard let checker = unsafe checker else { return }
    endIfNeeded(
      checker.withLock(on: self) {
        $0.willAnswer(
          redistributors, isWaking: isWaking, on: self, hosts: { hostMemory() })
      })
  }

  func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors
  ) {
    guard let checker = unsafe checker else { return }
    var traps: UInt64 = 0
    let problem = checker.withLock(on: self) { (checker) -> String? in
      let problem = checker.hasAnswered(access, by: number, redistributors, on: self)
      traps = checker.redistributorTraps
      return problem
    }
    if let problem { return end(problem) }
    if traps != 0, traps & (traps &- 1) == 0 {
      tell(traps, " traps of Redistributors as specified, heap ")
    }
  }

  func hasWoken(mayRun: Bool, _ redistributors: borrowing MediatedRedistributors) {
    guard let checker = unsafe checker else { return }
    endIfNeeded(
      checker.withLock(on: self) { $0.hasWoken(mayRun: mayRun, redistributors, on: self) })
  }

  /// The memory that the host reaches.
  private func hostMemory() -> [PageRange] {
    let tables = tables(imageBase: state.shared.layout.image.base)
    return MonitorChecker.ranges(in: 0..<1 << 28) { page in
      let lookup = state.shared.stage2.lookup(
        IntermediatePhysicalAddress(page << PageFrameNumber.shift), in: tables)
      if case .mapped(_, .memory, _) = lookup { return true }
      return false
    }
  }

  private func tell(_ traps: UInt64, _ what: StaticString) {
    var line = LogLine("check: ")
    line.append(decimal: traps)
    line.append(what)
    line.append(decimal: UInt64(pc_heap_most()) >> 10)
    line.append(" KiB")
    log(.error, line)
  }

  private func endIfNeeded(_ problem: String?) {
    if let problem { end(problem) }
  }

  private func end(_ problem: String) {
    var line = LogLine("check: ")
    var count = 0
    for byte in problem.utf8 {
      if byte == 10 || count == 140 {
        log(.error, line)
        line = LogLine("check: ")
        count = 0
      }
      if byte >= 32 {
        line.append(byte)
        count += 1
      }
    }
    log(.error, line)
    MetalMonitor(self).end(LogLine("switched off: EL2 does what the specification does not permit"))
  }
}
