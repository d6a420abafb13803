// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the mediation of an ITS permits and how much it does at once.
public struct ITSPolicy: Hashable, Sendable {
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

  /// The policy of a board whose interrupts are numbered below `interruptLimit`.
  public init(interruptLimit: UInt64 = 1 << 16) {
    refused = .skipped
    commandsPerTrap = 512
    bytesPerTrap = 1 << 17
    self.interruptLimit = interruptLimit
  }
}
