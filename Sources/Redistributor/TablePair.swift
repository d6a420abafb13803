// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership

/// A configuration table and a pending table that the host names, and how far the hardware is with them.
///
///           host enables: checked, held, told to the hardware
///      idle ────────────────────────────────────────────────▶ inUse
///       ▲                                                     │  ▲
///       │ hardware idle                       host disables   │  │ hardware is still
///       │                                                     ▼  │ enabled, nothing pending
///       └──────────────────────────────────────────────── stopping
///
/// Pages are held while the hardware may touch them: in `inUse` and `stopping`; in `idle` until the own CPU of
/// the Redistributor has seen it, and for good where the hardware does not promise that it is done.
struct TablePair: Sendable {
  /// How far the hardware is.
  enum Use: Hashable, Sendable {
    /// It does not touch the tables.
    case idle
    /// It reads the one and reads and writes the other.
    case inUse
    /// It was told to stop, and has not said that it has.
    case stopping
  }

  /// The tables that are held, and what the hardware was told of them.
  struct Holding: Sendable {
    /// The slot that holds the configuration table.
    let configurationSlot: UInt64
    /// The slot that holds the pending table.
    let pendingSlot: UInt64
    /// GICR_PROPBASER, as the hardware has it.
    let configuration: GICRConfigurationBase
    /// The address in GICR_PENDBASER, as the hardware has it.
    let pending: PhysicalAddress
    /// GICR_PROPBASER, as the host has it.
    fileprivate let hostConfiguration: GICRConfigurationBase
    /// The address in GICR_PENDBASER, as the host has it.
    fileprivate let hostPending: IntermediatePhysicalAddress
  }

  /// The most bits of an INTID, for tables of 16 MiB and 2 MiB.
  ///
  /// What EL2 holds in one trap is bounded by it.
  static var interruptIDBitsLimit: UInt64 { 24 }

  /// GICR_PROPBASER, or GICR_VPROPBASER, as the host sees it.
  var configuration = GICRConfigurationBase(rawValue: 0)
  /// GICR_PENDBASER, or GICR_VPENDBASER, as the host sees it.
  var pending: UInt64 = 0
  /// How far the hardware is.
  var use = Use.idle
  /// What is held.
  var holding: Holding?

  /// Holds both tables, for INTIDs of `bits` bits, of a GIC with addresses below `limit`.
  ///
  /// - Throws: the reason; nothing is held then that was not before.
  mutating func hold<Machine: RedistributorMachine & ~Copyable>(
    interruptIDBits bits: UInt64, below limit: UInt64, in pins: inout PinTable,
    _ machine: borrowing Machine
  ) throws(TableRefusal) {
    let pendingBase = GICRPendingBase(rawValue: pending).base
    let hostPending = IntermediatePhysicalAddress(pendingBase.rawValue)
    if let holding {
      // The same tables again: they are held already.
      guard holding.hostConfiguration == configuration, holding.hostPending == hostPending else {
        throw .stillHeld
      }
      return
    }
    guard bits <= Self.interruptIDBitsLimit else { throw .tooLarge }
    let sizes = LPITableSizes(interruptIDBits: bits)
    guard let first = Self.pages(configuration.base, sizes.configuration) else {
      throw .configurationTable
    }
    guard let second = Self.pages(pendingBase, sizes.pending) else { throw .pendingTable }
    let configurationSlot: UInt64
    do throws(OwnershipError) {
      configurationSlot = try machine.hold(first, in: &pins)
    } catch {
      throw .configurationTable
    }
    let pendingSlot: UInt64
    do throws(OwnershipError) {
      pendingSlot = try machine.hold(second, in: &pins)
    } catch {
      machine.release(configurationSlot, of: &pins)
      throw .pendingTable
    }
    let host = IntermediatePhysicalAddress(configuration.base.rawValue)
    let (table, pendingTable) = (machine.output(of: host), machine.output(of: hostPending))
    guard table.isBelow(limit, with: first), pendingTable.isBelow(limit, with: second),
      pendingTable.isAligned(to: 1 << 16)
    else {
      machine.release(configurationSlot, of: &pins)
      machine.release(pendingSlot, of: &pins)
      throw .unreachable
    }
    holding = Holding(
      configurationSlot: configurationSlot, pendingSlot: pendingSlot,
      configuration: configuration.at(table), pending: pendingTable,
      hostConfiguration: configuration, hostPending: hostPending)
  }

  /// Gives both tables back to the host.
  mutating func release<Machine: RedistributorMachine & ~Copyable>(
    from pins: inout PinTable, _ machine: borrowing Machine
  ) {
    guard let holding = holding.take() else { return }
    machine.release(holding.configurationSlot, of: &pins)
    machine.release(holding.pendingSlot, of: &pins)
  }

  private static func pages(_ base: PhysicalAddress, _ size: UInt64) -> PageRange? {
    guard let range = AddressRange(base: base, size: size) else { return nil }
    return PageRange(covering: range)
  }
}
