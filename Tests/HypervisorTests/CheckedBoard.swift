// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CheckedMonitor
import Hypervisor
import Observing
import Redistributor
import Simulation
import Testing
import Trace

/// The specification beside the monitor of a simulated board; what is not permitted is an issue of the test.
final class CheckedBoard: BoardWatch {
  private var checker = MonitorChecker()
  private var observations: [UInt8: [Observation]] = [:]
  /// The first thing that the specification does not permit.
  private(set) var problem: String?
  /// Whether what is found is an issue.
  var tells = true
  /// What is told of an access in place of it.
  var change: ((inout TracedAccess) -> Void)?

  /// How many traps of ITSes were compared, and how many of Redistributors.
  var traps: (itses: UInt64, redistributors: UInt64) {
    (checker.traps, checker.redistributorTraps)
  }

  /// How many pauses of ITSes were compared, and looks behind a loss of power.
  var losses: UInt64 { checker.losses }
  /// Whether what EL2 does is not taken note of.
  var isBlind = false

  /// Looks at `board`, which has not started up.
  init(_ board: BoardHardware) { board.watch = self }

  private func take(_ its: UInt8) -> [Observation] {
    observations.removeValue(forKey: its) ?? []
  }

  private func tell(_ found: String?) {
    guard let found, problem == nil else { return }
    problem = found
    if tells { Issue.record("\(found)") }
  }

  /// The memory that the host reaches, by a walk of its table.
  private func hosts(_ platform: SimulatedPlatform) -> [PageRange] {
    let ram = BoardHardware.ram
    let first = ram.base.rawValue >> PageFrameNumber.shift
    return MonitorChecker.ranges(in: first..<first + ram.size >> PageFrameNumber.shift) {
      platform.hardware.hostAddress($0 << PageFrameNumber.shift) != nil
    }
  }

  func note(_ observation: Observation, of its: UInt8) {
    if !isBlind { observations[its, default: []].append(observation) }
  }

  func hasBegun(_ its: borrowing LockedITS, isHandedOver: Bool, on platform: SimulatedPlatform) {
    checker.hasBegun(its, isHandedOver: isHandedOver, on: platform)
  }

  func hasAnswered(
    _ access: TracedAccess, _ its: borrowing LockedITS, on platform: SimulatedPlatform
  ) {
    var access = access
    change?(&access)
    tell(
      checker.hasAnswered(
        access, its, take(its.number), on: platform, hosts: { hosts(platform) }))
  }

  func hasPaused(_ its: borrowing LockedITS, on platform: SimulatedPlatform) {
    tell(checker.hasPaused(its, take(its.number), on: platform))
  }

  func hasWoken(_ its: borrowing LockedITS, on platform: SimulatedPlatform) {
    tell(checker.hasWoken(its, take(its.number), on: platform))
  }

  func willAnswer(
    _ redistributors: borrowing MediatedRedistributors, isWaking: Bool,
    on platform: SimulatedPlatform
  ) {
    tell(
      checker.willAnswer(
        redistributors, isWaking: isWaking, on: platform, hosts: { hosts(platform) }))
  }

  func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors,
    on platform: SimulatedPlatform
  ) {
    tell(checker.hasAnswered(access, by: number, redistributors, on: platform))
  }

  func hasWoken(
    mayRun: Bool, _ redistributors: borrowing MediatedRedistributors,
    on platform: SimulatedPlatform
  ) {
    tell(checker.hasWoken(mayRun: mayRun, redistributors, on: platform))
  }
}
