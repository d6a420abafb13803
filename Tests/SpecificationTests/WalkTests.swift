// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Specification

@Suite("The specification alone, at random")
struct WalkTests {
  /// Rules that no walk reaches: they are the invariant's, or need more than a walk does.
  static let unreached: Set<Rule> = [
    .theHostChoosesNoAddress, .commandQueueIsEL2s, .tablesAreEL2s, .tablesAreTheHosts,
    .tablesFromBootStayHeld, .waitingStoreIsIgnoredAtLast, .devicesReachWhatTheHostReaches,
    .doorbellsAreWriteOnly, .smallestOAS, .translatesFromTheStart, .unknownStreamsAreInvalid,
    .hardwareMayReadMeanwhile, .hardwareReadsEL2sMemory, .smmuWritesNowhere, .queueHasOnePage,
    .refusedEntryIsInvalid, .installedMemoryKeepsItsOwner, .noMixedStates,
  ]

  /// Rules of PSCI, which a walk beside EL2's relay reaches.
  static let calls: Set<Rule> = [
    .otherCallsAreNotSupported, .queriesAreRelayed, .entryIsChecked, .firstEntryStays,
    .relayedWithEL2sEntry, .lastCPUStays, .standbyContinues, .deepStateWaitsAtEL2,
    .noSuspendWithSMMUs, .logBeforeOff, .resetOfType0, .returnForgetsTheEntry,
    .returnedOffGoesOn, .entersEL2First,
  ]

  @Test("Each world keeps the invariant, each access has an answer, and each rule is reached")
  func walks() {
    var reached: [Rule: Int] = [:]
    for seed in 1...80 {
      var walk = Walk(seed: UInt64(seed))
      if seed % 4 != 0 { walk.boot() }
      for step in 0..<400 where walk.problems.isEmpty {
        walk.step()
        #expect(walk.problems.isEmpty, "seed \(seed), step \(step)")
      }
      walk.losePower()
      #expect(walk.problems.isEmpty, "seed \(seed), the loss of power")
      reached.merge(walk.reached, uniquingKeysWith: +)
    }
    for seed in 1...40 {
      var walk = DeviceWalk(seed: UInt64(seed))
      for step in 0..<600 where walk.problems.isEmpty {
        walk.step()
        #expect(walk.problems.isEmpty, "seed \(seed), step \(step)")
      }
      reached.merge(walk.reached, uniquingKeysWith: +)
    }
    for rule in Rule.allCases { print("\(rule): \(reached[rule, default: 0])") }
    let missing = Set(Rule.allCases.filter { reached[$0] == nil })
    let permitted = Self.unreached.union(Self.calls)
    #expect(missing.isSubset(of: permitted), "\(missing.subtracting(permitted))")
  }

  @Test("Each defect makes a clause of the invariant fail", arguments: DeviceWalk.Defect.allCases)
  func defects(_ defect: DeviceWalk.Defect) {
    var put = 0
    for seed in 1...40 where put == 0 {
      var walk = DeviceWalk(seed: UInt64(seed), defect: defect)
      for _ in 0..<2000 where walk.put == 0 && walk.problems.isEmpty { walk.step() }
      put += walk.put
      #expect(walk.put == 0 || !walk.problems.isEmpty, "\(defect), seed \(seed)")
    }
    #expect(put > 0, "nothing to put \(defect) into")
  }
}
