// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Traps

// An ITS that has lost its power has lost its registers and what it kept of its tables, and firmware may
// have written the registers again. A host that resumes writes its own GITS_CBASER and GITS_BASER<n>, of
// which the hardware sees nothing, and then sets Enabled: before that reaches the hardware, EL2's own
// registers are there again.
//
//     enabled ── Enabled cleared ─→ disabled ── Quiescent, GITS_CBASER is EL2's ─→ at rest
//      ▲   │                            │                                            │
//      │   └── power lost ──────────────┴─→ off until reset ←── commands were lost ──┤
//      └────────────── EL2's registers are there, or nothing was under way ──────────┘
//
// What the registers say after a loss is no evidence: GITS_CREADR is zero once GITS_CBASER is written. So
// only an ITS that was seen at rest before is enabled again.

extension MediatedITS {
  /// Has an enabled ITS come to rest before its power may be lost, until ``wake(machine:)``.
  public mutating func pause<Machine: ITSMachine & ~Copyable>(machine: borrowing Machine) {
    guard isEnabled, !isBroken else { return }
    _ = setControl(0, machine)
    // Where that aborts it is looked at like any other.
    isPaused = !isEnabled
  }

  /// Has the ITS go on where its power may have been lost; one that is not as EL2 left it is broken, and
  /// disabled if firmware has enabled it.
  ///
  /// The host sees nothing of a pause. So EL2 waits here as long as a store of the host would for one that is not
  /// Quiescent yet; one that never is so is broken, for nobody would enable it later.
  public mutating func wake<Machine: ITSMachine & ~Copyable>(machine: borrowing Machine) {
    if isPaused {
      isPaused = false
      fruitlessRuns = 0
      while !isEnabled, setControl(1, machine) == .again {}
      if !isEnabled { isBroken = true }
    }
    let control = hardwareControl(machine)
    if isEnabled, !isRunning(machine) { isBroken = true }
    guard isBroken, control.isEnabled else { return }
    _ = hardware(
      write: ITSRegister.control.offset, .word, UInt64(control.rawValue) & ~(1 | 1 << 31), machine)
  }

  /// How often a disabled ITS is asked whether it is Quiescent, in the trap that has disabled it.
  private static var polls: Int { 1 << 8 }

  /// Waits for an ITS that this trap has disabled, and takes note of where it rests.
  mutating func awaitRest<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    for _ in 0..<Self.polls {
      let isQuiescent = hardwareControl(machine).isQuiescent
      guard !isBroken else { return }
      // It was enabled when this trap began: nothing has come between.
      if isQuiescent { return rest(believesZero: true, machine) }
    }
  }

  /// Takes note of where a disabled, Quiescent ITS rests.
  mutating func settle<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    guard !isEnabled, !isAtRest, !isBroken else { return }
    // Zero is what firmware leaves that has written GITS_CBASER again.
    rest(believesZero: commit.isUnused, machine)
  }

  private mutating func rest<Machine: ITSMachine & ~Copyable>(
    believesZero: Bool, _ machine: borrowing Machine
  ) {
    guard hardware(read: ITSRegister.commandBase.offset, .double, machine) == installed.commandBase
    else {
      isBroken = true
      return
    }
    guard let value = hardware(read: ITSRegister.commandRead.offset, .double, machine) else {
      isBroken = true
      return
    }
    guard believesZero || GITSQueuePointer(rawValue: value).offset != 0 else { return }
    observe(machine)
    isAtRest = !isBroken
  }

  /// Whether an enabled ITS still is, with EL2's queue: else GITS_CREADR says nothing.
  mutating func isRunning<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) -> Bool {
    hardwareControl(machine).isEnabled
      && hardware(read: ITSRegister.commandBase.offset, .double, machine) == installed.commandBase
  }

  /// Sees to it that an ITS at rest has EL2's queue and tables; false where it can't.
  mutating func reinstall<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> Bool {
    if hasRegisters(reading: commit.completedOffset, writing: commit.publishedOffset, machine) {
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
    guard
      hardware(write: ITSRegister.commandBase.offset, .double, installed.commandBase, machine),
      hardware(write: ITSRegister.commandWrite.offset, .double, 0, machine),
      hasRegisters(reading: 0, writing: 0, machine)
    else { return false }
    commit.restart()
    isHardwareStalled = false
    return true
  }

  /// Whether the hardware has EL2's queue and tables, and is at these places in the queue.
  private func hasRegisters<Machine: ITSMachine & ~Copyable>(
    reading: UInt64, writing: UInt64, _ machine: borrowing Machine
  ) -> Bool {
    func pointer(_ register: RegisterLayout) -> UInt64? {
      hardware(read: register.offset, .double, machine).map {
        GITSQueuePointer(rawValue: $0).offset
      }
    }
    guard
      hardware(read: ITSRegister.commandBase.offset, .double, machine) == installed.commandBase,
      pointer(ITSRegister.commandRead) == reading, pointer(ITSRegister.commandWrite) == writing
    else { return false }
    for index in 0..<8 as Range<UInt64> {
      let offset = ITSRegister.tableBases.offset + index * 8
      guard hardware(read: offset, .double, machine) == installed.tableBases[Int(index)] else {
        return false
      }
    }
    return true
  }
}
