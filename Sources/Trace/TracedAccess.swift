// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

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
