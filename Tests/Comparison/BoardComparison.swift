// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
@testable import ITS
@testable import Specification

/// The board of the specification, which goes along with an implementation: each step that is observed must be one
/// that the specification permits, and what the implementation holds behind it must be what the specification says.
///
/// It is a value: a copy goes back to where it was made.
package struct BoardComparison {
  /// The state that the specification has come to.
  var world: Specification.World
  /// How often each rule has permitted an outcome.
  private var reach: [Rule: Int] = [:]
  /// The first clause of the invariant that a step of SMMUs has broken.
  private var broken: Specification.Violation?
  /// What is known of each ITS beside that.
  var services: [ITSComparison] = []
  /// What is known of the Redistributors beside that.
  var guards = RedistributorsComparison()

  /// Begins with memory and Redistributors, and no ITS yet.
  package init(
    _ setup: ComparedBoard, memory: [PageRange: Bool],
    redistributors: [(base: PhysicalAddress, type: GICRTyper)]
  ) {
    world = Specification.World(
      board: Specification.Board(
        interruptIDBits: setup.interruptIDBits, stallsAtRefused: setup.stallsAtRefused,
        listedDevices: setup.listedDevices, checksVirtual: setup.checksVirtual,
        commandsPerTrap: setup.commandsPerTrap, bytesPerTrap: setup.bytesPerTrap),
      pages: Pages(initial: memory.mapValues { $0 ? .host : .el2 }), itses: [],
      redistributors: redistributors.map {
        RedistributorState(base: $0.base, type: $0.type, hardware: RedistributorHardware())
      })
  }

  /// Goes on with one of the permitted outcomes, the first that `matches`; nil where there is none.
  mutating func take(_ outcomes: [Outcome], where matches: (Outcome) -> Bool = { _ in true })
    -> Answer?
  {
    guard let outcome = outcomes.first(where: matches) else { return nil }
    if !world.dma.smmus.isEmpty, broken == nil { broken = outcome.violations(from: world).first }
    world = outcome.world
    for rule in outcome.rules { reach[rule, default: 0] += 1 }
    return outcome.answer
  }

  /// The host begins to run with its memory, and EL2 with its own.
  package mutating func begin(host: [PageRange], hypervisor: [PageRange]) {
    for pages in host { world.pages.initial[pages] = .host }
    for pages in hypervisor { world.pages.initial[pages] = .el2 }
  }

  /// EL2 has taken pages from the host.
  package mutating func claimed(_ pages: PageRange) throws(Divergence) {
    let outcomes = world.claiming(pages)
    guard take(outcomes, where: { $0.answer == .done }) != nil else {
      throw Divergence("a claim of \(pages)", expected: outcomes.names, found: "granted")
    }
  }

  /// EL2 was refused pages of the host: they are held, or the host has shared them itself.
  package mutating func refusedClaim(
    _ pages: PageRange, isShared: Bool
  ) throws(Divergence) {
    let outcomes = world.claiming(pages)
    if take(outcomes, where: { $0.answer != .done }) == nil, !isShared {
      throw Divergence("a claim of \(pages)", expected: outcomes.names, found: "refused")
    }
  }

  /// EL2 has given pages back to the host.
  package mutating func gaveBack(_ pages: PageRange) {
    world.pages = world.pages.moving(pages, to: .host)
  }

  /// The first clause of the invariant that does not hold.
  package var violation: String? {
    (broken ?? world.violations().first).map { "the invariant, \($0.rule.rawValue): \($0.what)" }
  }

  /// How often each rule has permitted an outcome, by its name.
  package var reached: [String: Int] {
    Dictionary(uniqueKeysWithValues: reach.map { ($0.key.rawValue, $0.value) })
  }
}

/// What is fixed for a whole board.
package struct ComparedBoard: Sendable {
  package var interruptIDBits: UInt64
  package var stallsAtRefused: Bool
  package var listedDevices: [ClosedRange<UInt32>]?
  package var checksVirtual = false
  package var commandsPerTrap: Int
  package var bytesPerTrap: UInt64

  /// Names all of it.
  package init(
    interruptIDBits: UInt64, stallsAtRefused: Bool, listedDevices: [ClosedRange<UInt32>]?,
    commandsPerTrap: Int, bytesPerTrap: UInt64
  ) {
    self.interruptIDBits = interruptIDBits
    self.stallsAtRefused = stallsAtRefused
    self.listedDevices = listedDevices
    self.commandsPerTrap = commandsPerTrap
    self.bytesPerTrap = bytesPerTrap
  }
}

extension ComparedBoard {
  /// What the policy of its ITSes says.
  package init(_ policy: ITSPolicy) {
    var listed: [ClosedRange<UInt32>]?
    if policy.devices.rangeCount > 0 {
      listed = []
      for index in policy.devices.ranges.indices { listed?.append(policy.devices.ranges[index]) }
    }
    self.init(
      interruptIDBits: UInt64(policy.interruptLimit.trailingZeroBitCount),
      stallsAtRefused: policy.refused == .stalls, listedDevices: listed,
      commandsPerTrap: Int(policy.commandsPerTrap), bytesPerTrap: policy.bytesPerTrap)
    checksVirtual = policy.virtualInterrupts == .checked
  }
}
