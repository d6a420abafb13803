// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// What the registers of an SMMU held that taking it over changes.
struct SavedRegisters: Sendable {
  let control0: SMMUCR0
  let control1: UInt64
  let control2: UInt64
  let bypass: SMMUGBPA
  let interrupts: UInt64
  let errorMessage: UInt64
  let eventMessage: UInt64
  let streamTable: UInt64
  let streamShape: UInt64
  let commandQueue: UInt64
  let eventQueue: UInt64

  /// Reads them.
  init<Machine: SMMUMachine & ~Copyable>(
    _ port: SMMUPort, hasMSI: Bool, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    control0 = SMMUCR0(rawValue: try port.readWord(.control0, machine))
    control1 = try port.read(.control1, machine)
    control2 = try port.read(.control2, machine)
    bypass = SMMUGBPA(rawValue: try port.readWord(.globalBypass, machine))
    interrupts = try port.read(.interruptControl, machine)
    errorMessage = hasMSI ? try port.read(.globalErrorInterrupt0, machine) : 0
    eventMessage = hasMSI ? try port.read(.eventQueueInterrupt0, machine) : 0
    streamTable = try port.read(.streamTableBase, machine)
    streamShape = try port.read(.streamTableBaseConfiguration, machine)
    commandQueue = try port.read(.commandQueueBase, machine)
    eventQueue = try port.read(.eventQueueBase, machine)
  }
}
