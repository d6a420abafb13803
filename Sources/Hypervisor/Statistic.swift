// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import GIC
internal import ITS
internal import Redistributor
internal import SMMU
internal import Traps
internal import VirtualSMMU

/// The table of what EL2 counts: a number, and in `row` kind, owner, C name and words.
///
/// A number below 512 is of EL2 as a whole. The host adds 512 for each ITS to the others, which are here with the
/// numbers of ITS 0. A statistic whose row has several items has as many numbers: one for each reason, register,
/// command or event. `portcullis_hypercalls.h` is checked against the table, and written from it by `make statistics`.
public enum Statistic: UInt64, Hashable, Sendable {
  case itses = 0
  case frequency, traps, unfinished, calls, longestTrap, longestSyndrome, longestAddress, ticks
  case refusedAccesses = 16
  case redistributors = 64
  case tablesEnabled, tablesReleased, tablesHeld, tablesIgnored
  case refusedTables = 80
  case tablePages = 128
  case freeTablePages, claimedPages, sharedPages, pins, logBytes, lostLines
  case smmus = 160
  case smmuEvents, smmuOverflows, smmuAborts, unloggedEvents, invalidations, syncs
  case unconfirmed, keptPages, lastStream, lastAddress, lastEvent
  case dmaFaults = 192
  case unknownFaults = 230
  case virtualSMMUs = 256
  case virtualCommands, virtualBatches, virtualEntries, virtualEvents, virtualLostEvents
  case virtualIgnored, virtualBroken
  case virtualRefused = 272
  // Of each ITS.
  case loads = 512
  case stores = 608
  case commands = 704
  case refusedCommands = 768
  case ignored = 800
  case doorbells, publications
  case pages = 832
  case freePages, devices, collections, retiring, unfinishedDoorbells, heldTables

  /// How a figure comes about.
  public enum Kind: Sendable {
    /// A count since boot.
    case sum
    /// The greatest since boot, or what belongs to it.
    case max
    /// How much there is now, or what was last.
    case gauge
  }

  /// Who keeps a figure, and so by which lock it is read.
  public enum Owner: Sendable {
    /// The board: it does not change.
    case board
    /// Each CPU, its own words.
    case cpus
    /// The owners of pages.
    case ownership
    /// The log.
    case log
    /// The mediation of the Redistributors.
    case redistributors
    /// The SMMUs that EL2 owns, with the lock of the owners of pages.
    case smmus
    /// The SMMUs that the host sees.
    case virtualSMMUs
    /// Words beside an ITS, written with its lock and read without.
    case itsWords
    /// The mediation of an ITS.
    case its
  }

  /// What the table has of a statistic.
  public struct Row: Sendable {
    let symbol: StaticString
    let kind: Kind
    let owner: Owner
    let items: UInt64
    let name: StaticString

    init(
      _ symbol: StaticString, _ kind: Kind, _ owner: Owner, items: Int = 1, _ name: StaticString
    ) {
      (self.symbol, self.kind, self.owner, self.name) = (symbol, kind, owner, name)
      self.items = UInt64(items)
    }
  }

