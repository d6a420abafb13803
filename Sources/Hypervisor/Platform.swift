// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Architecture
public import DeviceTree
public import GIC
public import ITS
public import Trace
public import Traps

/// What a machine offers to the ``Monitor``: a small handle, bound statically.
///
/// The image that is booted is one, a hypervisor that links the library another.
public protocol Platform: Sendable {
  /// The registers of the hardware.
  associatedtype Registers: DeviceMemory
  /// Memory that EL2 has mapped, by physical address.
  associatedtype Memory: HostMemory
  /// The words of the statistics.
  associatedtype Counts: CountMemory
  /// Who decides on pages of the host's memory.
  associatedtype Pages: PageAuthority
  /// What the mediation of an ITS needs where its accesses are recorded: the same type as else where nothing ever is.
  associatedtype RecordingMachine: ITSMachine

  /// The registers of the hardware.
  var registers: Registers { get }
  /// Memory that EL2 has mapped.
  var memory: Memory { get }
  /// The number of the CPU that runs this, from zero.
  var cpu: UInt64 { get }
  /// MPIDR_EL1 of this CPU.
  var multiprocessorAffinity: UInt64 { get }
  /// Where the ITSes are kept.
  var itses: ITSPlaces { get }
  /// Where the Redistributors are kept.
  var redistributors: RedistributorPlace { get }

  /// Who decides on pages, asked with the lock of a device of `rank` held.
  func pages(holding rank: LockRank) -> Pages
  /// What the mediation of an ITS needs where its accesses are recorded.
  func recordingMachine(of its: UInt8) -> RecordingMachine
  /// Adds every Redistributor of the board to those that an ITS may send to; false where one does not
  /// answer, or there are too many.
  func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool

  /// Has the SMMU with this number answer a load.
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect
  /// Has the SMMU with this number carry out a store.
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect

  /// Logs a line; from any CPU, with any lock held but that of the log.
  func log(_ level: LogLevel, _ line: consuming LogLine)

  /// How many ITSes there are in their places.
  var itsCount: Int { get }
  /// Whether EL2 stands between the host and the Redistributors.
  var guardsRedistributors: Bool { get }
  /// The words of the statistics.
  var counts: Statistics<Counts> { get }
  /// Whether loads are counted, which lengthens each a little.
  static var countsLoads: Bool { get }

  // What follows is left out by a machine that records nothing, which then spends nothing on it.

  /// Whether accesses to ITSes are recorded; never changes once the host runs.
  var records: Bool { get }
  /// The time, for a record.
  var time: UInt64 { get }
  /// Records an access to an ITS, which began at `start`, behind all that it has caused.
  func record(_ access: TracedAccess, its: UInt8, since start: UInt64)
  /// A figure of ``Statistic`` that ``Monitor/value(_:)`` leaves to the machine; 0 where it keeps no such figure.
  func ownValue(_ number: StatisticNumber) -> UInt64
}

extension Platform {
  /// Nothing is recorded.
  public var records: Bool { false }
  /// Nothing is recorded.
  public var time: UInt64 { 0 }
  /// Nothing is recorded.
  public func record(_ access: TracedAccess, its: UInt8, since start: UInt64) {}
}

extension Platform {
  /// What the mediation of an ITS needs, on the CPU that runs this.
  @inline(__always)
  package func machine(of its: UInt8) -> ITSTrapMachine<Self> { ITSTrapMachine(its, self) }
  /// What the mediation of the Redistributors needs, on the CPU that runs this.
  package func redistributorMachine() -> RedistributorTrapMachine<Self> {
    RedistributorTrapMachine(self)
  }
}
