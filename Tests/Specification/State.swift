// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SMMU

// What the documentation speaks of, and nothing of how EL2 keeps it. Constants of the board are beside what
// changes, so that one value says all.

/// A Redistributor as a command names it: a processor number, or an address without its low 16 bits.
typealias Target = UInt64
/// The number of a CPU.
typealias CPU = Int

/// Everything that a transition reads and changes.
struct World: Equatable, Sendable {
  /// What does not change.
  var board: Board
  /// Whose each page is, and why it is held.
  var pages: Pages
  /// The ITSes, by their index.
  var itses: [ITSState]
  /// The Redistributors, by their index.
  var redistributors: [RedistributorState]
  /// What devices reach.
  var dma = DMA()
  /// The ITSes that a trusted host hands over.
  var handover = Handover()
  /// Which CPUs run.
  var power = Power()
  /// Everything that was refused, ignored or aborted, by its reason: nothing is refused silently.
  var counts: [Count: Int] = [:]

  /// One ITS.
  subscript(its: Int) -> ITSState {
    get { itses[its] }
    _modify { yield &itses[its] }
  }

  /// The same with a change.
  func changed(_ change: (inout World) -> Void) -> World {
    var result = self
    change(&result)
    return result
  }
}

/// What policy and hardware fix for all ITSes and Redistributors.
struct Board: Equatable, Sendable {
  /// GICD_TYPER.IDbits plus one: the bits of an INTID.
  var interruptIDBits: UInt64
  /// Whether the queue stops at a command that is refused.
  var stallsAtRefused = false
  /// The DeviceIDs that the tree lists; nil without `portcullis.deviceids=listed`.
  var listedDevices: [ClosedRange<UInt32>]? = nil
  /// Whether the policy for virtual interrupts is `checked`.
  var checksVirtual = false
  /// Whether one GICR_PROPBASER is behind all Redistributors; nil where EL2 could not find out.
  var sharesConfigurationBase: Bool? = false
  /// The most commands that one trap takes.
  var commandsPerTrap: Int
  /// The most bytes that one trap zeroes.
  var bytesPerTrap: UInt64

  /// How often a store that waits is repeated before it is ignored.
  static var repetitions: UInt64 { 65_536 }
  /// How many stores to GITS_CWRITER of one CPU are to be repeated at once.
  static var doorbells: Int { 4 }
  /// How many unmapped tables of an ITS may wait for the hardware before commands wait for them.
  static var waitingTables: Int { 256 }
  /// How many lingering tables EL2 keeps.
  static var lingeringTables: Int { 16 }
  /// The widest INTID for which tables are accepted.
  static var widestInterruptID: UInt64 { 24 }

  /// Whether `id` is an LPI below the limit.
  func isInterrupt(_ id: UInt32) -> Bool { id >= 8192 && UInt64(id) < 1 << interruptIDBits }
}

// MARK: An ITS

/// One ITS: its hardware, what the host sees of it, and what EL2 has in between.
struct ITSState: Equatable, Sendable {
  /// What does not change.
  var identity: ITSIdentity
  /// The registers of the hardware.
  var hardware: ITSHardware
  /// The registers that the host has.
  var host: HostRegisters
  /// EL2's queue, as the hardware reads it.
  var commit: CommitQueue
  /// The host's queue, as EL2 reads it.
  var staging = Staging()
  /// How far EL2 may trust the hardware.
  var phase = Phase.atRest
  /// Whether EL2 has disabled it, before the system loses its power.
  var isPaused = false
  /// The devices that are mapped, by the ledger.
  var devices: [UInt32: Device] = [:]
  /// The collections that are mapped, with their targets, by the ledger.
  var collections: [UInt16: Target] = [:]
  /// The vPEs that are mapped, by the ledger.
  var vpes: [UInt16: VPE] = [:]
  /// The Redistributors that were ever the target of a command, and so may have its interrupts pending.
  var targets: Set<Target> = []
  /// Every table that commands have given the hardware, and that it may still use.
  var tables: [TableKey: Table] = [:]
  /// The second-level pages of EL2's device table, by the index of their entry.
  var secondLevel: [UInt64: PageRange] = [:]
  /// What the host took away by its tables; EL2 unmaps it before it takes a command.
  var doomed: Set<Mapping> = []
  /// The host's tables that were written again, with the value that they had, since the ITS was enabled last;
  /// by the number of their register.
  var written: Set<Int> = []
  /// The host's one-level tables that EL2 has marked since they were another table.
  var marked: Set<Int> = []
  /// The stores to GITS_CWRITER that are to be repeated, with the commands that were asked for up to each.
  var doorbells: [Doorbell: UInt64] = [:]
  /// How many traps in a row have waited for the hardware.
  var waited: UInt64 = 0

