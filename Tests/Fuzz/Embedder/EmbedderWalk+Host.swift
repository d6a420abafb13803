// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CEmbedder
import Comparison
import GIC
import Hypervisor
import Ownership
@testable import PortcullisC
import SimulatedHardware
import Simulation

// The host: a queue for the ITS, and tables for LPIs.
extension EmbedderWalk {
  private static var commandBase: UInt64 { 0x80 }
  private static var control: UInt64 { 0x0 }
  private static var write: UInt64 { 0x88 }

  private func storeToITS(_ width: AccessWidth, _ offset: UInt64, _ value: UInt64) {
    trap = .its
    _ = board.access(width, EmbedderBoard.its + offset, value)
    trap = .none
  }

  /// The host has the ITS read its commands from other pages.
  func useQueue() {
    let count = 1 + dice.below(2)
    nameQueue(dice.oneIn(4) ? range() : pages(range().first.rawValue, count))
    ring()
    // A queue that is refused at its first command stays so.
    let pages = queue
    check { (comparison) throws(Divergence) in
      let isHeld = comparison.queue(its: 0) != nil
      if isHeld != comparison.mayBeHeld(pages) {
        throw Divergence(
          "a queue at \(pages)", expected: isHeld ? "refused" : "held",
          found: isHeld ? "held" : "refused")
      }
    }
  }

  /// The same without a command.
  func nameQueue(_ pages: PageRange) {
    queue = pages
    commands = 0
    isEnabled = true
    storeToITS(.word, Self.control, 0)
    let base = 1 << 63 | queue.first.address.rawValue | (queue.count - 1)
    storeToITS(.double, Self.commandBase, base)
    storeToITS(.word, Self.control, 1)
  }

  /// The host disables it, and its queue is none any more.
  func leaveQueue() {
    storeToITS(.word, Self.control, 0)
    storeToITS(.double, Self.commandBase, 0)
    isEnabled = false
  }

  /// One more command.
  func ring() {
    guard isEnabled else { return }
    let place = queue.first.address.rawValue + commands * ITSCommand.size
    // SYNC to the first Redistributor, where the host still has the page.
    if board.isHosts(PageFrameNumber(containing: PhysicalAddress(place))) {
      for (index, word) in ([0x5, 0, 0, 0] as [UInt64]).enumerated() {
        board.memory.store(.double, word, at: place + UInt64(index) * 8)
      }
    }
    commands = (commands + 1) % (queue.count << 12 / ITSCommand.size)
    storeToITS(.double, Self.write, commands * ITSCommand.size)
  }

  /// What EL2 holds for the ITS is what the specification says.
  func checkQueue() {
    let expected = comparison.queue(its: 0)
    let all = pages(0, 1 << 36)
    let first = held(of: all)
    let isLast = expected.map { queue in
      let last = queue.last
      return held(of: pages(last.rawValue)) == last && held(of: pages(last.rawValue + 1)) == nil
    }
    if first != expected?.first || isLast == false {
      problem = "behind the step: the ITS holds \(first.map { "\($0)" } ?? "nothing"), not \(queue)"
    }
  }

  // MARK: LPIs

  private func redistributor(
    _ width: AccessWidth, _ offset: UInt64, _ value: UInt64? = nil
  ) {
    let number = Int(dice.below(2))
    let cpu = dice.oneIn(4) ? 1 - number : number
    redistributor(width, offset, value, of: number, by: cpu)
  }

  func redistributor(
    _ width: AccessWidth, _ offset: UInt64, _ value: UInt64?, of number: Int, by cpu: Int
  ) {
    check { (comparison) throws(Divergence) in try comparison.step(Self.look(board)) }
    observations.removeAll(keepingCapacity: true)
    trap = .redistributor(number)
    let base = board.gic.redistributors[number].base
    let answer = board.access(width, base + offset, value, by: cpu)
    trap = .none
    let effect: Effect =
      switch answer.trap {
      case PORTCULLIS_TRAP_COMPLETED: value == nil ? .value(answer.value) : .done
      case PORTCULLIS_TRAP_UNFINISHED: .again
      default: .aborted
      }
    let entrance: Entrance =
      value.map { .store(offset: offset, width, $0) } ?? .load(offset: offset, width)
    compare(number, RedistributorTrap(entrance, effect, byOwnCPU: cpu == number, observations))
  }

  func compare(_ number: Int, _ seen: RedistributorTrap) {
    check { (comparison) throws(Divergence) in
      try withRedistributors { (guards) throws(Divergence) in
        try comparison.finish(
          redistributor: number, seen, Self.look(board), guards, machine.pins)
      }
    }
  }

  /// The host names other tables: of 14 bits, two pages and one.
  func nameTables() {
    if dice.oneIn(2) {
      redistributor(.double, FrameOffset.configuration, range().first.address.rawValue | 13)
    } else {
      redistributor(.double, FrameOffset.pending, range().first.address.rawValue & ~0xffff)
    }
  }

  func setEnabled(_ isEnabled: Bool) {
    redistributor(.word, FrameOffset.control, isEnabled ? 1 : 0)
  }

  func lookAtRedistributor() { redistributor(.word, FrameOffset.control) }
}
