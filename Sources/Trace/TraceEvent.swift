// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What a record tells of.
///
/// The events of one trap come in the order in which they happened and end with its access. All that
/// the mediation of an ITS is given, by the host or by the hardware, is among them, so that they can
/// be run again.
public enum TraceEvent: Hashable, Sendable {
  /// The first record of a trace.
  case header(TraceHeader)
  /// An ITS is mediated from now on.
  case service(TracedService)
  /// What one GITS_BASER<n> of that ITS accepts.
  case table(TracedTable)
  /// A Redistributor that commands may name, by its RDbase.
  case target(UInt64)
  /// An access of the host, which ends its trap.
  case access(TracedAccess)
  /// A command that EL2 has taken from the host's queue.
  case command(TracedCommand)
  /// EL2's own access to a register of the hardware.
  case hardware(TracedRegister)
  /// The host's queue was to be shared and pinned.
  case pin(TracedPin)
  /// So many records found no room here.
  case lost(UInt64)
}

/// What the first record of a trace tells.
public struct TraceHeader: Hashable, Sendable {
  /// The version of the format.
  public var version: UInt64
  /// The counts of the clock in a second.
  public var frequency: UInt64

  /// The version that this code writes and reads.
  public static var currentVersion: UInt64 { 1 }
  /// The third word of a trace, `PORTRACE` in its bytes, by which it is known.
  public static var magic: UInt64 { 0x4543_4152_5452_4f50 }

  /// Describes the trace of a clock that counts so often in a second.
  public init(version: UInt64 = TraceHeader.currentVersion, frequency: UInt64) {
    self.version = version
    self.frequency = frequency
  }
}

/// What the mediation of an ITS starts from.
public struct TracedService: Hashable, Sendable {
  /// Whether a live ITS was handed over: the trace doesn't have what it held then.
  public var isHandedOver = false
  /// Whether a refused command stalls the queue.
  public var stalls = false
  /// Whether the hardware looks into no cache.
  public var isNonCoherent = false
  /// Whether virtual interrupts are offered.
  public var isVirtual = false
  /// Where EL2 sees the control frame.
  public var frame: UInt64
  /// GITS_TYPER of the hardware.
  public var typer: UInt64
  /// The first address of EL2's memory for this ITS.
  public var arena: UInt64
  /// The pages of it.
  public var arenaPages: UInt32
  /// The most CPUs that may trap.
  public var cpus: UInt32
  /// One more than the largest INTID.
  public var interruptLimit: UInt64
  /// The most commands that one trap takes.
  public var commandsPerTrap: UInt32
  /// The most bytes that one trap zeroes.
  public var bytesPerTrap: UInt32

  /// Describes the mediation of an ITS.
  public init(
    frame: UInt64, typer: UInt64, arena: UInt64, arenaPages: UInt32, cpus: UInt32,
    interruptLimit: UInt64, commandsPerTrap: UInt32, bytesPerTrap: UInt32
  ) {
    self.frame = frame
    self.typer = typer
    self.arena = arena
    self.arenaPages = arenaPages
    self.cpus = cpus
    self.interruptLimit = interruptLimit
    self.commandsPerTrap = commandsPerTrap
    self.bytesPerTrap = bytesPerTrap
  }
}

/// What a GITS_BASER<n> of the hardware makes of what is written to it.
public struct TracedTable: Hashable, Sendable {
  /// The number of the register.
  public var index: UInt8
  /// The fields that never change, and Indirect where it can be set.
  public var fixed: UInt64
  /// What each value of the other fields becomes, packed as the mediation keeps it.
  public var fields: UInt64

  /// Describes a register.
  public init(index: UInt8, fixed: UInt64, fields: UInt64) {
    self.index = index
    self.fixed = fixed
    self.fields = fields
  }
}

/// An access of the host to the control frame of an ITS.
public struct TracedAccess: Hashable, Sendable {
  /// What became of an access.
  public enum Outcome: Hashable, Sendable {
    /// It took effect.
    case done
    /// Work is left: the host runs its store again.
    case again
    /// The host got an abort, for this reason of `Refusal`.
    case refused(UInt8)
  }

  /// The offset in the control frame.
  public var offset: UInt64
  /// log2 of the bytes.
  public var width: UInt8
  /// Whether it is a store.
  public var isWrite: Bool
  /// Whether it went to the hardware as it was: the host is still trusted with this ITS.
  public var isForwarded = false
  /// What was stored, or loaded.
  public var value: UInt64
  /// What became of it.
  public var outcome: Outcome
  /// The counts of the clock from the trap to its end.
  public var duration: UInt64 = 0

  /// Describes an access.
  public init(
    offset: UInt64, width: UInt8, isWrite: Bool, value: UInt64, outcome: Outcome,
    isForwarded: Bool = false, duration: UInt64 = 0
  ) {
    self.offset = offset
    self.width = width
    self.isWrite = isWrite
    self.isForwarded = isForwarded
    self.value = value
    self.outcome = outcome
    self.duration = duration
  }
}

/// A command as EL2 has read it, and what became of it.
public struct TracedCommand: Hashable, Sendable {
  /// What became of a command.
  public enum Verdict: Hashable, Sendable {
    /// It was appended to the hardware's queue, or is without effect.
    case accepted
    /// It is tried again in a later trap.
    case later
    /// It doesn't reach the hardware, for this reason of `CommandRefusalReason`.
    case refused(UInt8)
  }

  /// DW0.
  public var word0: UInt64
  /// DW1.
  public var word1: UInt64
  /// DW2.
  public var word2: UInt64
  /// DW3.
  public var word3: UInt64
  /// The address in the host's queue at which it was.
  public var address: UInt64
  /// What became of it.
  public var verdict: Verdict

  /// Describes a command.
  public init(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, at address: UInt64,
    _ verdict: Verdict
  ) {
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
    self.address = address
    self.verdict = verdict
  }
}

/// EL2's access to a register of the hardware: a publication in GITS_CWRITER, GITS_CREADR as it was
/// seen, and all others while the host runs.
public struct TracedRegister: Hashable, Sendable {
  /// The offset in the control frame.
  public var offset: UInt64
  /// log2 of the bytes.
  public var width: UInt8
  /// Whether EL2 wrote.
  public var isWrite: Bool
  /// Whether the hardware answered with an external abort.
  public var isAborted: Bool
  /// What was written or read.
  public var value: UInt64

  /// Describes an access.
  public init(offset: UInt64, width: UInt8, isWrite: Bool, isAborted: Bool, value: UInt64) {
    self.offset = offset
    self.width = width
    self.isWrite = isWrite
    self.isAborted = isAborted
    self.value = value
  }
}

/// Pages of the host that EL2 was to share and to pin.
public struct TracedPin: Hashable, Sendable {
  /// The first address.
  public var base: UInt64
  /// How many pages.
  public var pages: UInt64
  /// Whether they are the host's memory, and are pinned now.
  public var isGranted: Bool

  /// Describes pages.
  public init(base: UInt64, pages: UInt64, isGranted: Bool) {
    self.base = base
    self.pages = pages
    self.isGranted = isGranted
  }
}
