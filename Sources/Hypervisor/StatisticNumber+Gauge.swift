// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import ITS
public import Ownership

extension StatisticNumber {
  /// How much of something is in use now, where a count tells how often something has happened.
  ///
  /// A host that does the same things over and over comes back to the same figures, however long it runs.
  public enum Gauge: UInt64, Hashable, Sendable {
    /// Pages of the pool that are tables.
    case tablePages = 128
    /// Pages of the pool that are neither tables nor reserved.
    case freeTablePages = 129
    /// Pages that were taken from the host.
    case claimedPages = 130
    /// Pages that the host shares with EL2.
    case sharedPages = 131
    /// Pins of pages.
    case pins = 132
    /// Bytes of the log that wait for the console.
    case logBytes = 133
    /// Lines that the log had no room for; these don't come back.
    case lostLines = 134
  }

  /// How much of something an ITS uses now, by the number within the ITS.
  public enum ServiceGauge: UInt64, Hashable, Sendable {
    /// Pages of the arena that are taken.
    case pages = 320
    /// Pages of the arena that are free.
    case freePages = 321
    /// Devices that are mapped.
    case devices = 322
    /// Collections that are mapped.
    case collections = 323
    /// Tables that wait until the hardware has let go of them.
    case retiring = 324
    /// Stores to GITS_CWRITER that are unfinished.
    case doorbells = 325
    /// Pending tables of vPEs that are held.
    case heldTables = 326
  }
}

extension StatisticNumber.Gauge {
  /// The gauge's figure; nil for one of the log.
  public func value(in usage: OwnershipUsage) -> UInt64? {
    switch self {
    case .tablePages: usage.tables
    case .freeTablePages: usage.freeTables
    case .claimedPages: usage.claimed
    case .sharedPages: usage.shared
    case .pins: usage.pins
    case .logBytes, .lostLines: nil
    }
  }

  /// What is measured, in words.
  var name: StaticString {
    switch self {
    case .tablePages: "table pages in use"
    case .freeTablePages: "table pages free"
    case .claimedPages: "pages taken from the host"
    case .sharedPages: "pages shared with the host"
    case .pins: "pins of pages"
    case .logBytes: "bytes of the log that wait"
    case .lostLines: "lines that the log had no room for"
    }
  }
}

extension StatisticNumber.ServiceGauge {
  /// The gauge's figure.
  public func value(in usage: ITSUsage) -> UInt64 {
    switch self {
    case .pages: usage.pages
    case .freePages: usage.freePages
    case .devices: usage.devices
    case .collections: usage.collections
    case .retiring: usage.retiring
    case .doorbells: usage.doorbells
    case .heldTables: usage.heldTables
    }
  }

  /// What is measured, in words.
  var name: StaticString {
    switch self {
    case .pages: "pages in use"
    case .freePages: "pages free"
    case .devices: "devices mapped"
    case .collections: "collections mapped"
    case .retiring: "tables that wait for the hardware"
    case .doorbells: "unfinished doorbells"
    case .heldTables: "pending tables of vPEs held"
    }
  }
}
