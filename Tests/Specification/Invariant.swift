// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

// `Security.md`: every address that an ITS, a Redistributor or a DMA device can write through lies in EL2's own tables
// for it, or in memory that was the host's when the address was installed. While it is installed, that memory cannot
// change owner.

/// A clause of the invariant that does not hold: the rule that has it, and what it does not hold for.
struct Violation: Equatable, Sendable {
  var rule: Rule
  var what: String
}

extension World {
  /// Every clause that does not hold. The invariant is that there is none, in each state.
  func violations() -> [Violation] {
    var found: [Violation] = []
    func check(_ condition: Bool, _ rule: Rule, _ what: @autoclosure () -> String) {
      if !condition { found.append(Violation(rule: rule, what: what())) }
    }
    for (use, range) in pages.holds {
      check(pages.are(range, .host), .claimOfPinnedIsRefused, "\(use): \(range) is not the host's")
      check(
        pages.leaving.isDisjoint(with: range.pages), .leavingPagesStayUnused, "\(use): \(range) is leaving")
    }
    for its in itses.indices {
      checkRegisters(its, check)
      checkQueue(its, check)
      checkTables(its, check)
    }
    for rd in redistributors.indices { checkRedistributor(rd, check) }
    return found
  }

  /// How a clause is checked.
  private typealias Check = (Bool, Rule, @autoclosure () -> String) -> Void

  /// GITS_CBASER and GITS_BASER<n> name EL2's memory for as long as the hardware may use them.
  private func checkRegisters(_ its: Int, _ check: Check) {
    let state = self[its]
    let mine = [state.commit.pages, state.identity.arena] + state.identity.tablePages
    for (number, range) in mine.enumerated() {
      check(pages.are(range, .el2), .tablesAreEL2s, "ITS \(its): \(range) is not EL2's")
      let overlaps = mine[(number + 1)...].contains { $0.overlaps(range) }
      check(!overlaps, .tablesAreEL2s, "ITS \(its): \(range) has two purposes")
    }
    check(
      state.host.isEnabled == (state.phase == .enabled) || state.phase == .off, .enabledOnlyFromRest,
      "ITS \(its): Enabled of the host")
    guard state.phase == .enabled, state.isEnabledAsWritten, state.isReadPlausible else { return }
    check(
      state.hardware.commandBase == state.identity.commandBase && state.isQueueEL2s
        && state.hardware.commandBase.size <= state.commit.pages.bytes, .commandQueueIsEL2s,
      "ITS \(its): GITS_CBASER")
    check(state.hardware.tables == state.identity.tables, .tablesAreEL2s, "ITS \(its): GITS_BASER<n>")
  }

  /// No slot is written while the hardware may read it, and each that it may read was checked.
  private func checkQueue(_ its: Int, _ check: Check) {
    let commit = self[its].commit
    check(UInt64(commit.slots.count) < commit.capacity, .slotsAreNotRewritten, "ITS \(its): slots")
    check(
      commit.passed <= commit.published && commit.published <= commit.appended, .oneWriteOfCWRITER,
      "ITS \(its): serial numbers")
    let areAddresses = self[its].identity.type.targetsAreAddresses
    for slot in commit.slots {
      let clean = slot.opcode.map { slot.rebuilt(as: $0, targetsAreAddresses: areAddresses) }
      check(clean == slot, .res0BitsAreZero, "ITS \(its): \(slot)")
      check(isSafe(slot, its), .theHostChoosesNoAddress, "ITS \(its): \(slot)")
    }
  }

  /// Whether every address and INTID of a slot is one that the hardware may be given.
  private func isSafe(_ slot: ITSCommand, _ its: Int) -> Bool {
    let state = self[its]
    switch slot.opcode {
    case .mapd where slot.isValid:
      let first = PageFrameNumber(containing: PhysicalAddress(slot.translationTable))
      guard let table = state.tables[.translation(first)], table.state != .zeroing else { return false }
      return slot.translationTable == first.address.rawValue && table.owner == .device(slot.deviceID)
        && table.pages.count >= state.pages(eventIDBits: slot.eventIDBits)
    case .vmapp where slot.isValid:
      let isHeld = state.tables.contains { key, table in
        table.owner == .vpe(slot.vpeID) && table.pages == slot.pendingTablePages
          && pages.holds[.vpeTable(its: its, key)] == table.pages
      }
      return isHeld && isKnown(slot.target, its)
    case .mapc: return !slot.isValid || isKnown(slot.target, its)
    case .sync, .vmovp: return isKnown(slot.target, its)
    case .movall: return isKnown(slot.target, its) && isKnown(slot.secondTarget, its)
    case .mapti: return board.isInterrupt(slot.physicalID)
    case .mapi: return board.isInterrupt(slot.eventID)
    default: return slot.opcode != nil && (!(slot.opcode?.isVirtual ?? false) || offersVirtual(its))
    }
  }

