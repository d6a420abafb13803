// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import ITS
internal import Ownership
internal import Trace

/// A ``MediationMachine`` that records what happens to one ITS.
///
/// The mediation is specialised for it once more: with the other machine there is nothing to ask and
/// nothing to skip.
struct TracingMachine: ITSMachine {
  private let machine: MediationMachine
  /// The number of the ITS.
  var number: UInt8 { machine.number }

  var memory: MetalBusMemory { machine.memory }
  var registers: MetalDeviceMemory { machine.registers }
  var cpu: UInt64 { machine.cpu }

  init(number: UInt8) { machine = MediationMachine(number: number) }

  func count(_ command: ITSCommand) { machine.count(command) }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try machine.shareAndPin(pages)
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) { machine.unpinAndUnshare(pin) }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try machine.hold(pages, in: &table)
  }

  func release(_ slot: UInt64, of table: inout PinTable) { machine.release(slot, of: &table) }

  @inline(never)
  func record(_ event: TraceEvent) { Recorder.append(event, its: number) }
}
