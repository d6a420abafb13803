// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import ITS
public import Redistributor
public import SMMU
public import Traps
public import VirtualSMMU

/// By which number the host asks for a count: 512 numbers for all of EL2, then 512 for each ITS.
///
/// `portcullis_hypercalls.h` has the same numbers for a host.
public struct StatisticNumber: RawRepresentable, Hashable, Sendable {
  /// The number.
  public let rawValue: UInt64
  /// Makes it from the number.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// What is counted for EL2 as a whole.
  public enum Whole: UInt64, Hashable, Sendable {
    /// Aborts that the host's CPUs have taken to EL2.
    case traps = 2
    /// Those of them that left work, so that the host's store ran again.
    case unfinished = 3
    /// HVC and SMC.
    case calls = 4
    /// The counts of the clock that the longest trap took.
    case longestTrap = 5
    /// ESR_EL2 of that trap.
    case longestSyndrome = 6
    /// The intermediate physical address of that trap.
    case longestAddress = 7
    /// The counts of the clock that all traps took, from the first line of their handler to its last.
    case ticks = 8
  }

  /// What is counted for all Redistributors.
  public enum Redistributors: UInt64, Hashable, Sendable {
    /// How many there are.
    case count = 64
    /// How often LPIs were enabled, or a vPE became resident.
    case enabled = 65
    /// How often the tables of such were given back.
    case released = 66
    /// How many tables are held now.
    case held = 67
    /// Accesses to registers that did nothing.
    case ignored = 68
  }

  /// What a number stands for.
  public enum Meaning: Hashable, Sendable {
    /// How many ITSes there are.
    case services
    /// The counts of the clock in a second.
    case frequency
    /// A count of EL2 as a whole.
    case whole(Whole)
    /// Accesses that were refused for this reason.
    case refusedAccesses(Refusal)
    /// A count of all Redistributors.
    case redistributors(Redistributors)
    /// Tables of Redistributors that were refused for this reason.
    case refusedTables(TableRefusal)
    /// A count of the SMMUs.
    case dma(DMA)
    /// Events of the SMMUs, of this type.
    case dmaFaults(SMMUEventType)
    /// A count of the virtual SMMUs.
    case virtualSMMUs(VirtualSMMUs)
    /// What virtual SMMUs have refused for this reason.
    case refusedByVirtualSMMUs(SMMURefusalReason)
    /// Loads, stores or accepted commands of an ITS, by the number within it.
    case service(UInt8, UInt64)
    /// Commands of an ITS that were refused for this reason.
    case refusedCommands(UInt8, CommandRefusalReason)
    /// Accesses to registers of an ITS that did nothing.
    case ignored(UInt8)
    /// Doorbells of an ITS.
    case doorbells(UInt8)
    /// Writes of the hardware's GITS_CWRITER.
    case publications(UInt8)
    /// How much of something is in use now.
    case gauge(Gauge)
    /// How much of something an ITS uses now.
    case serviceGauge(UInt8, ServiceGauge)
  }

  /// The numbers of EL2 as a whole, and of each ITS.
  public static var page: UInt64 { 512 }
  /// How many registers of an ITS are told apart: each word up to GITS_BASER7, and all behind.
  public static var registerCount: UInt64 { 0x140 / 4 + 1 }
  /// How many numbers of commands are told apart.
  public static var commandCount: UInt64 { 64 }
  /// Within an ITS: the first of the stores; the loads come before.
  public static var stores: UInt64 { 96 }
  /// Within an ITS: the first of the commands.
  public static var commands: UInt64 { 192 }
  private static var refusedAccesses: UInt64 { 16 }
  private static var refusedTables: UInt64 { 80 }
  private static var refusedCommands: UInt64 { 256 }

  /// What the number stands for; nil where nothing is counted.
  public var meaning: Meaning? {
    let index = rawValue % Self.page
    guard rawValue >= Self.page else {
      switch index {
      case 0: return .services
      case 1: return .frequency
      default:
        if let whole = Whole(rawValue: index) { return .whole(whole) }
        if let kind = Redistributors(rawValue: index) { return .redistributors(kind) }
        if let gauge = Gauge(rawValue: index) { return .gauge(gauge) }
        if let kind = DMA(rawValue: index) { return .dma(kind) }
        if let kind = VirtualSMMUs(rawValue: index) { return .virtualSMMUs(kind) }
        if let reason = SMMURefusalReason(rawValue: Self.reason(index, from: Self.refusals)) {
          return .refusedByVirtualSMMUs(reason)
        }
        if let type = SMMUEventType(rawValue: Self.reason(index, from: Self.eventNumbers)) {
          return .dmaFaults(type)
        }
        if let reason = TableRefusal(rawValue: Self.reason(index, from: Self.refusedTables)) {
          return .refusedTables(reason)
        }
        guard let reason = Refusal(rawValue: Self.reason(index, from: Self.refusedAccesses)) else {
          return nil
        }
        return .refusedAccesses(reason)
      }
    }
    guard let service = UInt8(exactly: rawValue / Self.page - 1) else { return nil }
    switch index {
    case 0..<Self.registerCount, Self.stores..<(Self.stores + Self.registerCount),
      Self.commands..<(Self.commands + Self.commandCount):
      return .service(service, index)
    case 288: return .ignored(service)
    case 289: return .doorbells(service)
    case 290: return .publications(service)
    default:
      if let gauge = ServiceGauge(rawValue: index) { return .serviceGauge(service, gauge) }
      let raw = Self.reason(index, from: Self.refusedCommands)
      guard let reason = CommandRefusalReason(rawValue: raw) else { return nil }
      return .refusedCommands(service, reason)
    }
  }

  /// The raw value of a reason; one of no reason where the index is below the first.
  private static func reason(_ index: UInt64, from first: UInt64) -> UInt8 {
    index >= first ? UInt8(clamping: index - first) : .max
  }
}
