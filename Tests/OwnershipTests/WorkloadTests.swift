// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SimulatedHardware
import Simulation
import Testing

@testable import Ownership

@Suite("Random workloads")
struct WorkloadTests {
  /// Holds what a workload claimed, by the frame of its first page.
  final class Held {
    var claims: [(PageRange, Claims)] = []
  }
  final class Claims {
    var value: Claim<8>?
    init(_ value: consuming Claim<8>) { self.value = consume value }
    deinit { if let left = value.take() { _ = left.keepForever() } }
  }

  @Test("The ledger and both tables tell the same story after every step", arguments: [1, 2, 3])
  func agree(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let held = Held()
    // Sixteen pages around the edge of a block, so that ranges collide often.
    let base: UInt64 = 0x441f8
    var outcomes = (done: 0, refused: 0)
    for _ in 0..<300 {
      let first = base + UInt64.random(in: 0..<16, using: &random)
      let range = pages(first, UInt64.random(in: 1...3, using: &random))
      let before = snapshot(subject, Array(base..<base + 19), windowPages: 0)
      machine.refusedFrame = random.next() % 8 == 0 ? range.last : nil
      machine.irrevocableFrame = random.next() % 8 == 0 ? range.first : nil
      do throws(OwnershipError) {
        switch random.next() % 4 {
        case 0:
          let claim = try subject.donate(list([range]), expecting: .memory)
          held.claims.append((range, Claims(claim)))
        case 1:
          guard let index = held.claims.indices.randomElement(using: &random) else { continue }
          try subject.giveBack(&held.claims[index].1.value)
          held.claims.remove(at: index)
        case 2: try subject.share([range].span)
        default: try subject.unshare([range].span)
        }
        outcomes.done += 1
      } catch {
        outcomes.refused += 1
        let after = snapshot(subject, Array(base..<base + 19), windowPages: 0)
        #expect(after == before, "after \(error)")
      }
      for number in base..<base + 19 {
        let state = subject.pageRecord(of: frame(number)).state
        let host = hostEntry(subject, number)
        #expect((host.address == frame(number).address) == state.isHostAccessible)
        #expect((host.owner == .hypervisor) == !state.isHostAccessible)
        let el2 = el2Entry(subject, SmallBoard.linear.rawValue + number << 12)
        #expect((el2?.address == frame(number).address) == state.isHypervisorAccessible)
        let isHeld = held.claims.contains { $0.0.contains(frame(number)) }
        #expect(isHeld == (state == .none))
      }
    }
    #expect(outcomes.done > 50 && outcomes.refused > 50)
    #expect(machine.violations == [] && machine.preparedCount == 0)
  }
}
