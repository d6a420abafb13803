// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why LPIs were not enabled, or a vPE did not become resident; the hardware was not told of the tables.
///
/// The raw values are indices for counters and are dense from zero.
public enum TableRefusal: UInt8, Error, Hashable, Sendable {
  /// The tables are for INTIDs of more bits than EL2 holds tables for.
  case tooLarge
  /// Another Redistributor has tables for another number of INTIDs, and hardware may mix what the two say.
  case configurationDiffers
  /// The configuration table is not memory that the host owns.
  case configurationTable
  /// The pending table is not memory that the host owns.
  case pendingTable
  /// The tables before are still held, and they are others: the hardware does not promise that it is done
  /// with them, or its own CPU has not seen it.
  case stillHeld
  /// The hardware does not take the registers as they were checked.
  case hardware
  /// The tables lie beyond the addresses of the GIC, which would drop the high bits.
  case unreachable

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .tooLarge: "tables too large"
    case .configurationDiffers: "tables in use are for another number of INTIDs"
    case .configurationTable: "the configuration table is not the host's"
    case .pendingTable: "the pending table is not the host's"
    case .stillHeld: "the tables before are still held"
    case .hardware: "the hardware does not take the registers"
    case .unreachable: "the tables are beyond the GIC's addresses"
    }
  }

  /// How many reasons there are; ``unreachable`` is the last.
  public static var count: Int { Int(TableRefusal.unreachable.rawValue) + 1 }
}

/// A refusal to log: which Redistributor, why, and what the host had asked for.
public struct RefusedTables: Hashable, Sendable {
  /// The number of the Redistributor, in the order in which they were added.
  public let number: Int
  /// Why.
  public let reason: TableRefusal
  /// GICR_PROPBASER, or GICR_VPROPBASER, as the host has written it.
  public let configuration: UInt64
  /// GICR_PENDBASER, or GICR_VPENDBASER, as the host has written it.
  public let pending: UInt64
}

/// Why the Redistributors could not be put behind EL2.
public enum RedistributorSetupError: Error, Hashable, Sendable {
  /// There are more than are held.
  case tooMany
  /// A register does not answer: the frame.
  case silent(VirtualAddress)
  /// LPIs are enabled, can't be disabled, and their tables are not memory of the host: the frame.
  case live(VirtualAddress)
  /// A vPE is resident and does not go: the frame.
  case resident(VirtualAddress)

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .tooMany: "there are too many"
    case .silent: "one does not answer"
    case .live: "LPIs can't be disabled, and their tables are not the host's"
    case .resident: "a vPE is resident and does not go"
    }
  }
}

/// Counts since set-up.
public struct RedistributorCounters: Sendable {
  /// Accesses to registers that did nothing: reserved, read only, locked, or not offered.
  public internal(set) var ignored: UInt64 = 0
  /// How often tables came into use.
  public internal(set) var enabled: UInt64 = 0
  /// How often tables were given back.
  public internal(set) var released: UInt64 = 0
  /// Refusals, by reason.
  public internal(set) var refused = InlineArray<7, UInt64>(repeating: 0)

  /// The refusals for one reason.
  public func count(_ reason: TableRefusal) -> UInt64 { refused[Int(reason.rawValue)] }

  /// All refusals.
  public var allRefused: UInt64 {
    var sum: UInt64 = 0
    for index in refused.indices { sum &+= refused[index] }
    return sum
  }
}
