// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

// One SMMU on its way from firmware to EL2, step by step.

extension SMMUUnit {
  /// Has every transaction abort, and stops the SMMU.
  ///
  /// GBPA first: it is what a stopped SMMU goes by, so that there is no moment at which one that translated
  /// lets everything pass.
  func stop<Machine: SMMUMachine & ~Copyable>(
    _ saved: SavedRegisters, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    try port.bypass(saved.bypass.aborting, machine)
    try port.control(SMMUCR0(rawValue: 0), machine)
    try port.interrupts(0, machine)
  }

  /// Gives a stopped SMMU EL2's queues and stream table, has it forget what it knew, and leaves it at the
  /// edge of translating.
  mutating func install<Machine: SMMUMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    guard let parts else { throw .outOfMemory(unit: port.unit) }
    try port.write(.control1, UInt64(SMMUCR1.coherent.rawValue), machine)
    // The TLB maintenance of the CPUs is about other tables.
    let control2 = SMMUCR2.recordsUnknownStreams.union(.ignoresBroadcasts)
    try port.write(.control2, UInt64(control2.rawValue), machine)
    if features.hasMSI {
      // Its own MSIs pass no translation: it sends none.
      try port.install(.globalErrorInterrupt0, 0, machine)
      try port.install(.eventQueueInterrupt0, 0, machine)
    }
    try port.install(
      .streamTableBase, parts.streams.base.rawValue, mask: Self.addressMask, machine)
    try port.install(
      .streamTableBaseConfiguration, UInt64(parts.streams.shape.rawValue), machine)
    try port.install(
      .commandQueueBase, parts.commands.register.rawValue, mask: Self.addressMask, machine)
    try port.install(.commandQueueProduced, 0, machine)
    try port.install(.commandQueueConsumed, 0, mask: Self.positionMask, machine)
    try port.install(
      .eventQueueBase, parts.events.register.rawValue, mask: Self.addressMask, machine)
    try port.install(.eventQueueProduced, 0, machine)
    try port.install(.eventQueueConsumed, 0, machine)

    guard let errors = port.activeErrors(machine) else {
      throw .silent(unit: port.unit, offset: SMMURegister.globalError.offset)
    }
    guard !errors.contains(.serviceFailure) else { throw .serviceFailure(unit: port.unit) }
    // What stopped firmware's queue would stop this one.
    guard port.acknowledge(errors, machine) else {
      throw .silent(unit: port.unit, offset: SMMURegister.globalErrorAcknowledged.offset)
    }
    try port.control(.commandQueue, machine)
    guard forgetEverything(machine) else { throw .commandsNotConfirmed(unit: port.unit) }
    try port.control(ready, machine)
  }

  /// From here on stage 2 decides.
  func enable<Machine: SMMUMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    try port.control(ready.union(.translates), machine)
  }

  /// Puts back what ``stop(_:_:)`` found, queues off; GBPA last, by which devices reach what they did.
  ///
  /// - Throws: any error; every transaction aborts then, or nothing is known.
  func giveBack<Machine: SMMUMachine & ~Copyable>(
    _ saved: SavedRegisters, _ machine: borrowing Machine
  ) throws(SMMUSetupError) {
    try port.control(SMMUCR0(rawValue: 0), machine)
    try port.write(.control1, saved.control1, machine)
    try port.write(.control2, saved.control2, machine)
    if features.hasMSI {
      try port.write(.globalErrorInterrupt0, saved.errorMessage, machine)
      try port.write(.eventQueueInterrupt0, saved.eventMessage, machine)
    }
    try port.write(.streamTableBase, saved.streamTable, machine)
    try port.write(.streamTableBaseConfiguration, saved.streamShape, machine)
    try port.write(.commandQueueBase, saved.commandQueue, machine)
    try port.write(.eventQueueBase, saved.eventQueue, machine)
    try port.interrupts(saved.interrupts, machine)
    try port.bypass(saved.bypass, machine)
  }

  /// Queues on, and transactions that say they are translated are looked up: without ATSCHK they would pass
  /// whatever the stream table says of ATS (IHI 0070, 3.9).
  private var ready: SMMUCR0 {
    let queues = SMMUCR0.commandQueue.union(.eventQueue)
    return features.hasATS ? queues.union(.checksATS) : queues
  }

  // The hints that caches are allocated, and what is reserved, need not be kept.
  private static var addressMask: UInt64 { 1 << 52 - 1 }
  // CMDQ_CONS.ERR holds whatever it held.
  private static var positionMask: UInt64 { 0xf_ffff }
}
