// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
@testable import Specification

/// What an embedder asks of pages that it moves between its VMs.
package enum EmbedderCall: Sendable {
  /// Whether they may leave the host.
  case mayGiveAway
  /// That they are the host's again.
  case took
}

/// What it was told.
package enum EmbedderAnswer: Sendable {
  case done
  /// A page is in use.
  case held(PageFrameNumber)
  /// A page is away already or EL2's, or is not away.
  case owner
  /// A page is no memory.
  case kind
  /// There is no memory for tables.
  case noTables
  /// The SMMU has not confirmed.
  case unconfirmed
}

extension BoardComparison {
  /// The board has memory that another VM has from the start.
  package mutating func begin(others: PageRange) { world.pages.initial[others] = .other }

  /// Devices write MSIs to these pages.
  package mutating func begin(doorbells: PageRange) {
    world.dma.doorbells.formUnion(doorbells.pages)
  }

  /// An embedder was answered, and this was asked of the SMMU meanwhile, which may still be at it.
  ///
  /// - Throws: what the specification does not permit.
  package mutating func asked(
    _ call: EmbedderCall, _ range: PageRange, _ answer: EmbedderAnswer,
    _ observations: [SMMUObservation], isWaiting: Bool
  ) throws(Divergence) {
    do throws(Divergence) {
      if case .unconfirmed = answer, !isWaiting, !observations.hasFailed {
        throw Divergence("\(call)", expected: "granted", found: answer.name)
      }
      try change(call, range, answer, observations)
    } catch {
      var told = error
      told.context = observations.map { "\($0)" }
      throw told
    }
  }

  private mutating func change(
    _ call: EmbedderCall, _ range: PageRange, _ answer: EmbedderAnswer,
    _ observations: [SMMUObservation]
  ) throws(Divergence) {
    let isLoss = call == .mayGiveAway
    let name = "\(isLoss ? "giving away" : "having taken back") \(range.name)"
    let change = OwnerChange(kind: isLoss ? .leave : .take, range: range)
    let outcomes = world.preparing(change, hasTables: !answer.isOfTables)
    guard answer.isPrepared else {
      let before = world
      try step(name, outcomes, answer.name) { before.agrees($0.answer, answer, range) }
      if !observations.isEmpty {
        throw Divergence(name, expected: "nothing", found: "\(observations.count) steps")
      }
      return
    }
    try step(name, outcomes, answer.name) { $0.answer == .done }
    let isGranted = if case .done = answer { true } else { false }
    try carryOut(name, isGranted: isGranted, observations)
  }

  /// The embedder has given pages that are away to another VM.
  package mutating func movedAway(_ range: PageRange) throws(Divergence) {
    try step("a move of \(range.name)", world.moving(range, to: .other), "away")
  }

  // MARK: What is held

  /// EL2 has asked the embedder for pages; `its` is the ITS whose queue they are.
  ///
  /// - Throws: where EL2 must have refused them by itself.
  package mutating func shared(
    _ range: PageRange, its: Int?, isGranted: Bool
  ) throws(Divergence) {
    let name = "a use of \(range.name)"
    guard world.pages.leaving.isDisjoint(with: range.pages) else {
      throw Divergence(name, expected: "refused", found: "a call of host_share")
    }
    guard isGranted, let its else { return }
    guard let next = world.holding(range, for: .stagingQueue(its: its)) else {
      throw Divergence(name, expected: "refused", found: "held")
    }
    world = next
  }

  /// EL2 has let the queue of an ITS go.
  package mutating func unshared(its: Int) { world.pages.holds[.stagingQueue(its: its)] = nil }

  /// Whether pages may come into use.
  package func mayBeHeld(_ range: PageRange) -> Bool { world.pages.mayBeHeld(range) }

  /// What is held of the queue of an ITS.
  package func queue(its: Int) -> PageRange? { world.pages.holds[.stagingQueue(its: its)] }

  /// Whether pages are away.
  package func areAway(_ range: PageRange) -> Bool {
    world.pages.leaving.isSuperset(of: range.pages)
  }

  // MARK: What devices reach

  /// What a device of a stream may do with a page.
  package func reach(
    _ stream: StreamID, smmu index: Int, _ page: PageFrameNumber
  ) -> (reads: Bool, writes: Bool) {
    let reach = world.reach(stream, of: index, page)
    return (reach == .everything, reach != .nothing)
  }
}

extension EmbedderAnswer {
  /// Whether the change got beyond *prepare*.
  fileprivate var isPrepared: Bool {
    switch self {
    case .done, .unconfirmed: true
    case .held, .owner, .kind, .noTables: false
    }
  }

  fileprivate var isOfTables: Bool { if case .noTables = self { true } else { false } }

  fileprivate var name: String {
    switch self {
    case .done: "granted"
    case .held(let page): "held at \(hex(page.address.rawValue))"
    case .owner: "not the host's"
    case .kind: "no memory"
    case .noTables: "no memory for tables"
    case .unconfirmed: "not confirmed"
    }
  }
}

extension Specification.World {
  /// Whether a refusal is the one that was told, and of a page that is so.
  fileprivate func agrees(
    _ expected: Answer, _ answer: EmbedderAnswer, _ range: PageRange
  ) -> Bool {
    guard case .refused(let rule) = expected else { return false }
    switch answer {
    case .held(let page):
      return rule == .usedPagesStay && range.contains(page) && pages.pins(of: page) > 0
    case .owner:
      let isNotTheHosts = range.pages.contains {
        pages.owner(of: $0) == .el2 || pages.leaving.contains($0)
      }
      return rule == .tookRefusesTheRest || rule == .leavingPagesStayUnused && isNotTheHosts
    case .kind:
      let hasNone = range.pages.contains { pages.owner(of: $0) == nil }
      return hasNone && (rule == .tookRefusesTheRest || rule == .leavingPagesStayUnused)
    case .noTables: return rule == .prepareMayRefuse
    case .done, .unconfirmed: return false
    }
  }
}
