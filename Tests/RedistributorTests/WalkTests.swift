// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Redistributor
import SimulatedHardware
import Testing

/// Steps of a host on any CPU, of hardware, of firmware and of the rest of EL2, in any order.
///
/// Firmware saves the Redistributor of a CPU that goes to sleep, switches it off, and restores it before the
/// CPU runs again; meanwhile other CPUs write its registers.
///
/// After each step: what hardware may touch is held. Where the hardware promises to say that it is done,
/// and EL2 has looked, nothing else is held.
@Suite("Walks through the states of LPI tables") struct WalkTests {
  struct Kind: Sendable, CustomTestStringConvertible {
    var isPromised = true
    var staysEnabled = false
    var stopsSlowly = false
    var hasVirtualLPIs = false
    var field: UInt64 = 0
    var testDescription: String {
      "CES \(isPromised), RES1 \(staysEnabled), slow \(stopsSlowly), vLPIs \(hasVirtualLPIs), \(field)"
    }

    static let all: [Kind] = (0..<32).map { bits in
      Kind(
        isPromised: bits & 1 != 0, staysEnabled: bits & 2 != 0, stopsSlowly: bits & 4 != 0,
        hasVirtualLPIs: bits & 8 != 0, field: bits & 16 != 0 ? 3 : 0)
    }
  }

  @Test("Held is what hardware may touch", arguments: Kind.all)
  func walk(_ kind: Kind) throws {
    var options = BoardOptions()
    options.processors = 3
    options.affinities = [0x000, 0x001, 0x100]
    options.features = 1 << 3 | kind.field << 24
    options.hasVirtualLPIs = kind.hasVirtualLPIs
    options.offersVirtualLPIs = kind.hasVirtualLPIs
    let board = try GuardedBoard(options) {
      for redistributor in $0.gic.redistributors {
        redistributor.promisesDisabling = kind.isPromised
        redistributor.staysEnabled = kind.staysEnabled
        redistributor.stopsSlowly = kind.stopsSlowly
      }
    }
    var random = Random(state: 0x9e37_79b9)
    var enabled = 0
    var asleep: [Int: SimulatedRedistributor.State] = [:]
    for step in 0..<4000 {
      let number = Int(random.below(3))
      var cpu = random.below(2) == 0 ? number : Int(random.below(3))
      while asleep[cpu] != nil { cpu = (cpu + 1) % 3 }
      switch random.below(18) {
      case 0, 1, 2: board.write(number, Offset.control, 1, .word, from: cpu)
      case 3, 4: board.write(number, Offset.control, 0, .word, from: cpu)
      case 5: board.write(number, Offset.pending, place(&random), from: cpu)
      case 6:
        board.write(
          number, Offset.configuration, place(&random) | 13 + random.below(3), from: cpu)
      case 7:
        board.write(
          number, Offset.pending + 4 * random.below(2), place(&random), .word, from: cpu)
      case 8: board.gic.redistributors[number].finishStopping()
      case 9: board.pend(UInt32(8192 + random.below(0xe000)), on: number)
      case 10 where random.below(8) == 0: board.gic.redistributors[number].losePower()
      case 11 where random.below(64) == 0: _ = board.takePage(place(&random))
      case 12:
        board.write(
          number, Offset.virtualPending, place(&random) | random.below(2) << 63, from: cpu)
      case 13:
        board.write(number, Offset.virtualConfiguration, place(&random) | 15, from: cpu)
      case 14: board.write(number, Offset.invalidateAll, 0, from: cpu)
      case 15 where asleep[number] == nil && asleep.count < 2:
        let redistributor = board.gic.redistributors[number]
        guard !redistributor.state.isStopping else { break }
        asleep[number] = redistributor.state
        redistributor.losePower()
      case 16:
        // What other CPUs have made of it meanwhile is overwritten.
        if let state = asleep.removeValue(forKey: number) {
          board.gic.redistributors[number].state = state
        }
      default: _ = board.value(number, Offset.control, .word, from: cpu)
      }
      if let violation = board.violation() {
        Issue.record("step \(step): \(violation)")
        return
      }
      if board.touchesHypervisor {
        Issue.record("step \(step): EL2's memory was touched")
        return
      }
      enabled += board.gic.redistributors.filter { !$0.reachable.isEmpty }.count
      guard kind.isPromised, asleep.isEmpty else { continue }
      var inUse: UInt64 = 0
      for index in 0..<3 {
        _ = board.value(index, Offset.control, .word)
        _ = board.value(index, Offset.virtualPending)
        let redistributor = board.gic.redistributors[index]
        if redistributor.state.isEnabled || redistributor.state.isStopping { inUse += 2 }
        if redistributor.reachable.contains(where: { $0.use == .virtualPendingTable }) {
          inUse += 2
        }
      }
      let held = board.guarding.heldTables
      #expect(held == inUse, "step \(step)")
      if held != inUse { return }
    }
    // A walk in which nothing happens proves nothing.
    #expect(enabled > 20)
  }

  /// A few places of the host, and now and then one that is not.
  private func place(_ random: inout Random) -> UInt64 {
    switch random.below(12) {
    case 0: 0x5fff_0000
    case 1: 0x5dff_0000
    case 2: 0x808_0000
    case 3, 4: GuardedBoard.pending(random.below(3))
    default: GuardedBoard.configuration(random.below(2))
    }
  }
}

/// Numbers that are the same in every run.
private struct Random {
  var state: UInt64

  mutating func below(_ limit: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) % limit
  }
}
