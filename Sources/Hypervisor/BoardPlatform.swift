// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import Boards
package import GIC
package import ITS
internal import Ownership
internal import Redistributor
internal import Synchronization
internal import SMMUDriver
package import Trace
package import Traps
package import UEFI

/// A machine of which Portcullis has every page and every CPU, from firmware on.
///
/// The start-up, the calls of the host and all that SMMUs need are written for one of these. Metal is one, the
/// simulated board of the tests another.
package protocol BoardPlatform: Platform {
  /// The pages of EL2 by physical address, before the MMU is on and behind.
  associatedtype Tables: TableMemory
  /// The TLBs.
  associatedtype Cache: TranslationCache
  /// The host's system registers, on the CPU that runs this.
  associatedtype HostRegisters: HostSystemRegisters
  /// What answers SMC.
  associatedtype BoardFirmware: Firmware
  /// The console.
  associatedtype Output: LogOutput

  /// How the image stands between the host and its ITSes.
  var mediation: Mediation { get }
  /// Where the state is.
  var state: StatePlace<Self> { get }
  /// The pages of EL2, of an image that lies at `imageBase`.
  func tables(imageBase: PhysicalAddress) -> Tables
  /// The TLBs.
  var cache: Cache { get }
  /// The host's system registers.
  var host: HostRegisters { get }
  /// What the driver of the SMMUs needs.
  var smmus: SMMUs { get }
  /// Where the parts of the image are whose tables these are.
  func layout(of tables: borrowing Tables) -> ImageLayout?

  /// ID_AA64MMFR0_EL1.PARange of this CPU.
  var physicalAddressRange: UInt64 { get }
  /// What this CPU says that it has.
  var identity: ProcessorIdentity { get }
  /// CNTFRQ_EL0.
  var frequency: UInt64 { get }
  /// The bytes of the stack of a CPU, a multiple of the page.
  var stackSize: UInt64 { get }
  /// Where EL2 sees the stack of a CPU; what lies below it, as large, stays unmapped.
  func stack(_ cpu: UInt64) -> VirtualAddress

  /// The firmware of `board`, for code at EL2.
  func firmware(of board: borrowing Board) -> BoardFirmware
  /// No firmware: every call is answered with NOT_SUPPORTED.
  var noFirmware: BoardFirmware { get }
  /// The console of `board`, whose registers EL2 sees from `base` on; nil where it is of no kind that is known.
  func console(_ description: ConsoleDescription, at base: VirtualAddress) -> Output?

  /// What takes the text that EL2 leaves in memory which firmware hands over, and which is mapped.
  func text(of offer: FirmwareOffer) -> Output

  /// Bytes of mapped memory, which nothing changes meanwhile.
  @_lifetime(borrow self)
  func bytes(of range: AddressRange) -> Span<UInt8>
  /// Bytes of mapped memory that nothing else uses; what is stored there is in memory with ``publish(_:)``.
  @_lifetime(borrow self)
  func mutableBytes(of range: AddressRange) -> MutableSpan<UInt8>
  /// The bytes of the host that is part of the image, a multiple of eight.
  var payloadSize: UInt64 { get }
  /// Its word at an offset in bytes.
  func payloadWord(_ offset: UInt64) -> UInt64
  /// Makes stores to mapped memory visible to a host whose MMU and caches are off.
  func publish(_ range: AddressRange)

  /// Loads VTCR_EL2 and VTTBR_EL2 on this CPU.
  func load(_ translation: HostTranslationRegisters)
  /// Waits for an interrupt, which may be one that is masked.
  func waitForInterrupt()
  /// Ends it all by a call of firmware: there is nothing that may run. On hardware it does not return.
  func switchOff(by firmware: BoardFirmware)
  /// Measures what a benchmark wants to know (`portcullis.bench`), when all is claimed and the host has not begun;
  /// `spare` is memory that nobody uses, where there is some.
  func measure(spare: PageRange?)
}

extension BoardPlatform {
  /// The owners of pages, whose ledger is in the state.
  package func pages(holding rank: LockRank) -> LockedOwnership<Self> {
    LockedOwnership(of: self, holding: rank)
  }

  /// Adds region by region: the whole list would not fit a stack well.
  package func addTargets(
    to targets: inout RedistributorDirectory, _ typer: GITSTyper
  ) -> Bool {
    for index in state.shared.redistributors.indices {
      let region = state.shared.redistributors[index]
      guard region.isUsed else { continue }
      guard
        RedistributorScan.add(
          region, at: VirtualLayout.redistributors(index), to: &targets, typer,
          machine: machine(of: 0))
      else { return false }
    }
    return true
  }

