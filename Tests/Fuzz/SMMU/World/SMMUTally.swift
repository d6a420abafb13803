// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Simulation
import SMMUDriver
import VirtualSMMU

/// What the lives of hostile hosts came to: each thing that a host can have happen, and how often it did.
package struct SMMUTally {
  /// Worlds.
  package private(set) var lives: UInt64 = 0
  /// Steps of hosts.
  package private(set) var steps: UInt64 = 0
  private var counts: [UInt64]

  /// Counts nothing yet.
  package init() { counts = Array(repeating: 0, count: Self.names.count) }

  private static let names =
    [
      "commands carried out", "entries read", "streams made invalid", "streams made to abort",
      "streams made to pass", "streams given a stage 1", "SYNCs of the hardware",
      "registers that ignore an access", "events of the host", "events that the host lost",
      "events of EL2", "pages given up", "accesses of devices that end well",
      "accesses of devices that abort",
    ] + reasons.map { "refused: \($0.text)" }

  private static let reasons = (0..<SMMURefusalReason.count).compactMap {
    SMMURefusalReason(rawValue: UInt8($0))
  }

  /// Adds the life of a host.
  package mutating func add<Source>(_ host: HostileSMMUHost<Source>) {
    lives += 1
    steps += host.steps
    let counters = host.world.mediated.counters
    let rules = host.world.rules
    var life = [
      counters.accepted, counters.entries, rules.invalid, rules.abort, rules.pass, rules.stage1,
      counters.batches, counters.ignored, counters.events, counters.lostEvents,
      host.world.hypervisorEvents.total, UInt64(host.world.taken.count), host.completed,
      host.aborted,
    ]
    for reason in Self.reasons { life.append(counters.refused[Int(reason.rawValue)]) }
    for index in life.indices { counts[index] += life[index] }
  }

  /// A line each.
  package var lines: [String] {
    zip(Self.names, counts).map { name, count in
      name + String(repeating: " ", count: max(1, 56 - name.count)) + "\(count)"
    }
  }

  /// What has never happened.
  package var missing: [String] { zip(Self.names, counts).filter { $0.1 == 0 }.map(\.0) }
}