  /// A table that the hardware may use is EL2's for it alone, or the host's and held; what is mapped has one.
  private func checkTables(_ its: Int, _ check: Check) {
    let state = self[its]
    var used = Array(state.secondLevel.values)
    for (key, table) in state.tables {
      if case .translation(let first) = key {
        check(table.pages.first == first, .tableIsEL2sArena, "ITS \(its): the table at \(first)")
        used.append(table.pages)
      } else {
        check(
          pages.holds[.vpeTable(its: its, key)] == table.pages, .vpeTableIsTheHosts,
          "ITS \(its): \(key) is not held")
      }
    }
    used.sort { $0.first < $1.first }
    for (range, next) in zip(used, used.dropFirst()) {
      check(range.last < next.first, .tableIsEL2sArena, "ITS \(its): \(range) and \(next) overlap")
    }
    check(used.allSatisfy { state.identity.arena.contains($0) }, .tableIsEL2sArena, "ITS \(its): the arena")
    let ledger =
      state.devices.map { (Mapping.device($0), $1.table) } + state.vpes.map { (.vpe($0), $1.table) }
    for (mapping, key) in ledger {
      let table = state.tables[key]
      check(table?.state == .mapped && table?.owner == mapping, .freeBehindSyncs, "ITS \(its): \(mapping)")
    }
    check(
      state.tables.values.count { $0.state == .mapped } == ledger.count, .freeBehindSyncs,
      "ITS \(its): a table is mapped for nothing")
    let places = state.identity
    check(
      state.devices.count <= places.devicePlaces && state.vpes.count <= places.vpePlaces
        && UInt64(state.collections.count) <= state.collectionPlaces, .placeInTheLedger, "ITS \(its)")
    check(
      state.targets.isSuperset(of: state.collections.values) && state.targets.allSatisfy { isKnown($0, its) },
      .targetsAreRedistributors, "ITS \(its): a target")
    guard let held = pages.holds[.stagingQueue(its: its)] else { return }
    check(
      held.first.address.rawValue == state.host.commandBase.base && held.bytes == state.host.commandBase.size,
      .stagingIsShared, "ITS \(its): the staging queue")
  }

  /// Tables that a Redistributor may use are held to their last byte, and are those in its registers.
  private func checkRedistributor(_ rd: Int, _ check: Check) {
    let it = redistributors[rd]
    check(isHeld(rd, it.hardware), .onlyEL2WritesAddresses, "Redistributor \(rd): registers")
    check(
      it.state != .idle || it.hardware.control.isIdle || it.tables != nil, .ownersChangeWhenDone,
      "Redistributor \(rd): not idle")
    check(it.state == .idle || it.tables != nil, .everythingStaysHeld, "Redistributor \(rd): nothing held")
    check(
      pages.holds[.configuration(rd)] == it.tables?.configuration
        && pages.holds[.pending(rd)] == it.tables?.pending, .tablesAreTheHosts, "Redistributor \(rd)")
    check(
      pages.holds[.virtualConfiguration(rd)] == it.resident?.configuration
        && pages.holds[.virtualPending(rd)] == it.resident?.pending
        && (it.resident != nil || it.hardware.virtualPending.isIdle), .residentTablesAreHeld,
      "Redistributor \(rd): the resident vPE")
    let lingers = lingering.isEmpty || redistributors.contains { $0.tables != nil }
    check(lingers, .sharedRegisterKeepsTables, "lingering tables")
  }
}

extension ITSIdentity {
  /// The pages of EL2's tables.
  var tablePages: [PageRange] {
    tables.filter(\.isValid).compactMap { PageRange(PhysicalAddress($0.base), bytes: $0.size) }
  }
}