  /// The row: the name in C, kind, owner, how many items it has, and what it is in words.
  var row: Row {
    switch self {
    case .itses: Row("ITSES", .gauge, .board, "ITSes")
    case .frequency: Row("FREQUENCY", .gauge, .board, "counts of the clock in a second")
    case .traps: Row("TRAPS", .sum, .cpus, "aborts that the host took to EL2")
    case .unfinished: Row("UNFINISHED", .sum, .cpus, "aborts after which the store ran again")
    case .calls: Row("CALLS", .sum, .cpus, "HVC and SMC")
    case .longestTrap: Row("LONGEST", .max, .cpus, "counts of the clock in the longest abort")
    case .longestSyndrome: Row("LONGEST_SYNDROME", .max, .cpus, "ESR_EL2 of the longest abort")
    case .longestAddress: Row("LONGEST_ADDRESS", .max, .cpus, "address of the longest abort")
    case .ticks: Row("TICKS", .sum, .cpus, "counts of the clock in all aborts")
    case .refusedAccesses:
      Row("REFUSED", .sum, .cpus, items: Refusal.count, "accesses refused: ")

    case .redistributors: Row("REDISTRIBUTORS", .gauge, .redistributors, "Redistributors")
    case .tablesEnabled:
      Row("TABLES_ENABLED", .sum, .redistributors, "Redistributors, tables brought into use")
    case .tablesReleased:
      Row("TABLES_RELEASED", .sum, .redistributors, "Redistributors, tables given back")
    case .tablesHeld: Row("TABLES_HELD", .gauge, .redistributors, "Redistributors, tables held")
    case .tablesIgnored:
      Row("TABLES_IGNORED", .sum, .redistributors, "Redistributors, accesses without effect")
    case .refusedTables:
      Row(
        "TABLES_REFUSED", .sum, .redistributors, items: TableRefusal.count,
        "Redistributors, tables refused: ")

    case .tablePages: Row("TABLE_PAGES", .gauge, .ownership, "table pages in use")
    case .freeTablePages: Row("TABLE_PAGES_FREE", .gauge, .ownership, "table pages free")
    case .claimedPages: Row("CLAIMED_PAGES", .gauge, .ownership, "pages taken from the host")
    case .sharedPages: Row("SHARED_PAGES", .gauge, .ownership, "pages shared with the host")
    case .pins: Row("PINS", .gauge, .ownership, "pins of pages; two on a page count twice")
    case .logBytes: Row("LOG_BYTES", .gauge, .log, "bytes of the log that wait for the console")
    case .lostLines: Row("LOG_LOST", .sum, .log, "lines that the log had no room for")

    case .smmus: Row("SMMUS", .gauge, .smmus, "SMMUs that EL2 owns")
    case .smmuEvents: Row("DMA_EVENTS", .sum, .smmus, "events of SMMUs")
    case .smmuOverflows: Row("DMA_OVERFLOWS", .sum, .smmus, "overflows of an SMMU's event queue")
    case .smmuAborts: Row("DMA_ABORTS", .sum, .smmus, "events that an SMMU could not write")
    case .unloggedEvents: Row("DMA_UNLOGGED", .sum, .smmus, "events that are not in the log")
    case .invalidations: Row("DMA_INVALIDATIONS", .sum, .smmus, "invalidations of SMMUs")
    case .syncs: Row("DMA_SYNCS", .sum, .smmus, "SYNCs of SMMUs")
    case .unconfirmed:
      Row("DMA_UNCONFIRMED", .sum, .smmus, "batches that an SMMU has not confirmed")
    case .keptPages:
      Row("DMA_REFUSALS", .sum, .smmus, "pages kept by the host: an SMMU did not confirm")
    case .lastStream: Row("DMA_STREAM", .gauge, .smmus, "StreamID of the last logged event")
    case .lastAddress: Row("DMA_ADDRESS", .gauge, .smmus, "address of the last logged event")
    case .lastEvent: Row("DMA_EVENT", .gauge, .smmus, "number of the last logged event")
    case .dmaFaults:
      Row("DMA_FAULTS", .sum, .smmus, items: Int(Self.unknownFaults - .dmaFaults), "DMA faults: ")
    case .unknownFaults: Row("DMA_FAULTS_UNKNOWN", .sum, .smmus, "DMA faults of no known type")

    case .virtualSMMUs: Row("VIRTUAL_SMMUS", .gauge, .virtualSMMUs, "virtual SMMUs")
    case .virtualCommands:
      Row("VIRTUAL_COMMANDS", .sum, .virtualSMMUs, "virtual SMMUs, commands carried out")
    case .virtualBatches:
      Row("VIRTUAL_BATCHES", .sum, .virtualSMMUs, "virtual SMMUs, batches of invalidations")
    case .virtualEntries:
      Row("VIRTUAL_ENTRIES", .sum, .virtualSMMUs, "virtual SMMUs, stream table entries read")
    case .virtualEvents:
      Row("VIRTUAL_EVENTS", .sum, .virtualSMMUs, "virtual SMMUs, events for the host")
    case .virtualLostEvents:
      Row("VIRTUAL_LOST", .sum, .virtualSMMUs, "virtual SMMUs, events that the host lost")
    case .virtualIgnored:
      Row("VIRTUAL_IGNORED", .sum, .virtualSMMUs, "virtual SMMUs, accesses without effect")
    case .virtualBroken:
      Row("VIRTUAL_BROKEN", .gauge, .virtualSMMUs, "virtual SMMUs that hardware does not confirm")
    case .virtualRefused:
      Row(
        "VIRTUAL_REFUSED", .sum, .virtualSMMUs, items: SMMURefusalReason.count,
        "virtual SMMUs, refused: ")

    case .loads: Row("LOADS", .sum, .itsWords, items: Self.registers, "loads of ")
    case .stores: Row("STORES", .sum, .itsWords, items: Self.registers, "stores to ")
    case .commands: Row("ACCEPTED", .sum, .itsWords, items: 64, "commands accepted: ")
    case .refusedCommands:
      Row("COMMANDS_REFUSED", .sum, .its, items: CommandRefusalReason.count, "commands refused: ")
    case .ignored: Row("IGNORED", .sum, .its, "accesses without effect")
    case .doorbells: Row("DOORBELLS", .sum, .its, "doorbells")
    case .publications: Row("PUBLICATIONS", .sum, .its, "writes of the hardware's GITS_CWRITER")
    case .pages: Row("PAGES", .gauge, .its, "pages in use")
    case .freePages: Row("PAGES_FREE", .gauge, .its, "pages free")
    case .devices: Row("DEVICES", .gauge, .its, "devices mapped")
    case .collections: Row("COLLECTIONS", .gauge, .its, "collections mapped")
    case .retiring: Row("RETIRING", .gauge, .its, "tables that wait for the hardware")
    case .unfinishedDoorbells:
      Row("UNFINISHED_DOORBELLS", .gauge, .its, "doorbells that are to run again")
    case .heldTables: Row("VPE_TABLES_HELD", .gauge, .its, "pending tables of vPEs held")
    }
  }

