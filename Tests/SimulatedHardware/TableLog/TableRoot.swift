// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A table that hardware reads from now on.
package struct TableRoot: Hashable, Sendable {
  /// What it is.
  package var kind: LoggedTable
  /// The physical address of its first entry.
  package var base: UInt64
  /// Its bytes.
  package var size: UInt64
  /// The level of a translation table.
  package var level: UInt64
  /// The physical address of the SMMU or ITS; 0 where several walk it.
  package var unit: UInt64
  /// What a TLB tags its translations with: the VMID.
  package var vmid: UInt16

  /// Makes one.
  package init(
    _ kind: LoggedTable, base: UInt64, size: UInt64, level: UInt64 = 0, unit: UInt64 = 0,
    vmid: UInt16 = 0
  ) {
    self.kind = kind
    self.base = base
    self.size = size
    self.level = level
    self.unit = unit
    self.vmid = vmid
  }
}
