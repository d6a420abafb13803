// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import GIC
public import Ownership
public import Trace

/// What the mediation of an ITS needs of the machine and of the rest of the hypervisor.
///
/// A value of it stands for one CPU during one trap.
public protocol ITSMachine: ~Copyable {
  /// Memory that EL2 owns, or that the host has shared and a pin holds.
  associatedtype Memory: HostMemory
  /// The registers of the hardware.
  associatedtype Registers: DeviceMemory

  /// The memory.
  var memory: Memory { get }
  /// The registers.
  var registers: Registers { get }
  /// The number of the CPU that has trapped, from zero.
  var cpu: UInt64 { get }

  /// Shares pages of the host's memory with EL2 and pins them.
  ///
  /// Takes the lock of rank `ownership`.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1>
  /// Ends what ``shareAndPin(_:)`` began.
  func unpinAndUnshare(_ pin: consuming Pin<1>)

  /// Shares pages of the host's memory, if they are not shared yet, and pins them in a slot of `table`.
  ///
  /// Takes the lock of rank `ownership`.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64
  /// Ends what ``hold(_:in:)`` began.
  func release(_ slot: UInt64, of table: inout PinTable)

  /// Takes note of a command that was accepted, for statistics.
  ///
  /// Nothing by default, and then nothing is spent on it: it is bound statically.
  func count(_ command: ITSCommand)

  /// Takes note of what happened, for a trace.
  ///
  /// Nothing by default, and then nothing is spent on it: it is bound statically.
  func record(_ event: TraceEvent)
}

extension ITSMachine where Self: ~Copyable {
  /// Takes no note.
  @inline(__always)
  public func count(_ command: ITSCommand) {}

  /// Takes no note.
  @inline(__always)
  public func record(_ event: TraceEvent) {}
}
