// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import GIC
import ITS
import Observing
import Ownership
import Trace
import Traps

@testable import Replay
@testable import SimulatedHardware

/// The specification beside a trace that is run again.
final class ComparedReplay: Witness {
  private var comparison: BoardComparison
  /// The ITSes, in the order in which they were added.
  private var numbers: [UInt8] = []
  private var observations: [Observation] = []
  /// How many traps were compared.
  private(set) var traps = 0
  /// The first thing that the specification does not permit.
  private(set) var problem: String?

  /// Looks at each trap of `board` from now on; `change` has the specification expect another policy.
  init(
    _ board: ReplayBoard, _ records: [TraceRecord], change: (inout ITSPolicy) -> Void = { _ in }
  ) throws {
    let plans = board.plans.values.sorted { $0.number < $1.number }
    var policy = try plans[0].setup().policy
    change(&policy)
    // What was refused was not the host's, and nothing in a trace makes it that.
    var others = plans.map(\.arena)
    for record in records {
      guard case .pin(let pin) = record.event, !pin.isGranted else { continue }
      let first = pin.base >> PageFrameNumber.shift
      others.append(first..<first + UInt64(pin.pages))
    }
    comparison = BoardComparison(
      ComparedBoard(policy), memory: Self.memory(without: others),
      redistributors: board.gic.redistributors.map { (PhysicalAddress($0.base), $0.typer) })
    for plan in plans {
      guard let mediation = board.mediations[plan.number] else { continue }
      numbers.append(plan.number)
      comparison.add(mediation.its, board.gic.memory) { width, offset in
        let value = board.gic.read(width, at: plan.service.frame + offset) ?? 0
        let table = (offset &- ITSRegister.tableBases.offset) / 8
        // These fields read as they were recorded.
        return table < 8 ? plan.rules[Int(table)].readBack(value).rawValue : value
      }
    }
    board.onTrap = { [unowned self, unowned board] in run($0, board.gic.memory) }
  }

  /// All that a machine addresses is the host's but for `others`, a page of which may be named twice.
  private static func memory(without others: [Range<UInt64>]) -> [PageRange: Bool] {
    var result: [PageRange: Bool] = [:]
    func add(_ pages: Range<UInt64>, _ isHosts: Bool) {
      guard let first = pages.first,
        let range = PageRange(first: PageFrameNumber(first), count: UInt64(pages.count))
      else { return }
      result[range] = isHosts
    }
    var next: UInt64 = 0
    for pages in others.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      let rest = max(pages.lowerBound, next)..<max(pages.upperBound, next)
      add(next..<rest.lowerBound, true)
      add(rest, false)
      next = rest.upperBound
    }
    add(next..<1 << 36, true)
    return result
  }

  func note(_ observation: Observation) { observations.append(observation) }

  private func run(_ trap: ReplayBoard.Trap, _ memory: PhysicalMemory) -> TracedAccess {
    let start = trap.access.address.rawValue &- trap.access.offset
    observations = []
    let result = trap.run(
      ObservedITSMachine(trap.machine, frame: VirtualAddress(start), self))
    guard problem == nil, let place = numbers.firstIndex(of: trap.number) else { return result }
    do throws(Divergence) {
      try comparison.finish(
        its: place, Entrance(result), by: Int(trap.machine.cpu), Effect(result), observations,
        trap.mediation.its, memory)
      problem = comparison.violation
    } catch {
      problem = "\(error)"
    }
    traps += 1
    return result
  }
}

extension PhysicalMemory: ComparedMemory {
  package func word(at address: UInt64) -> UInt64 { load(.double, at: address) }
}