  //            Enabled cleared             Quiescent, GITS_CBASER is EL2's
  //    enabled ───────────────▶ disabled ─────────────────────────────▶ at rest
  //       ▲ │                       │                                      │
  //       │ └── other registers ────┴──▶ off ◀── and commands were lost ───┤
  //       └────────── EL2's registers are there, or nothing was under way ─┘

  /// The states of `ITS.md`, Power.
  ///
  /// *Off*: its power was lost, or it is broken; EL2 believes nothing that it says.
  enum Phase: Equatable, Sendable { case enabled, disabled, atRest, off }
}

/// What an ITS is from boot on.
struct ITSIdentity: Equatable, Sendable {
  /// GITS_TYPER of the hardware.
  var type: GITSTyper
  /// GITS_IIDR, GITS_MPAMIDR, GITS_MPIDR and the ID registers of the hardware, by offset.
  var identification: [UInt64: UInt64] = [:]
  /// How many devices the ledger has places for.
  var devicePlaces: Int
  /// How many collections the ledger has places for.
  var collectionPlaces: UInt64
  /// How many vPEs the ledger has places for.
  var vpePlaces = 0
  /// EL2's memory for translation tables and second-level pages, free or not.
  var arena: [PageRange]
  /// GITS_CBASER as EL2 installed it.
  var commandBase: GITSCommandBase
  /// GITS_BASER<n> as EL2 installed them, eight; zero where there is none.
  var tables: [GITSTableBase]
}

/// The registers of an ITS as a read of the hardware would give them.
struct ITSHardware: Equatable, Sendable {
  /// GITS_CTLR.Enabled.
  var isEnabled = false
  /// GITS_CTLR.Quiescent.
  var isQuiescent = true
  /// GITS_CREADR.Stalled.
  var isStalled = false
  /// The offset in GITS_CREADR.
  var read: UInt64 = 0
  /// GITS_CBASER.
  var commandBase: GITSCommandBase
  /// GITS_BASER<n>, eight.
  var tables: [GITSTableBase]
}

/// What the host wrote, as it reads it back.
struct HostRegisters: Equatable, Sendable {
  /// GITS_CTLR.Enabled.
  var isEnabled = false
  /// GITS_CBASER.
  var commandBase = GITSCommandBase(rawValue: 0)
  /// GITS_CWRITER: the offset of the newest doorbell.
  var write: UInt64 = 0
  /// GITS_CREADR.Stalled.
  var isStalled = false
  /// GITS_BASER<n>, eight; zero where the host has none.
  var tables: [GITSTableBase]
}

/// The host's queue on its way to EL2's.
struct Staging: Equatable, Sendable {
  /// The offset of the next command that EL2 reads, or of the one that it works on.
  var next: UInt64 = 0
  /// How many commands EL2 has taken since the queue began.
  var count: UInt64 = 0
  /// The command that takes several traps; it is not read again.
  var unfinished: Unfinished? = nil
  /// The commands that EL2 has taken and the hardware not yet passed.
  var taken: [Taken] = []

  /// A command of the host whose slots are in EL2's queue.
  struct Taken: Equatable, Sendable {
    /// Its offset in the host's queue.
    var place: UInt64
    /// The serial number behind its last slot.
    var end: UInt64
  }
  /// A command that takes several traps.
  struct Unfinished: Equatable, Sendable {
    /// The command as it was read.
    var command: ITSCommand
    /// The table of a MAPD that has memory.
    var table: PageRange? = nil
    /// The bytes of the table that are not zero yet.
    var bytes: UInt64 = 0
  }
}

/// EL2's queue; serial numbers count its slots, and never wrap.
struct CommitQueue: Equatable, Sendable {
  /// The memory of the queue.
  var pages: PageRange
  /// The slots that the hardware has not passed, by serial number from `passed` on.
  var slots: [ITSCommand] = []
  /// The serial number of the next slot that the hardware executes.
  var passed: UInt64 = 0
  /// The serial number behind what GITS_CWRITER has told the hardware.
  var published: UInt64 = 0
  /// The serial number of the slot at offset zero, when the queue was started or restarted.
  var start: UInt64 = 0

  /// How many slots it has.
  var capacity: UInt64 { pages.bytes / ITSCommand.size }
  /// The serial number of the next slot that is appended.
  var appended: UInt64 { passed + UInt64(slots.count) }
  /// How many more slots may be written; one always stays free.
  var room: UInt64 { capacity - 1 - UInt64(slots.count) }
  /// The offset in the queue of a serial number.
  func offset(of serial: UInt64) -> UInt64 { (serial - start) % capacity * ITSCommand.size }
}

/// A store to GITS_CWRITER that is to be repeated.
struct Doorbell: Hashable, Sendable {
  /// The CPU whose store it is.
  var cpu: CPU
  /// The offset that it stores.
  var offset: UInt64
}

