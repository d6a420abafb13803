// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import IOMMU
internal import Ownership
internal import SMMU

// Taking all SMMUs over, or none. Devices never reach more than they did before: first every SMMU aborts, and
// only when all of them have EL2's queues and the empty table, they begin to translate.
//
// One that firmware has left translating is stopped as any other, since what its tables say is in memory that
// the host may write. But it is never given back: what firmware had its devices reach is not known, so that
// they would reach either more or something else. It is quarantined instead, and aborts.

extension SMMUGroup where Machine: ~Copyable {
  mutating func takeOver<Memory: TableMemory & ~Copyable>(
    _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) {
    switch phase {
    case .confining: return
    case .quarantined: throw .wrongPhase
    case .off: break
    }
    let table = try emptyTable(&pool)
    do throws(SMMUSetupError) {
      try build(table, pool.pages)
      try takeOverUnits()
    } catch {
      refusal = error
      throw .unsupported(reason: error.reason)
    }
    refusal = nil
    phase = .confining
  }

  /// The table; of an attempt that failed it is still there, and empty.
  private mutating func emptyTable<Memory: TableMemory & ~Copyable>(
    _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) -> DMATable {
    if let table { return table }
    do throws(OwnershipError) {
      let new = try DMATable(geometry, splitting: splitting, pool: &pool)
      table = new
      return new
    } catch {
      throw .poolExhausted(needed: geometry.rootTables, free: pool.freeCount)
    }
  }

  /// Everything that can fail without a register: queues and stream tables.
  private mutating func build(
    _ table: DMATable, _ pool: PageRange
  ) throws(SMMUSetupError) {
    let entry = StreamTableEntry.confined(by: table, vmid, outputSize: outputSize)
    for index in units.indices {
      var unit = units[index]
      guard unit.features.reaches(pool) else {
        throw .unreachable(unit: unit.port.unit, pool.last.address)
      }
      try unit.build(setups[index], entry, policy, machine.memory)
      units[index] = unit
    }
  }

  private mutating func takeOverUnits() throws(SMMUSetupError) {
    var saved: FixedList<16, SavedRegisters>?
    do throws(SMMUSetupError) {
      for index in units.indices {
        let unit = units[index]
        let registers = try SavedRegisters(
          unit.port, hasMSI: unit.features.hasMSI, machine)
        // Before the first write: what was stopped halfway is given back, too.
        var list = saved ?? FixedList(filler: registers)
        _ = list.append(registers)
        saved = list
        try unit.stop(registers, machine)
      }
      for index in units.indices {
        var unit = units[index]
        try unit.install(machine)
        units[index] = unit
      }
      for index in units.indices { try units[index].enable(machine) }
    } catch {
      if let saved { giveBack(saved) }
      throw error
    }
  }

  /// Gives back what was stopped; what can't be is quarantined.
  private mutating func giveBack(_ saved: FixedList<16, SavedRegisters>) {
    for index in saved.indices.reversed() {
      let registers = saved[index]
      let unit = units[index]
      do throws(SMMUSetupError) {
        if registers.control0.contains(.translates) {
          phase = .quarantined
          try unit.stop(registers, machine)
        } else {
          try unit.giveBack(registers, machine)
        }
      } catch {
        phase = .quarantined
        quarantine(unit, registers)
      }
    }
  }

  /// Has an SMMU that does not do as it is told abort, as far as it does that.
  private func quarantine(_ unit: SMMUUnit, _ registers: SavedRegisters) {
    do throws(SMMUSetupError) {
      try unit.stop(registers, machine)
    } catch {
      // Nothing else is left to be told.
    }
  }
}
