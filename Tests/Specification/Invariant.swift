// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Security.md`: every address that an ITS, a Redistributor or a DMA device can write through lies in EL2's
// own tables for it, or in memory that was the host's when the address was installed. While it is installed,
// that memory cannot change owner.

/// A clause of the invariant that does not hold.
struct Violation: Equatable, Sendable {
  /// The rule that has it.
  var rule: Rule
  /// What it does not hold for.
  var what: String
}

/// A clause: its rule, and whether it holds.
typealias Clause = (rule: Rule, holds: Bool)

extension [Violation] {
  /// Adds the clauses that do not hold.
  mutating func check(_ clauses: [Clause], _ what: @autoclosure () -> String) {
    for clause in clauses where !clause.holds { append(Violation(rule: clause.rule, what: what())) }
  }
}

extension World {
  /// Every clause that does not hold: the invariant is that there is none, in each state.
  func violations() -> [Violation] {
    var found: [Violation] = []
    for (use, range) in pages.holds { found.check(clauses(use, range), "\(use): \(range)") }
    for its in itses.indices {
      found.check(registerClauses(its) + queueClauses(its) + tableClauses(its), "ITS \(its)")
      for slot in self[its].commit.slots { found.check(slotClauses(slot, its), "ITS \(its): \(slot)") }
      for (key, table) in self[its].tables { found.check(clauses(key, table, its), "\(key) of ITS \(its)") }
    }
    for rd in redistributors.indices { found.check(clauses(redistributor: rd), "Redistributor \(rd)") }
    for index in dma.smmus.indices { found += violations(smmu: index) }
    let areKept = handover.kept.allSatisfy { pages.are($0, .el2) }
    found.check([(.handedPagesNeverReturn, areKept)], "what was handed over")
    if let change = dma.change, [.claim, .giveBack].contains(change.kind) {
      let owners = Set(change.range.pages.map { pages.owner(of: $0) })
      found.check([(.noMixedStates, owners.count == 1)], "a change of owners")
    }
    return found
  }

  /// What is held is the host's, and stays it.
  private func clauses(_ use: Use, _ range: PageRange) -> [Clause] {
    let rule = if case .fromBoot = use { Rule.tablesFromBootStayHeld } else { Rule.claimOfPinnedIsRefused }
    let isStaying = pages.leaving.isDisjoint(with: range.pages)
    return [(rule, pages.are(range, .host)), (.leavingPagesStayUnused, isStaying)]
  }

  /// GITS_CBASER and GITS_BASER<n> name EL2's memory, each its own, for as long as the hardware may use them.
  private func registerClauses(_ its: Int) -> [Clause] {
    let state = self[its]
    let tables = state.identity.tables.filter { $0.isValid }
    let mine =
      [state.commit.pages] + state.identity.arena
      + tables.compactMap { PageRange(PhysicalAddress($0.base), bytes: $0.size) }
    let believes = state.phase == .enabled && state.isEnabledAsWritten && state.isReadPlausible
    return [
      (.tablesAreEL2s, mine.allSatisfy { pages.are($0, .el2) } && mine.areDisjoint),
      (.enabledOnlyFromRest, state.host.isEnabled == (state.phase == .enabled) || state.phase == .off),
      (.commandQueueIsEL2s, !believes || state.hardware.commandBase == state.identity.commandBase),
      (.commandQueueIsEL2s, state.identity.commandBase.size <= state.commit.pages.bytes),
      (.tablesAreEL2s, !believes || state.hardware.tables == state.identity.tables),
    ]
  }

  /// No slot is written while the hardware may read it; EL2 reads commands from memory that is held.
  private func queueClauses(_ its: Int) -> [Clause] {
    let commit = self[its].commit, base = self[its].host.commandBase
    let held = pages.holds[.stagingQueue(its: its)]
    return [
      (.slotsAreNotRewritten, UInt64(commit.slots.count) < commit.capacity),
      (.oneWriteOfCWRITER, commit.passed <= commit.published && commit.published <= commit.appended),
      (.stagingIsShared, held == nil || held == PageRange(PhysicalAddress(base.base), bytes: base.size)),
    ]
  }