/// What a command maps.
enum Mapping: Hashable, Sendable { case device(UInt32), collection(UInt16), vpe(UInt16) }

/// A device of the ledger.
struct Device: Equatable, Sendable {
  /// The host's name for its table: the address in MAPD.
  var name: UInt64
  /// The bits of its EventIDs.
  var eventIDBits: UInt64
  /// Its translation table.
  var table: TableKey
}

/// A vPE of the ledger.
struct VPE: Equatable, Sendable {
  /// The bits of its vINTIDs.
  var virtualIDBits: UInt64
  /// Its pending table.
  var table: TableKey
}

/// What tells tables apart.
enum TableKey: Hashable, Sendable {
  /// A translation table in EL2's arena, by its first page.
  case translation(PageFrameNumber)
  /// The pending table of a vPE, by the serial number of the VMAPP that named it.
  case pending(UInt64)
}

/// A table that a command has given the hardware.
struct Table: Equatable, Sendable {
  /// All its pages.
  var pages: PageRange
  /// The device or the vPE that it was made for.
  var owner: Mapping
  /// What the hardware may know of it.
  var state: State

  //           MAPD V=1              unmapped            SYNCs appended         CREADR past them
  //    free ─────────▶ zeroing ─▶ mapped ────▶ unsealed ────────────▶ sealed ──────────────▶ free

  /// The states of `ITS.md`, A translation table; the pending table of a vPE has all but the first.
  enum State: Equatable, Sendable {
    /// The hardware never heard of it.
    case zeroing
    /// A command that names it is in EL2's queue or was.
    case mapped
    /// So is one that unmaps it; SYNCs to these Redistributors are still missing.
    case unsealed(Set<Target>)
    /// All SYNCs have a serial number below this one.
    case sealed(UInt64)
  }
}

// MARK: What a transition ends in

/// Where an access enters, or what is counted separately.
enum Frame: Hashable, Sendable { case its(Int), redistributor(Int), smmu(Int), pages, call }

/// What is counted.
enum Count: Hashable, Sendable {
  /// A store that had no effect, or a load of nothing.
  case ignored(Frame)
  /// An access that ended in an external abort.
  case aborted(Frame)
  /// A refusal, by the first rule that failed.
  case refused(Frame, Rule)
}

/// What a transition ends in, for the host or for a command.
enum Answer: Equatable, Sendable {
  /// The register reads as this, or the call returns it.
  case value(UInt64)
  /// The store took effect, or the step was made.
  case done
  /// The store had no effect.
  case ignored
  /// An external abort.
  case aborted
  /// The host's program counter stays on its store.
  case repeats
  /// The command needs more traps.
  case unfinished
  /// The queue has stalled.
  case stalled
  /// The command is passed on to an ITS as these.
  case committed([ITSCommand])
  /// The command is passed on to an SMMU as these.
  case sent([SMMUCommand])
  /// The command, the tables, the call or the change of owner is refused, by this rule.
  case refused(Rule)
}

/// One permitted result of a transition.
struct Outcome: Equatable, Sendable {
  /// The world behind it.
  var world: World
  /// What it answers.
  var answer: Answer
  /// The rules that permit it.
  var rules: [Rule]
}

extension World {
  /// This world as the one result of a transition.
  ///
  /// What is refused, ignored or aborted is counted here, and nowhere else.
  func ending(_ frame: Frame, _ answer: Answer, _ rules: [Rule], change: (inout World) -> Void = { _ in })
    -> [Outcome]
  {
    var result = Outcome(world: changed(change), answer: answer, rules: rules)
    switch answer {
    case .ignored, .stalled:
      result.world.counts[.ignored(frame), default: 0] += 1
      result.rules.append(.ignoredAreCounted)
    case .aborted: result.world.counts[.aborted(frame), default: 0] += 1
    case .refused(let rule):
      result.world.counts[.refused(frame, rule), default: 0] += 1
      result.rules.append(rule)
    default: break
    }
    return [result]
  }

  /// The same with its rules one by one.
  func ending(_ frame: Frame, _ answer: Answer, _ rules: Rule..., change: (inout World) -> Void = { _ in })
    -> [Outcome]
  { ending(frame, answer, rules, change: change) }

  /// A load from where no register is: zero, and counted.
  func readingNothing(_ frame: Frame) -> [Outcome] {
    ending(frame, .value(0), frame.row.others, .ignoredAreCounted) {
      $0.counts[.ignored(frame), default: 0] += 1
    }
  }
}

extension [Outcome] {
  /// Each outcome with more rules, and a change of its world.
  func adding(_ rules: Rule..., change: (inout World) -> Void = { _ in }) -> [Outcome] {
    map { Outcome(world: $0.world.changed(change), answer: $0.answer, rules: $0.rules + rules) }
  }
}
