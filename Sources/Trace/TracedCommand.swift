// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

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
