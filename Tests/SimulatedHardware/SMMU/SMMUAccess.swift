// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU

/// One access to physical memory, of an SMMU itself or of a device behind it.
package struct SMMUAccess: Hashable, Sendable {
  /// What for.
  package enum Use: Hashable, Sendable {
    /// The command queue.
    case commandQueue
    /// The event queue.
    case eventQueue
    /// A descriptor of the stream table's first level.
    case streamDescriptor
    /// A stream table entry.
    case streamEntry
    /// A context descriptor, or a descriptor of the table of contexts' first level.
    case context
    /// A translation table of stage 1.
    case stage1Table
    /// A translation table of stage 2.
    case stage2Table
    /// The write that signals an interrupt or a completion.
    case message
    /// What a device itself reads or writes.
    case device(StreamID)
  }

  /// What for.
  package let use: Use
  /// The physical address of the first byte.
  package let address: UInt64
  /// The size in bytes.
  package let size: UInt64
  /// Whether it writes.
  package let isWritten: Bool

  /// Makes one.
  package init(_ use: Use, _ address: UInt64, size: UInt64 = 8, isWritten: Bool = false) {
    self.use = use
    self.address = address
    self.size = size
    self.isWritten = isWritten
  }

  /// Whether the SMMU makes it for its own purposes.
  package var isOwn: Bool { if case .device = use { false } else { true } }
}
