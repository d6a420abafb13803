// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import ITS
public import Ownership
public import Redistributor
internal import SMMU
public import SMMUDriver
internal import Traps
public import VirtualSMMU

/// Figures, read from who keeps them; 0 of what somebody else keeps.
extension StatisticNumber {
  /// A figure of ``Statistic/Owner/ownership``.
  public func value(in usage: OwnershipUsage) -> UInt64 {
    switch statistic {
    case .tablePages: usage.tables
    case .freeTablePages: usage.freeTables
    case .claimedPages: usage.claimed
    case .sharedPages: usage.shared
    case .pins: usage.pins
    default: 0
    }
  }

  /// A figure of ``Statistic/Owner/redistributors``.
  public func value(in redistributors: borrowing MediatedRedistributors) -> UInt64 {
    switch statistic {
    case .redistributors: UInt64(redistributors.count)
    case .tablesEnabled: redistributors.counters.enabled
    case .tablesReleased: redistributors.counters.released
    case .tablesHeld: redistributors.heldTables
    case .tablesIgnored: redistributors.counters.ignored
    case .refusedTables:
      TableRefusal(rawValue: item).map { redistributors.counters.count($0) } ?? 0
    default: 0
    }
  }

  /// A figure of ``Statistic/Owner/smmus``: of what is counted there, and of the last fault that was logged.
  public func value(
    units: UInt64, events: SMMUEventCounts, usage: SMMUUsage, keptPages: UInt64,
    last: SMMUFault?
  ) -> UInt64 {
    switch statistic {
    case .smmus: units
    case .smmuEvents: events.total
    case .smmuOverflows: events.overflows
    case .smmuAborts: events.aborts
    case .unloggedEvents: events.unlogged
    case .invalidations: usage.invalidations
    case .syncs: usage.syncs
    case .unconfirmed: usage.unconfirmed
    case .keptPages: keptPages
    case .lastStream: UInt64(last?.stream.rawValue ?? 0)
    case .lastAddress: last?.address ?? 0
    case .lastEvent: UInt64(last?.event.number ?? 0)
    case .dmaFaults: SMMUEventType(rawValue: item).map { events.count(of: $0) } ?? 0
    case .unknownFaults: events.unknown
    default: 0
    }
  }

  /// A figure of ``Statistic/Owner/virtualSMMUs``, of one of them.
  public func value(in smmu: borrowing MediatedSMMU) -> UInt64 {
    switch statistic {
    case .virtualSMMUs: 1
    case .virtualCommands: smmu.counters.accepted
    case .virtualBatches: smmu.counters.batches
    case .virtualEntries: smmu.counters.entries
    case .virtualEvents: smmu.counters.events
    case .virtualLostEvents: smmu.counters.lostEvents
    case .virtualIgnored: smmu.counters.ignored
    case .virtualBroken: smmu.isBroken ? 1 : 0
    case .virtualRefused: SMMURefusalReason(rawValue: item).map { smmu.counters.count($0) } ?? 0
    default: 0
    }
  }

  /// A figure of ``Statistic/Owner/its``.
  public func value(counters: ITSCounters, usage: ITSUsage) -> UInt64 {
    switch statistic {
    case .refusedCommands: CommandRefusalReason(rawValue: item).map { counters.count($0) } ?? 0
    case .ignored: counters.ignored
    case .doorbells: counters.doorbells
    case .publications: counters.publications
    case .pages: usage.pages
    case .freePages: usage.freePages
    case .devices: usage.devices
    case .collections: usage.collections
    case .retiring: usage.retiring
    case .unfinishedDoorbells: usage.doorbells
    case .heldTables: usage.heldTables
    default: 0
    }
  }
}

extension Statistics {
  /// A figure of ``Statistic/Owner/cpus``: the sum of all CPUs, or of the slowest what belongs to its longest abort.
  ///
  /// Or one of ``Statistic/Owner/itsWords``.
  public func value(_ number: StatisticNumber) -> UInt64 {
    switch number.statistic {
    case .traps: sum(CPUWord.traps)
    case .unfinished: sum(CPUWord.unfinished)
    case .calls: sum(CPUWord.calls)
    case .ticks: sum(CPUWord.ticks)
    case .refusedAccesses: sum(CPUWord.refusals + UInt64(number.item))
    case .longestTrap: longest(CPUWord.longest)
    case .longestSyndrome: longest(CPUWord.longestSyndrome)
    case .longestAddress: longest(CPUWord.longestAddress)
    case .loads, .stores, .commands:
      word(number.its, number.statistic - .loads + UInt64(number.item))
    default: 0
    }
  }
}
