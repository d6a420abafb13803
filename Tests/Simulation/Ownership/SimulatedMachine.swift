// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SimulatedHardware

/// The physical memory that tables live in, and the translation caches, with a history of both.
///
/// It knows the architecture's rule for live stage-2 tables: a valid entry is never replaced by
/// another valid entry without an invalid one, and an invalidation, in between.
package final class SimulatedMachine: @unchecked Sendable {
  package enum Event: Hashable {
    case invalidateStage2(PageRange)
    case invalidateEL2(VirtualAddress, UInt64)
    case prepared(PageFrameNumber)
    case committed(PageFrameNumber, hostReaches: Bool, hypervisorReaches: Bool)
    case aborted(PageFrameNumber)
    case scrubbed(PageFrameNumber)
  }

  package init() {}

  /// What is checked of both tables by the rules that all boards go by.
  package let tableLog = TableLog()
  private var toldFaults = 0

  /// Something happens to the tables.
  func note(_ body: (TableLog) -> Void) {
    guard checksReplacement else { return }
    body(tableLog)
    while toldFaults < tableLog.faults.count {
      violations.append(tableLog.faults[toldFaults].description)
      toldFaults += 1
    }
  }

  package var words: [UInt64: UInt64] = [:]
  package var events: [Event] = []
  /// Entries that were valid and have not been invalidated since.
  package var cached: Set<UInt64> = []
  /// Pages that an entry led to which was made invalid since.
  package var unlinked: Set<UInt64> = []
  /// Whether the rule holds: not for tables of which all walkers bear a live entry to be replaced.
  package var checksReplacement = true
  /// What broke the rules.
  package var violations: [String] = []
  /// Where the observer refuses; nil is nowhere.
  package var refusedFrame: PageFrameNumber?
  /// What the observer can't take from the host's devices; nil is nothing.
  package var irrevocableFrame: PageFrameNumber?
  /// How many pages of the pool the observer asks for.
  package var observerPages: UInt64 = 0
  /// How many pages the observer holds prepared.
  package var preparedCount = 0
  /// What the observer asks at commit.
  package var onCommit: ((PageFrameNumber) -> (host: Bool, hypervisor: Bool))?
}
