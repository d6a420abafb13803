// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Counts since the virtual SMMU was made.
public struct VirtualSMMUCounters: Sendable {
  /// Commands that were carried out.
  public internal(set) var accepted: UInt64 = 0
  /// What was refused, by reason.
  public internal(set) var refused = InlineArray<16, UInt64>(repeating: 0)
  /// Accesses to registers that did nothing: reserved, read only or locked.
  public internal(set) var ignored: UInt64 = 0
  /// Entries of the host's stream table that were read.
  public internal(set) var entries: UInt64 = 0
  /// SYNCs that the hardware was asked for by commands of the host, at least.
  public internal(set) var batches: UInt64 = 0
  /// Events that were written into the host's queue.
  public internal(set) var events: UInt64 = 0
  /// Events that the host has lost: no room, no queue.
  public internal(set) var lostEvents: UInt64 = 0

  /// What was refused for a reason.
  public func count(_ reason: SMMURefusalReason) -> UInt64 { refused[Int(reason.rawValue)] }

  /// All that was refused.
  public var allRefused: UInt64 {
    var sum: UInt64 = 0
    for index in refused.indices { sum &+= refused[index] }
    return sum
  }
}
