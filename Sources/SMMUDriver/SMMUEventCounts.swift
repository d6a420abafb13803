// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import SMMU

/// How often events came, and how often they did not.
public struct SMMUEventCounts: Sendable {
  // By number: the largest that the architecture has is 0x25, and behind it is everything else.
  private var numbers: InlineArray<39, UInt64> = InlineArray(repeating: 0)
  /// All events that are EL2's.
  public private(set) var total: UInt64 = 0
  /// Events that were about a stage 1 of the host, and kept for it, which are not among the others.
  public internal(set) var forwarded: UInt64 = 0
  /// Events that were about a stage 1 of the host, and lost because too many of them waited for it.
  public internal(set) var lostForwarded: UInt64 = 0
  /// How often a queue had no room, and events were lost.
  public internal(set) var overflows: UInt64 = 0
  /// How often an SMMU could not write events, which were lost.
  public internal(set) var aborts: UInt64 = 0
  /// Events that were counted but not kept for the log.
  public internal(set) var unlogged: UInt64 = 0

  /// No event yet.
  public init() {}

  /// How many events of one type there were.
  public func count(of type: SMMUEventType) -> UInt64 { numbers[Int(type.rawValue)] }
  /// How many events of no known type there were.
  public var unknown: UInt64 { numbers[38] }

  mutating func add(_ event: SMMUEvent) {
    numbers[event.type.map { Int($0.rawValue) } ?? 38] &+= 1
    total &+= 1
  }
}
