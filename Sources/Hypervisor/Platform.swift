// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards
public import GIC
public import ITS
public import Redistributor
public import SMMUDriver
public import Trace
public import Traps
public import VirtualSMMU

/// What a machine offers to the ``Monitor``: a small handle, bound statically.
///
/// The image that is booted is one, a hypervisor that links the library another.
public protocol Platform: LockHolder, Sendable {
  /// The registers of the hardware.
  associatedtype Registers: DeviceMemory
  /// Memory that EL2 has mapped, by physical address.
  associatedtype Memory: HostMemory
  /// The words of the statistics.
  associatedtype Counts: CountMemory
  /// Who decides on pages of the host's memory.
  associatedtype Pages: PageAuthority
  /// What the driver of the SMMUs needs.
  associatedtype SMMUs: SMMUMachine
  /// What the mediation of an ITS needs where its accesses are recorded or looked at.
  associatedtype RecordingMachine: ITSMachine = RecordingITSMachine<Self>

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
  /// Adds every Redistributor of the board to those that an ITS may send to; false where one does not
  /// answer, or there are too many.
  func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool

  /// Whether the SMMUs are EL2's own; never changes once the host runs.
  var ownsSMMUs: Bool { get }
  /// The SMMUs as the host sees them.
  var virtualSMMUs: VirtualSMMUPlaces { get }
  /// How many SMMUs the host sees, from the first one on; never changes once the host runs.
  var virtualSMMUCount: UInt8 { get }
  /// Runs `body` with who follows the owners of pages for devices, and with the lock of rank `ownership`; `absent`
  /// where there is nobody.
  func withDMA<Result>(
    else absent: Result, _ body: (inout DMAProtection<SMMUs>) -> Result
  ) -> Result

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

  /// A figure of ``Statistic`` that ``Monitor/value(_:)`` leaves to the machine; 0 where it keeps no such figure.
  func ownValue(_ number: StatisticNumber) -> UInt64

  /// Whether accesses to ITSes are recorded; never changes once the host runs.
  var records: Bool { get }
  /// The time, for a record: counts of a clock that all CPUs share.
  var time: UInt64 { get }
  /// Runs `body` with the lock of the trace, and with the records that nobody has taken yet; nil where nothing is
  /// recorded.
  func withTrace<Result>(_ body: (inout TraceRing?) -> Result) -> Result
  /// Told behind each access that was recorded, with the lock of its ITS.
  func hasRecorded()

  /// Whether somebody looks at each access to an ITS, recorded or not; never changes once an ITS is set up.
  var looksOn: Bool { get }
  /// What the mediation of an ITS needs, on the CPU that runs this, where what it does is recorded or looked at.
  ///
  /// - Parameter records: whether it is an access, which the trace has.
  func recordingMachine(of its: borrowing LockedITS, records: Bool) -> RecordingMachine
  /// Told when the mediation of an ITS has begun, where somebody looks on; its lock is held.
  func hasBegun(_ its: borrowing LockedITS, isHandedOver: Bool)
  /// Told behind each access to an ITS that is mediated, where somebody looks on; its lock is held.
  func hasAnswered(_ access: TracedAccess, _ its: borrowing LockedITS)
  /// Told when an ITS that is mediated has come to rest before a loss of power, where somebody looks on.
  func hasPaused(_ its: borrowing LockedITS)
  /// Told when EL2 has looked what such a loss has left of it.
  func hasWoken(_ its: borrowing LockedITS)

  /// Told before an access to a Redistributor, or before EL2 looks at those of the CPU that has woken and runs this,
  /// where somebody looks on; their lock is held.
  func willAnswer(_ redistributors: borrowing MediatedRedistributors, isWaking: Bool)
  /// Told behind the access to the Redistributor with this number.
  func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors)
  /// Told behind the look.
  func hasWoken(mayRun: Bool, _ redistributors: borrowing MediatedRedistributors)

  /// What an ITS says of itself, with GITS_TYPER as it reads once EL2 mediates; nil where there is none.
  func identity(of its: UInt64) -> ITSIdentity?
  /// Ends the trust in the host with what it has not handed over; false where there is none, or none any more.
  func endTrust() -> Bool
  /// What the host is told of the machine.
  var facts: HypervisorService.Facts { get }
  /// Answers those calls of ``HypervisorService`` that are for tests; NOT_SUPPORTED where there are none.
  func answerForTests(_ call: SMCCC.Call) -> SMCCC.Result
}

extension Platform {
  /// Runs `body` with an ITS that was put into its place, and its lock held.
  public func withITS<Result: ~Copyable, Failure: Error>(
    _ number: UInt8, _ body: (borrowing LockedITS) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let its = itses.lock(number, on: self)
    do throws(Failure) {
      let result = try body(its)
      its.unlock(on: self)
      return result
    } catch {
      its.unlock(on: self)
      throw error
    }
  }

  /// Runs `body` with the mediation of the Redistributors, which has begun, and its lock.
  @inline(__always)
  public func withRedistributors<Result: ~Copyable, Failure: Error>(
    _ body: (inout MediatedRedistributors) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try redistributors.withLock(on: self, body)
  }

  /// Runs `body` with an SMMU as the host sees it, which was put into its place, and its lock.
  public func withVirtualSMMU<Result: ~Copyable>(
    _ number: UInt8, _ body: (inout MediatedSMMU) -> Result
  ) -> Result {
    virtualSMMUs.withLock(number, on: self, body)
  }

  /// What the mediation of an ITS needs, on the CPU that runs this.
  @inline(__always)
  package func machine(of its: UInt8) -> ITSTrapMachine<Self> { ITSTrapMachine(its, self) }
  /// Nobody does.
  public var looksOn: Bool { false }
  /// Nobody looks on.
  public func hasBegun(_ its: borrowing LockedITS, isHandedOver: Bool) {}
  /// Nobody looks on.
  public func hasAnswered(_ access: TracedAccess, _ its: borrowing LockedITS) {}
  /// Nobody looks on.
  public func hasPaused(_ its: borrowing LockedITS) {}
  /// Nobody looks on.
  public func hasWoken(_ its: borrowing LockedITS) {}
  /// Nobody looks on.
  public func willAnswer(_ redistributors: borrowing MediatedRedistributors, isWaking: Bool) {}
  /// Nobody looks on.
  public func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors
  ) {}
  /// Nobody looks on.
  public func hasWoken(mayRun: Bool, _ redistributors: borrowing MediatedRedistributors) {}
  /// What the mediation of the Redistributors needs, on the CPU that runs this.
  package func redistributorMachine() -> RedistributorTrapMachine<Self> {
    RedistributorTrapMachine(self)
  }
}

extension Platform where RecordingMachine == RecordingITSMachine<Self> {
  /// The same where its accesses are recorded.
  public func recordingMachine(
    of its: borrowing LockedITS, records: Bool
  ) -> RecordingITSMachine<Self> { RecordingITSMachine(its.number, self, records: records) }
}