  /// Each slot that the hardware may read was checked: every address and INTID is one that it may be given.
  private func slotClauses(_ slot: ITSCommand, _ its: Int) -> [Clause] {
    let state = self[its]
    let isSafe =
      switch slot.opcode {
      case .mapd where slot.isValid:
        state.tables.values.contains {
          $0.state != .zeroing && $0.owner == .device(slot.deviceID)
            && $0.pages.first.address.rawValue == slot.translationTable
            && $0.pages.count >= state.pages(eventIDBits: slot.eventIDBits)
        }
      case .vmapp where slot.isValid:
        redistributor(slot.target, its, isVirtual: true) != nil
          && state.tables.values.contains {
            $0.owner == .vpe(slot.vpeID) && $0.pages == slot.pendingTablePages
          }
      case .mapc: !slot.isValid || isKnown(slot.target, its)
      case .sync: isKnown(slot.target, its)
      case .vmovp: redistributor(slot.target, its, isVirtual: true) != nil
      case .movall: isKnown(slot.target, its) && isKnown(slot.secondTarget, its)
      case .mapti: board.isInterrupt(slot.physicalID)
      case .mapi: board.isInterrupt(slot.eventID)
      default: slot.opcode.map { !$0.isVirtual || offersVirtual(its) } ?? false
      }
    let clean = slot.opcode.map { slot.rebuilt(as: $0, targetsAreAddresses: state.areAddresses) }
    return [(.theHostChoosesNoAddress, isSafe), (.res0BitsAreZero, clean == slot)]
  }

  /// What is mapped has a table, and a table that is mapped is mapped for something; no two share a page.
  private func tableClauses(_ its: Int) -> [Clause] {
    let state = self[its], used = state.used
    let ledger =
      state.devices.map { (Mapping.device($0), $1.table) } + state.vpes.map { (.vpe($0), $1.table) }
    let mapped = state.tables.filter { $0.value.state == .mapped }
    return [
      (.tableIsEL2sArena, used.areDisjoint),
      (.tableIsEL2sArena, used.allSatisfy { range in state.identity.arena.contains { $0.contains(range) } }),
      (.freeBehindSyncs, ledger.allSatisfy { mapped[$1]?.owner == $0 } && mapped.count == ledger.count),
      (.placeInTheLedger, state.devices.count <= state.identity.devicePlaces),
      (.placeInTheLedger, state.vpes.count <= state.identity.vpePlaces),
      (.placeInTheLedger, UInt64(state.collections.count) <= state.collectionPlaces),
      (.targetsAreRedistributors, state.targets.allSatisfy { isKnown($0, its) }),
      (.freeBehindSyncs, state.targets.isSuperset(of: state.collections.values)),
    ]
  }

  /// A table that the hardware may use is EL2's, or the host's and held, until it is free.
  private func clauses(_ key: TableKey, _ table: Table, _ its: Int) -> [Clause] {
    switch key {
    case .translation(let first): [(.tableIsEL2sArena, table.pages.first == first)]
    case .pending: [(.vpeTableIsTheHosts, pages.holds[.vpeTable(its: its, key)] == table.pages)]
    }
  }

  /// Tables that a Redistributor may use are held to their last byte, and are those in its registers.
  private func clauses(redistributor rd: Int) -> [Clause] {
    let it = redistributors[rd], isHolding = redistributors.contains { $0.tables != nil }
    return [
      (.onlyEL2WritesAddresses, isHeld(rd, it.hardware)),
      (.everythingStaysHeld, it.state == .idle || it.tables != nil),
      (.ownersChangeWhenDone, hasHeldVPE(rd, it.hardware)),
      (.tablesAreTheHosts, pages.holds[.configuration(rd)] == it.tables?.configuration),
      (.tablesAreTheHosts, pages.holds[.pending(rd)] == it.tables?.pending),
      (.residentTablesAreHeld, pages.holds[.virtualConfiguration(rd)] == it.resident?.configuration),
      (.residentTablesAreHeld, pages.holds[.virtualPending(rd)] == it.resident?.pending),
      (.sharedRegisterKeepsTables, lingering.isEmpty || isHolding),
    ]
  }
}

extension [PageRange] {
  /// Whether no two of these ranges share a page.
  fileprivate var areDisjoint: Bool {
    let sorted = sorted { $0.first < $1.first }
    return zip(sorted, sorted.dropFirst()).allSatisfy { $0.last < $1.first }
  }
}
