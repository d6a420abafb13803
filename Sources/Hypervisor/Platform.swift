// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import DeviceTree
public import GIC
public import ITS
public import Redistributor
public import Trace
public import Traps

/// What a machine offers to the ``Monitor``: a small handle, bound statically.
///
/// The image that is booted is one, a hypervisor that links the library another.
public protocol Platform: Sendable {
  /// The registers of the hardware.
  associatedtype Registers: DeviceMemory
  /// What the mediation of an ITS needs.
  associatedtype Machine: HandoverMachine
  /// The same, with a record of what happens; the same type where nothing is ever recorded.
  associatedtype RecordingMachine: ITSMachine
  /// What the mediation of the Redistributors needs.
  associatedtype Redistributors: RedistributorMachine

  /// The registers of the hardware.
  var registers: Registers { get }
  /// Where the ITSes are kept.
  var itses: ITSPlaces { get }
  /// Where the Redistributors are kept.
  var redistributors: RedistributorPlace { get }

  /// What the mediation of an ITS needs, on the CPU that runs this.
  func machine(of its: UInt8) -> Machine
  /// What it needs where its accesses are recorded.
  func recordingMachine(of its: UInt8) -> RecordingMachine
  /// What the mediation of the Redistributors needs, on the CPU that runs this.
  func redistributorMachine() -> Redistributors
  /// Adds every Redistributor of the board to those that an ITS may send to; false where one does not
  /// answer, or there are too many.
  func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool

  /// Has the SMMU with this number answer a load.
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect
  /// Has the SMMU with this number carry out a store.
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect

  /// Logs a line; from any CPU, with any lock held but that of the log.
  func log(_ level: LogLevel, _ line: consuming LogLine)

  // What follows is left out by a machine that counts and records nothing, which then spends nothing on it.

  /// Whether accesses to ITSes are recorded; never changes once the host runs.
  var records: Bool { get }
  /// The time, for a record.
  var time: UInt64 { get }
  /// Records an access to an ITS, which began at `start`, behind all that it has caused.
  func record(_ access: TracedAccess, its: UInt8, since start: UInt64)
  /// Counts a load at an offset in the control frame of an ITS.
  func countLoad(_ its: UInt8, _ offset: UInt64)
  /// Counts a store at an offset in the control frame of an ITS.
  func countStore(_ its: UInt8, _ offset: UInt64)
}

extension Platform {
  /// Nothing is recorded.
  public var records: Bool { false }
  /// Nothing is recorded.
  public var time: UInt64 { 0 }
  /// Nothing is recorded.
  public func record(_ access: TracedAccess, its: UInt8, since start: UInt64) {}
  /// Nothing is counted.
  @inline(__always)
  public func countLoad(_ its: UInt8, _ offset: UInt64) {}
  /// Nothing is counted.
  @inline(__always)
  public func countStore(_ its: UInt8, _ offset: UInt64) {}
}
