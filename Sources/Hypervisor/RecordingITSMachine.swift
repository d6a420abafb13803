// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import GIC
public import ITS
public import Ownership
public import Trace

/// The machine of an ITS, which records its traps.
///
/// The mediation is specialised for it once more: with the other machine there is nothing to ask and
/// nothing to skip.
public struct RecordingITSMachine<Machine: Platform>: ITSMachine {
  private let platform: Machine
  private let machine: ITSTrapMachine<Machine>
  private let records: Bool
  /// The number of the ITS.
  var number: UInt8 { machine.number }

  /// Memory that EL2 has mapped.
  public var memory: Machine.Memory { machine.memory }
  /// The registers of the hardware.
  public var registers: Machine.Registers { machine.registers }
  /// The number of the CPU.
  public var cpu: UInt64 { machine.cpu }

  /// - Parameter records: whether what happens is added to the trace.
  package init(_ number: UInt8, _ platform: Machine, records: Bool) {
    self.platform = platform
    self.records = records
    machine = ITSTrapMachine(number, platform)
  }

  /// Takes note of a command for the statistics.
  public func count(_ command: ITSCommand) { machine.count(command) }

  /// Shares and pins pages.
  public func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try machine.shareAndPin(pages)
  }

  /// Lets pages go.
  public func unpinAndUnshare(_ pin: consuming Pin<1>) { machine.unpinAndUnshare(pin) }

  /// Holds the pending table of a vPE.
  public func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try machine.hold(pages, in: &table)
  }

  /// Lets such a table go.
  public func release(_ slot: UInt64, of table: inout PinTable) {
    machine.release(slot, of: &table)
  }

  /// Adds an event to the trace.
  @inline(never)
  public func record(_ event: TraceEvent) {
    if records { Monitor(platform).record(event, its: number) }
  }
}
