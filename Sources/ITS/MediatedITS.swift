// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import GIC
internal import Ownership
internal import Synchronization

/// One ITS between the host, which sees an ITS, and the hardware, which sees EL2's queue and tables.
///
///      host                       EL2                                hardware
///   CBASER, BASER ──→ virtual registers
///   staging queue ──→ private copy → rule → ledger ──→ commit queue ──→ ITS
///   tables, ITTs  (names only)          │                                │
///                                       └─→ tables and ITTs in the arena ┘
///
/// Nothing that the hardware reads as an address comes from the host: its queue, its tables and its
/// Interrupt Translation Tables lie in the arena, which is EL2's, and RDbase is one of the directory.
///
/// All state is guarded by the lock of rank `its` of this ITS.
public struct MediatedITS: ~Copyable {
  /// Where EL2 sees the control frame.
  let frame: VirtualAddress
  /// GITS_TYPER as the hardware has it.
  public let typer: GITSTyper
  /// GITS_TYPER as the host sees it: without what the policy does not offer, or EL2 has no table for.
  public let offered: GITSTyper
  /// What is permitted.
  public let policy: ITSPolicy

  var arena: PageArena
  var devices: DeviceLedger
  var collections: CollectionLedger
  /// The Redistributors that commands may name.
  var targets: RedistributorDirectory
  var commit: CommitQueue
  var vpes: VPELedger
  /// Pending tables of vPEs.
  var heldTables: PinTable
  var retirement: RetirementQueue
  var tokens: DoorbellTokens
  let deviceTable: HardwareTable
  let deviceTableIndex: Int
  /// nil where the hardware holds all collections itself.
  let collectionTable: HardwareTable?
  let rules: InlineArray<8, TableBaseRules>
  let installed: InstalledRegisters

  var staging = StagingQueue()
  /// GITS_BASER<n> as the host sees it.
  var tableBases: InlineArray<8, UInt64>
  var marks = TableMarks()
  /// GITS_CTLR.Enabled.
  var isEnabled = false
  /// Whether the hardware is disabled and was seen Quiescent since, with EL2's queue, where `commit` says:
  /// all that it knows is in memory, and a loss of power takes nothing with it.
  var isAtRest = true
  /// Whether EL2 has disabled it because its power may be lost, and the host has not.
  var isPaused = false
  /// The private copy of a command that could not be finished in the trap in which it was read.
  ///
  /// It is not read again: the host may have changed it.
  var pending: ITSCommand?
  /// The table of the pending MAPD, while it is being zeroed.
  var unfinished: UnfinishedTable?
  /// How many commands had been written to the commit queue when the staging queue began.
  var stagingBegan: UInt64 = 0
  /// What the hardware still has mapped and the host has given up with its tables.
  var purge = Purge()
  /// The hardware has stalled on a command.
  var isHardwareStalled = false
  /// The hardware answers with aborts, or is where it can't be: it gets no further command.
  public internal(set) var isBroken = false {
    didSet { if isBroken, !oldValue { hasNews = true } }
  }
  /// Traps in a row in which a store found no way on.
  var fruitlessRuns: UInt64 = 0

  /// What was done and refused.
  public internal(set) var counters = ITSCounters()
  /// The last command that was refused and not yet logged.
  var lastRefusal: CommandRefusal? {
    didSet { if lastRefusal != nil { hasNews = true } }
  }
  /// Whether there is something to log: a refused command, or that the hardware has broken down.
  public private(set) var hasNews = false

  // It gives the mediation an identity in memory, so that a borrow is its address. As a plain value the compiler copied
  // all of it to the stack at some calls.
  private let identity = Atomic(false)

  /// Takes what set-up has built.
  init(_ parts: consuming ITSParts) {
    frame = parts.frame
    typer = parts.typer
    offered = parts.offered
    policy = parts.policy
    arena = parts.arena
    devices = parts.ledgers.devices
    collections = parts.ledgers.collections
    targets = parts.ledgers.targets
    commit = parts.commit
    vpes = parts.ledgers.vpes
    heldTables = PinTable(
      list: parts.ledgers.heldTables, capacity: ITSLedgers.heldCapacity(parts.ledgers.vpes))
    retirement = parts.ledgers.retirement
    tokens = parts.ledgers.tokens
    deviceTable = parts.deviceTable
    deviceTableIndex = parts.deviceTableIndex
    collectionTable = parts.collectionTable
    rules = parts.rules
    installed = parts.installed
    tableBases = InlineArray(repeating: 0)
    for index in 0..<8 {
      tableBases[index] = rules[index].readBackByHost(nil, offersVPEs: vpes.capacity > 0).rawValue
    }
  }

  /// GITS_TYPER without what the policy does not offer.
  public static func offeredType(_ typer: GITSTyper, _ policy: ITSPolicy) -> GITSTyper {
    policy.offersVirtualInterrupts(typer) ? typer : typer.withoutVirtualLPIs
  }

  /// Takes the last refused command that was not taken yet; the news are told then.
  public mutating func takeRefusal() -> CommandRefusal? {
    hasNews = false
    return lastRefusal.take()
  }
}
