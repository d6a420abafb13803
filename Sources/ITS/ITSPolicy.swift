// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import GIC

/// What the mediation of an ITS permits and how much it does at once.
public struct ITSPolicy: Sendable {
  /// What becomes of virtual interrupts (GICv4).
  public enum VirtualInterrupts: Hashable, Sendable {
    /// GITS_TYPER does not offer them, and their commands are refused.
    case off
    /// They are offered where the ITS is of GICv4.0, and their commands are checked. A GICv4.1 shares its
    /// table of vPEs with the Redistributors, and does not get this.
    case checked
  }

  /// What becomes of virtual interrupts.
  public var virtualInterrupts: VirtualInterrupts

  /// The DeviceIDs that MAPD may map.
  public var devices: PermittedDevices

  /// What becomes of a command that is refused, which never reaches the hardware.
  public enum Refused: Hashable, Sendable {
    /// It is consumed, counted and logged, and the host goes on.
    case skipped
    /// GITS_CREADR.Stalled is set and points to it, until the host writes GITS_CWRITER.Retry.
    case stalls
  }

  /// What becomes of a command that is refused.
  public var refused: Refused
  /// The most commands that one trap takes from the staging queue.
  public var commandsPerTrap: UInt64
  /// The most bytes that one trap zeroes.
  public var bytesPerTrap: UInt64
  /// One more than the largest INTID that an event may be mapped to.
  public var interruptLimit: UInt64
  /// One more than the largest address of a table that Redistributors may be told of.
  public var addressLimit: UInt64 = 1 << 52

  /// The policy of a board whose interrupts are numbered below `interruptLimit`.
  public init(interruptLimit: UInt64 = 1 << 16) {
    refused = .skipped
    virtualInterrupts = .off
    devices = .all
    commandsPerTrap = 512
    bytesPerTrap = 1 << 17
    self.interruptLimit = interruptLimit
  }

  /// Whether an ITS with this GITS_TYPER is offered with its virtual interrupts.
  func offersVirtualInterrupts(_ typer: GITSTyper) -> Bool {
    virtualInterrupts == .checked && typer.hasVirtualLPIs && !typer.hasGICv41
  }
}
