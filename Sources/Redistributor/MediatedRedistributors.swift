// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import GIC
internal import Ownership

/// All Redistributors of a board between the host and the hardware.
///
///      host                          EL2                                     hardware
///   PROPBASER, PENDBASER ──→ virtual registers ── EnableLPIs ──→ tables checked ──→ registers
///                                                                 and held
///   the tables themselves ←──── the host's, shared and pinned ────────────────→ read and written
///
/// The tables stay the host's, which goes on writing the configuration of its LPIs; what is taken from
/// it is that they become anybody else's while the hardware may touch them.
///
/// All state is guarded by the lock of rank `redistributor`: Redistributors share a configuration table.
public struct MediatedRedistributors: ~Copyable {
  /// The most Redistributors.
  public static var capacity: Int { RedistributorSlots.capacity }
  /// The pins that one of them may have at once.
  private static var pinsEach: UInt64 { 4 }
  /// The bytes of EL2's memory that the pins take.
  public static var pinsSize: UInt64 {
    PinTable.size(capacity: UInt64(capacity) * pinsEach)
  }

  /// The bits of an INTID, from GICD_TYPER.
  let interruptIDBits: UInt64
  /// One more than the largest address of the GIC.
  let addressLimit: UInt64
  /// Whether virtual LPIs of GICv4.0 are offered, and their tables checked.
  let offersVirtualLPIs: Bool
  let slots: RedistributorSlots
  /// How many Redistributors there are.
  public internal(set) var count = 0
  var pins: PinTable
  /// Whether GICR_PROPBASER is one register behind all Redistributors; nil where that could not be tried.
  var hasOneConfigurationBase: Bool?
  /// What that register may name although no Redistributor holds it.
  var parked = ParkedTables()

  /// What was done and refused.
  public internal(set) var counters = RedistributorCounters()
  /// The last refusal that was not yet logged.
  var lastRefusal: RefusedTables?

  /// Starts with no Redistributor.
  ///
  /// - Parameters:
  ///   - interruptLimit: one more than the largest INTID of the board.
  ///   - pins: ``pinsSize`` zeroed bytes of EL2's memory.
  ///   - slots: the places of the Redistributors, for this value alone.
  ///   - offersVirtualLPIs: whether those of GICv4.0 are offered.
  ///   - addressLimit: one more than the largest address that the GIC reaches.
  public init(
    interruptLimit: UInt64, pins: PhysicalAddress, slots: RedistributorSlots,
    offersVirtualLPIs: Bool,
    addressLimit: UInt64 = 1 << 52
  ) {
    interruptIDBits = UInt64(interruptLimit > 1 ? 64 - (interruptLimit - 1).leadingZeroBitCount : 1)
    self.offersVirtualLPIs = offersVirtualLPIs
    self.addressLimit = addressLimit
    self.slots = slots
    self.pins = PinTable(list: pins, capacity: UInt64(Self.capacity) * Self.pinsEach)
  }

  /// How many tables are held.
  public var heldTables: UInt64 { pins.count }

  /// A page of `wanted` that is held for a table of the host; nil where none is.
  ///
  /// `memory` is where the pins are.
  public func held<Memory: TableMemory & ~Copyable>(
    of wanted: PageRange, memory: borrowing Memory
  ) -> PageFrameNumber? {
    pins.firstHeld(of: wanted, memory: memory)
  }

  /// Whether there is something to log.
  public var hasNews: Bool { lastRefusal != nil }

  /// Takes the last refusal that was not taken yet.
  public mutating func takeRefusal() -> RefusedTables? { lastRefusal.take() }

  mutating func refuse(_ reason: TableRefusal, _ number: Int, _ tables: TablePair) {
    counters.refused[Int(reason.rawValue)] &+= 1
    lastRefusal = RefusedTables(
      number: number, reason: reason, configuration: tables.configuration.rawValue,
      pending: tables.pending)
  }
}
