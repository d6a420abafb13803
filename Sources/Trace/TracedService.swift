// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

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
  /// The control frame's address.
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
