// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import GIC

/// Configuration tables that no Redistributor holds any more, and that stay held all the same: where
/// GICR_PROPBASER is one register, another Redistributor may use what it named last.
struct ParkedTables: Sendable {
  /// The most of them; a Redistributor that finds no room keeps its own.
  static var capacity: Int { 16 }

  private var slots = InlineArray<16, UInt64>(repeating: 0)
  private var registers = InlineArray<16, UInt64>(repeating: 0)
  /// How many there are.
  private(set) var count = 0

  /// Whether there is no room.
  var isFull: Bool { count == Self.capacity }

  /// Whether one of them is as asked for.
  func contains(where matches: (GICRConfigurationBase) -> Bool) -> Bool {
    for index in 0..<count where matches(GICRConfigurationBase(rawValue: registers[index])) {
      return true
    }
    return false
  }

  /// Adds a table by the slot that holds it; there is room.
  mutating func append(_ configuration: GICRConfigurationBase, slot: UInt64) {
    slots[count] = slot
    registers[count] = configuration.rawValue
    count += 1
  }

  /// Takes the slot of one of them; nil where there is none.
  mutating func takeLast() -> UInt64? {
    guard count > 0 else { return nil }
    count -= 1
    return slots[count]
  }
}

extension GICRConfigurationBase {
  /// Whether both name one table, with whatever attributes.
  func isSameTable(as other: Self) -> Bool {
    base == other.base && interruptIDBits == other.interruptIDBits
  }
}
