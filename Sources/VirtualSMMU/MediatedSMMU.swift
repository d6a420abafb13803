// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Ownership
internal import SMMU

/// One SMMU between the host, which sees an SMMU with a stage 1, and the hardware, which sees EL2's queues
/// and EL2's stream table.
///
///      host                       EL2                               hardware
///   registers ───────→ virtual registers
///   command queue ───→ private copy → rule ─→ EL2's command queue ──→ SMMU
///   stream table ────→ private copy → rule ─→ stage 1 + EL2's stage 2 ─→ stream table
///   event queue  ←──── what is the host's ←─ EL2's event queue ←──────── faults
///   contexts, tables of stage 1 ←──────────── read by the hardware, behind EL2's stage 2
///
/// All state is guarded by a lock of this SMMU, of the rank of an ITS's.
public struct MediatedSMMU: ~Copyable {
  /// The ID registers that the host sees.
  public let offered: OfferedIdentification
  /// How much is done in one trap.
  public let policy: VirtualSMMUPolicy

  /// The pages of the host that are held: two queues and two windows.
  var pins: PinTable
  /// SMMU_CR0.
  var control = SMMUCR0(rawValue: 0)
  /// SMMU_CR0ACK.
  var acknowledged = SMMUCR0(rawValue: 0)
  /// SMMU_CR1, by which the host says how it writes queues and tables, which are read by CPUs.
  var control1: UInt32 = 0
  /// SMMU_CR2.
  var control2 = SMMUCR2(rawValue: 0)
  /// SMMU_GBPA.ABORT.
  var bypassAborts = false
  /// SMMU_IRQ_CTRL.
  var interrupts: UInt32 = 0
  /// SMMU_GERROR.
  var errors = SMMUGlobalError(rawValue: 0)
  /// SMMU_GERRORN.
  var errorsAcknowledged = SMMUGlobalError(rawValue: 0)
  /// SMMU_STRTAB_BASE.
  var streamBase = StreamTableBase(rawValue: 0)
  /// SMMU_STRTAB_BASE_CFG.
  var streamShape = StreamTableShape(rawValue: 0)
  var commands = HostQueue(limit: OfferedIdentification.commandLog2, size: SMMUCommand.size)
  var events = HostQueue(limit: OfferedIdentification.eventLog2, size: SMMUEvent.size)
  /// What is being read of the host's stream table.
  var scan: StreamScan?
  /// The hardware has not confirmed what it was asked for: it gets nothing more.
  public internal(set) var isBroken = false {
    didSet { if isBroken, !oldValue { hasNews = true } }
  }

  /// What was done and refused.
  public internal(set) var counters = VirtualSMMUCounters()
  /// The last refusal that was not yet logged.
  var lastRefusal: SMMURefusal? {
    didSet { if lastRefusal != nil { hasNews = true } }
  }
  /// Whether there is something to log: a refusal, or that the hardware has broken down.
  public private(set) var hasNews = false

  /// The bytes of EL2's memory that an SMMU takes.
  public static var ledgerSize: UInt64 { PinTable.size(capacity: 4) }

  /// Makes an SMMU as it comes out of reset: off, and everything passes stage 1.
  ///
  /// - Parameter ledger: ``ledgerSize`` bytes of EL2's memory, which are zero.
  public init(
    _ offered: OfferedIdentification, policy: VirtualSMMUPolicy = VirtualSMMUPolicy(),
    ledger: PhysicalAddress
  ) {
    self.offered = offered
    self.policy = policy
    pins = PinTable(list: ledger, capacity: 4)
  }

  /// The first page of `pages` that is held for the host; nil where none is.
  public func held<Memory: TableMemory & ~Copyable>(
    of pages: PageRange, memory: borrowing Memory
  ) -> PageFrameNumber? { pins.firstHeld(of: pages, memory: memory) }

  /// Takes the last refusal that was not taken yet; the news are told then.
  public mutating func takeRefusal() -> SMMURefusal? {
    hasNews = false
    return lastRefusal.take()
  }

  /// Counts a refusal.
  mutating func refuse(
    _ reason: SMMURefusalReason, command: SMMUCommand? = nil, stream: StreamID? = nil
  ) {
    counters.refused[Int(reason.rawValue)] &+= 1
    lastRefusal = SMMURefusal(reason: reason, command: command, stream: stream)
  }

  /// The errors that the host has not acknowledged.
  var activeErrors: SMMUGlobalError { errors.active(acknowledged: errorsAcknowledged) }

  /// Makes an error active, unless it is.
  mutating func raise(_ error: SMMUGlobalError) {
    guard !activeErrors.contains(error) else { return }
    errors = SMMUGlobalError(rawValue: errors.rawValue ^ error.rawValue)
  }

  /// The hardware does not do as it is told: the host is told so, and nothing further is asked.
  mutating func breakDown() {
    isBroken = true
    raise(.serviceFailure)
  }
}
