// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// The registers of one SMMU.
struct SMMUPort: Sendable {
  let frame: VirtualAddress
  let unit: UInt16

  private func place(_ register: SMMURegister) -> VirtualAddress {
    VirtualAddress(frame.rawValue &+ register.offset)
  }

  private func width(_ register: SMMURegister) -> AccessWidth {
    register.size == 8 ? .double : .word
  }

  /// Reads a register; nil where it does not answer.
  @inline(__always)
  func look<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ machine: borrowing Machine
  ) -> UInt64? {
    machine.registers.read(width(register), at: place(register))
  }

  /// Writes a register; false where it does not answer.
  @inline(__always)
  func put<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ value: UInt64, _ machine: borrowing Machine
  ) -> Bool {
    machine.registers.write(width(register), value, at: place(register))
  }

  /// Reads the index of a queue; nil where the register does not answer.
  @inline(__always)
  func pointer<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ machine: borrowing Machine
  ) -> SMMUQueuePointer? {
    guard let value = look(register, machine) else { return nil }
    return SMMUQueuePointer(rawValue: UInt32(truncatingIfNeeded: value))
  }

  /// The errors that are active; nil where the registers do not answer.
  func activeErrors<Machine: SMMUMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> SMMUGlobalError? {
    guard let errors = look(.globalError, machine),
      let acknowledged = look(.globalErrorAcknowledged, machine)
    else { return nil }
    return SMMUGlobalError(rawValue: UInt32(truncatingIfNeeded: errors))
      .active(acknowledged: SMMUGlobalError(rawValue: UInt32(truncatingIfNeeded: acknowledged)))
  }

  /// Acknowledges errors that are active; false where the registers do not answer.
  func acknowledge<Machine: SMMUMachine & ~Copyable>(
    _ errors: SMMUGlobalError, _ machine: borrowing Machine
  ) -> Bool {
    guard let acknowledged = look(.globalErrorAcknowledged, machine) else { return false }
    return put(.globalErrorAcknowledged, acknowledged ^ UInt64(errors.rawValue), machine)
  }
}

// During set-up, when every refusal ends it.
extension SMMUPort {
  func read<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ machine: borrowing Machine
  ) throws(SMMUSetupError) -> UInt64 {
    guard let value = look(register, machine) else {
      throw .silent(unit: unit, offset: register.offset)
    }
    return value
  }

  func readWord<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ machine: borrowing Machine
  ) throws(SMMUSetupError) -> UInt32 {
    UInt32(truncatingIfNeeded: try read(register, machine))
  }

  func write<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ value: UInt64, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    guard put(register, value, machine) else {
      throw .silent(unit: unit, offset: register.offset)
    }
  }

  /// Writes a register that keeps what it was given, but for bits outside `mask`.
  func install<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ value: UInt64, mask: UInt64 = .max, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    try write(register, value, machine)
    let found = try read(register, machine)
    guard found & mask == value & mask else {
      throw .refused(unit: unit, offset: register.offset)
    }
  }

  /// Waits until `isReached` says so of a register.
  private func wait<Machine: SMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ machine: borrowing Machine, until isReached: (UInt32) -> Bool
  ) throws(SMMUSetupError) {
    var looks: UInt64 = 0
    while true {
      let value = try readWord(register, machine)
      if isReached(value) { return }
      looks += 1
      guard machine.mayLookAgain(after: looks) else {
        throw .notAcknowledged(unit: unit, offset: register.offset)
      }
    }
  }

  /// Writes CR0 and waits until the SMMU is as it says.
  func control<Machine: SMMUMachine & ~Copyable>(
    _ wanted: SMMUCR0, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    try write(.control0, UInt64(wanted.rawValue), machine)
    // The bits that this driver ever sets: SMMUEN to ATSCHK.
    try wait(.control0Acknowledged, machine) { $0 & 0x1f == wanted.rawValue & 0x1f }
  }

  /// Writes IRQ_CTRL and waits until it holds.
  func interrupts<Machine: SMMUMachine & ~Copyable>(
    _ wanted: UInt64, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    try write(.interruptControl, wanted, machine)
    try wait(.interruptControlAcknowledged, machine) { UInt64($0) & 0b111 == wanted & 0b111 }
  }

  /// Writes GBPA, which is done with Update set while that reads clear, and waits until it holds.
  func bypass<Machine: SMMUMachine & ~Copyable>(
    _ wanted: SMMUGBPA, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    try wait(.globalBypass, machine) { !SMMUGBPA(rawValue: $0).update }
    try write(.globalBypass, UInt64(wanted.updating.rawValue), machine)
    try wait(.globalBypass, machine) { !SMMUGBPA(rawValue: $0).update }
    let found = SMMUGBPA(rawValue: try readWord(.globalBypass, machine))
    guard found.aborts == wanted.aborts else {
      throw .refused(unit: unit, offset: SMMURegister.globalBypass.offset)
    }
  }
}
