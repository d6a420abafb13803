// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import SMMU
public import SMMUDriver

extension StatisticNumber {
  /// What is counted of the SMMUs and of the devices behind them.
  public enum DMA: UInt64, Hashable, Sendable {
    /// How many SMMUs are EL2's own.
    case units = 160
    /// Events that they have recorded.
    case events = 161
    /// How often events were lost because there was no room.
    case overflows = 162
    /// How often an SMMU could not write events, which were lost.
    case aborts = 163
    /// Events that were counted but not logged.
    case unlogged = 164
    /// Commands by which they have forgotten what the host has lost.
    case invalidations = 165
    /// SYNCs behind them.
    case syncs = 166
    /// Batches that were not carried out.
    case unconfirmed = 167
    /// How often pages stayed the host's because its devices could not be told.
    case refusals = 168
    /// The stream of the last event that was logged.
    case lastStream = 169
    /// The address of that event.
    case lastAddress = 170
    /// The number of that event.
    case lastNumber = 171
    /// Events of no known type.
    case unknown = 230
  }

  /// The first of the events by their number.
  static var eventNumbers: UInt64 { 192 }
}

extension StatisticNumber.DMA {
  /// What is counted, in words.
  var name: StaticString {
    switch self {
    case .units: "SMMUs"
    case .events: "events of SMMUs"
    case .overflows: "overflows of an SMMU's events"
    case .aborts: "events that an SMMU could not write"
    case .unlogged: "events of SMMUs that were not logged"
    case .invalidations: "invalidations of SMMUs"
    case .syncs: "SYNCs of SMMUs"
    case .unconfirmed: "batches that an SMMU has not confirmed"
    case .refusals: "pages that stayed the host's for their devices"
    case .lastStream: "stream of the last DMA fault"
    case .lastAddress: "address of the last DMA fault"
    case .lastNumber: "event of the last DMA fault"
    case .unknown: "DMA faults: of no known type"
    }
  }

  /// The count, of what the driver keeps, where it is one of those.
  public func value(events: borrowing SMMUEventCounts, usage: SMMUUsage) -> UInt64? {
    switch self {
    case .events: events.total
    case .overflows: events.overflows
    case .aborts: events.aborts
    case .unlogged: events.unlogged
    case .unknown: events.unknown
    case .invalidations: usage.invalidations
    case .syncs: usage.syncs
    case .unconfirmed: usage.unconfirmed
    case .units, .refusals, .lastStream, .lastAddress, .lastNumber: nil
    }
  }
}
