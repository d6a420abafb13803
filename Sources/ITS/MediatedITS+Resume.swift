// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

// An ITS that has lost its power has lost its registers, and keeps its tables, which are memory. A host
// that resumes writes its own GITS_CBASER and GITS_BASER<n>, of which the hardware sees nothing, and
// then sets Enabled: before that reaches the hardware, EL2's own registers are there again.

extension MediatedITS {
  /// Sees to it that a quiescent, disabled ITS has EL2's queue and tables; false where it can't.
  mutating func reinstall<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> Bool {
    let queue = ITSRegister.commandBase.offset
    if hardware(read: queue, .double, machine) == installed.commandBase, hasTables(machine) {
      return true
    }
    // What was under way then was lost, an unmapping perhaps: the tables are not what the ledger says.
    guard commit.published == commit.completed else { return false }
    for index in 0..<8 as Range<UInt64> {
      let offset = ITSRegister.tableBases.offset + index * 8
      guard
        hardware(write: offset, .double, installed.tableBases[Int(index)], machine)
      else { return false }
    }
    guard hardware(write: queue, .double, installed.commandBase, machine),
      hardware(write: ITSRegister.commandWrite.offset, .double, 0, machine),
      hardware(read: queue, .double, machine) == installed.commandBase, hasTables(machine)
    else { return false }
    commit.restart()
    isHardwareStalled = false
    return true
  }

  private func hasTables<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) -> Bool {
    for index in 0..<8 as Range<UInt64> {
      let offset = ITSRegister.tableBases.offset + index * 8
      guard hardware(read: offset, .double, machine) == installed.tableBases[Int(index)] else {
        return false
      }
    }
    return true
  }
}
