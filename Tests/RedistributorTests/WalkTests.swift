// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Redistributor
import Simulation
import SimulatedHardware
import Testing

/// A hostile host, with hardware and firmware, that does anything in any order.
///
/// After each step: what hardware may touch is held. Where the hardware promises to say that it is done,
/// and EL2 has looked, nothing else is held.
@Suite("Walks through the states of LPI tables") struct WalkTests {
  @Test("Held is what hardware may touch", arguments: RedistributorWalk.Kind.plain)
  func walk(_ kind: RedistributorWalk.Kind) throws {
    var walk = try RedistributorWalk(kind, seed: 1)
    let board = walk.board
    var enabled = 0
    for step in 0..<4000 {
      walk.step()
      if walk.isOver { break }
      if let violation = board.violation() {
        Issue.record("step \(step): \(violation)")
        return
      }
      if board.touchesHypervisor {
        Issue.record("step \(step): EL2's memory was touched")
        return
      }
      enabled += board.gic.redistributors.filter { !$0.reachable.isEmpty }.count
      guard kind.isPromised, walk.asleep.isEmpty else { continue }
      var inUse: UInt64 = 0
      for index in 0..<RedistributorWalk.count {
        _ = board.value(index, FrameOffset.control, .word)
        _ = board.value(index, FrameOffset.virtualPending)
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
}

extension RedistributorWalk.Kind: CustomTestStringConvertible {
  package var testDescription: String {
    "CES \(isPromised), RES1 \(staysEnabled), slow \(stopsSlowly), vLPIs \(hasVirtualLPIs), \(field)"
  }
}
