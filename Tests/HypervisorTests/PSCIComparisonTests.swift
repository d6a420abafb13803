// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import PSCIWalk
import Testing

@Suite("The host's PSCI calls beside the specification")
struct PSCIComparisonTests {
  /// The rules of `HostCalls.md` that a walk is to reach.
  private static let rules = [
    "otherCallsAreNotSupported", "queriesAreRelayed", "entryIsChecked", "firstEntryStays",
    "relayedWithEL2sEntry", "lastCPUStays", "standbyContinues", "deepStateWaitsAtEL2",
    "noSuspendWithSMMUs", "logBeforeOff", "resetOfType0", "returnForgetsTheEntry",
    "returnedOffGoesOn", "entersEL2First",
  ]

  @Test(
    "F-10: Each call on any CPU ends as the specification permits, whatever firmware does meanwhile"
  )
  func walks() {
    var reached: [String: Int] = [:]
    for seed in 1...200 as ClosedRange<UInt64> {
      let walk = PSCIWalk(seed: seed)
      walk.run()
      #expect(walk.problems == [], "seed \(seed)")
      reached.merge(walk.reached, uniquingKeysWith: +)
    }
    for rule in Self.rules { #expect(reached[rule, default: 0] >= 100, "\(rule)") }
  }
}
