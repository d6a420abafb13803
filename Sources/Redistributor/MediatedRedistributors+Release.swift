// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import GIC
internal import Ownership

// A Redistributor that is done with its tables lets go of them. The pending table is its own. So is the
// configuration table where each has a GICR_PROPBASER; where that is one register, or may be, a table stays
// held until no Redistributor holds any.

extension MediatedRedistributors {
  /// Whether two registers name one table, of which more bits than the board has are not part.
  func isSameTable(_ first: GICRConfigurationBase, _ second: GICRConfigurationBase) -> Bool {
    first.base == second.base && bits(first) == bits(second)
  }

  /// Gives the tables of a Redistributor back, or keeps what another one may use.
  mutating func letGo<Machine: RedistributorMachine & ~Copyable>(
    _ redistributor: inout MediatedRedistributor, _ number: Int, _ machine: borrowing Machine
  ) {
    guard let holding = redistributor.lpis.holding else { return }
    var isAlone = true
    var isHeld = parked.contains { isSameTable($0, holding.configuration) }
    for other in 0..<count where other != number {
      guard let held = slots[other].lpis.holding else { continue }
      isAlone = false
      if isSameTable(held.configuration, holding.configuration) { isHeld = true }
    }
    if isAlone {
      while let slot = parked.takeLast() { machine.release(slot, of: &pins) }
    } else if hasOneConfigurationBase != false, !isHeld {
      guard !parked.isFull else { return }
      parked.append(holding.configuration, slot: holding.configurationSlot)
      redistributor.lpis.holding = nil
      machine.release(holding.pendingSlot, of: &pins)
      counters.released &+= 1
      return
    }
    redistributor.lpis.release(from: &pins, machine)
    counters.released &+= 1
  }
}
