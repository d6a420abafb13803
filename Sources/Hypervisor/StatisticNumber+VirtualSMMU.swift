// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import VirtualSMMU

extension StatisticNumber {
  /// What is counted of the SMMUs that the host sees, all of them together.
  public enum VirtualSMMUs: UInt64, Hashable, Sendable {
    /// How many there are.
    case count = 256
    /// Commands that were carried out.
    case accepted = 257
    /// Batches of invalidations, each with a SYNC of the hardware.
    case batches = 258
    /// Entries of the host's stream tables that were read.
    case entries = 259
    /// Events that were written into the host's queues.
    case events = 260
    /// Events that the host has lost.
    case lostEvents = 261
    /// Accesses to registers that did nothing.
    case ignored = 262
    /// How many get nothing more because the hardware has not confirmed.
    case broken = 263
  }

  /// The first of the refusals by their reason.
  static var refusals: UInt64 { 272 }
}

extension StatisticNumber.VirtualSMMUs {
  /// What is counted, in words.
  var name: StaticString {
    switch self {
    case .count: "virtual SMMUs"
    case .accepted: "virtual SMMUs, commands carried out"
    case .batches: "virtual SMMUs, batches of invalidations"
    case .entries: "virtual SMMUs, entries read"
    case .events: "virtual SMMUs, events for the host"
    case .lostEvents: "virtual SMMUs, events that the host has lost"
    case .ignored: "virtual SMMUs, accesses without effect"
    case .broken: "virtual SMMUs that have broken down"
    }
  }

  /// The count of one of them.
  public func value(in smmu: borrowing MediatedSMMU) -> UInt64 {
    switch self {
    case .count: 1
    case .accepted: smmu.counters.accepted
    case .batches: smmu.counters.batches
    case .entries: smmu.counters.entries
    case .events: smmu.counters.events
    case .lostEvents: smmu.counters.lostEvents
    case .ignored: smmu.counters.ignored
    case .broken: smmu.isBroken ? 1 : 0
    }
  }
}
