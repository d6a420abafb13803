// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Counts since the ITS was set up.
public struct ITSCounters: Sendable {
  /// Commands that were accepted.
  public internal(set) var accepted: UInt64 = 0
  /// Commands that were refused, by reason.
  public internal(set) var refused = InlineArray<16, UInt64>(repeating: 0)
  /// Accesses to registers that did nothing: reserved, read only or locked.
  public internal(set) var ignored: UInt64 = 0
  /// Doorbells.
  public internal(set) var doorbells: UInt64 = 0
  /// Writes of the hardware's GITS_CWRITER.
  public internal(set) var publications: UInt64 = 0

  /// The commands that were refused for a reason.
  public func count(_ reason: CommandRefusalReason) -> UInt64 { refused[Int(reason.rawValue)] }

  /// All commands that were refused.
  public var allRefused: UInt64 {
    var sum: UInt64 = 0
    for index in refused.indices { sum &+= refused[index] }
    return sum
  }
}
