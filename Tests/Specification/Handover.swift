// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Handover.md`: whose the memory of an ITS is that a trusted host hands over. Its claims are changes of
// owners.

/// The ITSes of a host that is trusted at first, by their index.
struct Handover: Equatable, Sendable {
  //                handed over
  //    forwarded ──────────────▶ handedOver       the host is not trusted any more when it has finalised
  //       └──────────────▶ mediated, if it is disabled; else the board is off

  /// Accesses are forwarded to an ITS that is not handed over; EL2 answers them for the others.
  enum Phase: Equatable, Sendable { case forwarded, handedOver, mediated }

  /// Whether the host is trusted.
  var isTrusted = false
  /// Whether the board is off because an ITS was live.
  var isOff = false
  /// The state of each.
  var phases: [Int: Phase] = [:]
  /// What was claimed for each.
  var pages: [Int: [PageRange]] = [:]

  /// What is kept for ever.
  var kept: [PageRange] { pages.filter { phases[$0.key] == .handedOver }.values.flatMap { $0 } }
}

extension World {
  /// A call to hand an ITS over ends, behind its claims: EL2 keeps them, or has given all of them back.
  ///
  /// What the hardware `uses` from then on is among them: its queue, its tables, and those of the devices.
  func handingOver(its: Int, succeeds: Bool, uses: [PageRange] = []) -> [Outcome] {
    let isOffered = handover.isTrusted && handover.phases[its] == .forwarded
    guard !isOffered || !succeeds else {
      let claimed = Set(handover.pages[its, default: []].flatMap { $0.pages })
      guard uses.allSatisfy({ claimed.isSuperset(of: $0.pages) }) else { return [] }
      return ending(.its(its), .done, .handedPagesNeverReturn) { $0.handover.phases[its] = .handedOver }
    }
    let isUndone = !isOffered || handover.pages[its, default: []].isEmpty
    return isUndone ? ending(.its(its), .refused(.handoverIsAllOrNothing)) : []
  }

  /// The host's trust ends; the board is off if an ITS that was not handed over is live.
  func finalising() -> [Outcome] {
    let forwarded = handover.phases.keys.filter { handover.phases[$0] == .forwarded }
    let untrusted = UInt64(bitPattern: -4)
    guard handover.isTrusted else { return ending(.call, .value(untrusted), .finalisedIsNotTrusted) }
    let isLive = forwarded.contains { itses[$0].hardware.isEnabled }
    return ending(.call, .value(0), .finaliseMediatesTheDisabled, .liveITSSwitchesOff) { world in
      world.handover.isTrusted = false
      world.handover.isOff = isLive
      for its in forwarded { world.handover.phases[its] = .mediated }
    }
  }
}