  /// As they were claimed.
  package var ownsSMMUs: Bool { state.shared.ownsSMMUs }
  /// As they were begun.
  package var virtualSMMUCount: UInt8 { state.shared.virtualSMMUs }
  /// The observer of the owners of pages.
  package func withDMA<Result>(
    else absent: Result, _ body: (inout DMAProtection<SMMUs>) -> Result
  ) -> Result {
    state.shared.ownershipLock.withLock(on: self) {
      state.shared.ownership.updateObserver { (protection, _, _, _) in body(&protection) }
    }
  }

  /// Has an SMMU answer a load.
  package func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect {
    Monitor(self).readOwnedSMMU(number, access)
  }
  /// Has an SMMU carry out a store.
  package func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    Monitor(self).writeOwnedSMMU(number, access, value)
  }

  /// Logs a line to the ring of the log, or while EL2 has the console to that.
  package func log(_ level: LogLevel, _ line: consuming LogLine) {
    Monitor(self).log(level, line)
  }

  /// Whether there is a trace.
  package var records: Bool { state.diagnostics.trace != nil }
  /// Those in the memory of the image.
  package func withTrace<Result>(_ body: (inout TraceRing?) -> Result) -> Result {
    state.diagnostics.traceLock.withLock(on: self) { body(&state.diagnostics.trace) }
  }
  /// Writes some records to the console, where they are to go there at once.
  package func hasRecorded() { Monitor(self).drainTraceOfAccess() }

  /// As EL2 read it at the claim.
  package func identity(of its: UInt64) -> ITSIdentity? { Monitor(self).identity(of: its) }
  /// The host is trusted by a word of the boot arguments.
  package func endTrust() -> Bool {
    state.shared.trustsHost.exchange(false, ordering: .acquiringAndReleasing)
  }
  /// Tells of the image and its memory.
  package var facts: HypervisorService.Facts {
    HypervisorService.Facts(
      image: state.shared.layout.image, regions: state.shared.registry.count,
      memory: state.shared.memory.range)
  }
  /// Tells of the canary.
  package func answerForTests(_ call: SMCCC.Call) -> SMCCC.Result {
    HypervisorService.answerForTests(
      call, canary: state.shared.canary, memory: Monitor(self).tables)
  }

  /// Loads are counted.
  package static var countsLoads: Bool { true }
  /// How many ITSes are claimed.
  package var itsCount: Int { state.shared.identities.count }
  /// The control of the attack tests mediates nothing.
  package var guardsRedistributors: Bool { mediation == .on }
  /// What the board, its CPUs, log and SMMUs have counted.
  package func ownValue(_ number: StatisticNumber) -> UInt64 { Monitor(self).boardValue(number) }
}

/// The console: takes bytes, as long as it does.
package protocol LogOutput {
  /// Sends one byte; false where the device did not take it in bounded time, or answers with an abort.
  func send(_ byte: UInt8) -> Bool
}

/// The host's stage 2, as a CPU is told of it.
package struct HostTranslationRegisters: Sendable {
  /// VTTBR_EL2: the host's stage 2, VMID 0.
  package let base: UInt64
  /// VTCR_EL2.
  package let control: UInt64
}

/// Where the parts of the image are that more than one CPU or a device uses.
package struct ImageLayout: Sendable {
  /// All of it.
  package let image: AddressRange
  /// Memory that holds a pattern, for attack tests to aim at.
  package let canary: AddressRange
  /// The pins of the Redistributors.
  package let redistributorPins: PhysicalAddress
  /// The queues and stream tables of the SMMUs.
  package let smmuArena: AddressRange
  /// The SMMUs as the host sees them: the same memory as ``BoardPlatform/virtualSMMUs``.
  package let virtualSMMUs: PhysicalAddress
  /// The records of a trace.
  package let trace: AddressRange
  /// Where firmware has CPUs enter EL2, x0 = the number of the CPU.
  package let secondaryEntry: UInt64

  /// Collects the parts.
  package init(
    image: AddressRange, canary: AddressRange, redistributorPins: PhysicalAddress,
    smmuArena: AddressRange, virtualSMMUs: PhysicalAddress, trace: AddressRange,
    secondaryEntry: UInt64
  ) {
    self.image = image
    self.canary = canary
    self.redistributorPins = redistributorPins
    self.smmuArena = smmuArena
    self.virtualSMMUs = virtualSMMUs
    self.trace = trace
    self.secondaryEntry = secondaryEntry
  }
}
