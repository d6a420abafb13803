// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// What an ITS or a Redistributor takes a range of memory for.
package enum MemoryUse: Hashable, Sendable {
  /// The command queue.
  case queue
  /// A table of devices, collections or vPEs that has one level, or the second level of one.
  case table(TableKind)
  /// The first level of such a table.
  case firstLevel(TableKind)
  /// An Interrupt Translation Table (ITT).
  case translationTable
  /// The LPI Configuration table of a Redistributor.
  case configurationTable
  /// The LPI Pending table of a Redistributor.
  case pendingTable
  /// The LPI Pending table of a vPE (VPT).
  case virtualPendingTable
  /// The LPI Configuration table of a vPE (VCONF).
  case virtualConfigurationTable
  /// The frame that a target names and that is no Redistributor's.
  case strayTarget
}

/// The tables that GITS_BASER<n> may point to.
package enum TableKind: Hashable, Sendable, CaseIterable {
  /// Devices.
  case devices
  /// Collections.
  case collections
  /// vPEs.
  case vpes
}

/// A range of memory and what it is taken for.
package struct MemoryReach: Hashable, Sendable {
  /// What for.
  package let use: MemoryUse
  /// The physical address of the first byte.
  package let base: UInt64
  /// The size in bytes.
  package let size: UInt64
  /// Whether hardware may write there, not only read.
  package let isWritten: Bool

  /// Makes a range.
  package init(use: MemoryUse, base: UInt64, size: UInt64, isWritten: Bool) {
    self.use = use
    self.base = base
    self.size = size
    self.isWritten = isWritten
  }

  /// Whether `address` lies in the range.
  package func contains(_ address: UInt64) -> Bool { address &- base < size }

  /// The range in words.
  package var text: String {
    "\(use) at \(hex(base)), \(size) bytes\(isWritten ? ", written" : "")"
  }
}

/// One access of an ITS or a Redistributor to memory.
package struct MemoryAccess: Hashable, Sendable {
  /// Which ITS; nil where a Redistributor acts by itself.
  package let service: Int?
  /// Where, and whether it writes.
  package let range: MemoryReach
}