  /// How many registers of an ITS are told apart: each word up to GITS_BASER7, and all behind.
  static var registers: Int { 0x140 / 4 + 1 }

  /// How far a statistic's number is from another's.
  static func - (left: Self, right: Self) -> UInt64 { left.rawValue &- right.rawValue }

  /// Whether each ITS has its own.
  public var isOfITS: Bool { rawValue >= StatisticNumber.page }

  /// Who keeps the figure.
  public var owner: Owner { row.owner }

  /// The name of an item; nil where nothing has one.
  func name(of item: UInt8) -> StaticString? {
    switch self {
    case .refusedAccesses: Refusal(rawValue: item)?.text
    case .refusedTables: TableRefusal(rawValue: item)?.text
    case .dmaFaults: SMMUEventType(rawValue: item)?.name
    case .virtualRefused: SMMURefusalReason(rawValue: item)?.text
    case .loads, .stores:
      Int(item) < Self.registers - 1
        ? ITSRegister.name(at: UInt64(item) * 4) : "registers from 0x140 on"
    case .commands: ITSOpcode(rawValue: item)?.name
    case .refusedCommands: CommandRefusalReason(rawValue: item)?.text
    default: ""
    }
  }
}

/// One number of the table: of an ITS, or of EL2 as a whole, and of a statistic's item.
public struct StatisticNumber: Hashable, Sendable {
  /// What is counted.
  public let statistic: Statistic
  /// Of which ITS; 0 for EL2 as a whole.
  public let its: UInt8
  /// Of which reason, register, command or event; 0 where there is nothing to tell apart.
  public let item: UInt8

  /// How many numbers EL2 as a whole has, and each ITS.
  public static var page: UInt64 { 512 }

  /// The number of a statistic's item.
  public init(_ statistic: Statistic, its: UInt8 = 0, item: UInt8 = 0) {
    (self.statistic, self.its, self.item) = (statistic, its, item)
  }

  /// What a number stands for; nil where nothing is counted.
  public init?(_ number: UInt64) {
    let page = number / Self.page
    guard let its = UInt8(exactly: page == 0 ? 0 : page - 1) else { return nil }
    let index = page == 0 ? number : Self.page + number % Self.page
    // The statistic with this number, or the nearest below.
    var first = index
    while Statistic(rawValue: first) == nil { first -= 1 }
    guard let statistic = Statistic(rawValue: first), index - first < statistic.row.items,
      let item = UInt8(exactly: index - first)
    else { return nil }
    self.init(statistic, its: its, item: item)
    // A word is counted whether it has a name or not.
    guard statistic.owner == .itsWords || statistic.name(of: item) != nil else { return nil }
  }
}
