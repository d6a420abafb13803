// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Where in which table an entry is.
package struct LoggedEntry: Hashable, Sendable {
  /// The table.
  package var kind: LoggedTable
  /// The level of a translation table; of an entry of several doublewords, which of them it is.
  package var level: UInt64
  /// The first address that it translates, the first StreamID, or its index.
  package var input: UInt64
  /// The physical address of the SMMU or ITS whose table it is; 0 where several walk it.
  package var unit: UInt64
  /// Whether hardware goes by the doubleword as it is: of a stream table entry, whether V and Config have it count.
  package var isUsed: Bool

  /// Makes one.
  package init(
    _ kind: LoggedTable, level: UInt64, input: UInt64, unit: UInt64 = 0, isUsed: Bool = true
  ) {
    self.kind = kind
    self.level = level
    self.input = input
    self.unit = unit
    self.isUsed = isUsed
  }

  /// The input addresses that a translation descriptor stands for.
  package var addresses: ClosedRange<UInt64> {
    input...input + UInt64.ones(TableDescriptor.shift(level: level))
  }
}
