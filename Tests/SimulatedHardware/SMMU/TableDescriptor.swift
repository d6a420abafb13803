// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// One descriptor of a VMSAv8-64 translation table with the 4 KiB granule (Arm ARM DDI 0487, D8.3).
struct TableDescriptor: Hashable, Sendable {
  var raw: UInt64

  enum Kind: Hashable, Sendable {
    case invalid
    case table
    /// A block or a page.
    case leaf
  }

  /// What it is at a level from 0 to 3.
  func kind(level: UInt64) -> Kind {
    switch (raw.field(1, 0), level) {
    case (0b11, 0...2): .table
    case (0b11, _): .leaf
    case (0b01, 1...2): .leaf
    default: .invalid
    }
  }

  /// log2 of the bytes that an entry of a level covers.
  static func shift(level: UInt64) -> UInt64 { 12 + 9 * (3 - level) }

  /// The table that it points to.
  var table: UInt64 { raw.masked(47, 12) }
  /// The first address of the block or page that it maps.
  func output(level: UInt64) -> UInt64 { raw.masked(47, Self.shift(level: level)) }
  /// The Access flag.
  var isAccessed: Bool { raw.bit(10) }
  /// nT of a block.
  var isNotForTLB: Bool { raw.bit(16) }
  /// DBM.
  var tracksDirtyState: Bool { raw.bit(51) }

  // Stage 2.

  /// S2AP[0].
  var isReadableInStage2: Bool { raw.bit(6) }
  /// S2AP[1].
  var isWritableInStage2: Bool { raw.bit(7) }
  /// MemAttr: whether it is one of the Device types, with FWB as without.
  func isDeviceInStage2(forcesWriteBack: Bool) -> Bool {
    forcesWriteBack ? !raw.bit(4) : raw.field(5, 4) == 0
  }

  // Stage 1.

  /// AP[1]: EL0 may.
  var isUnprivileged: Bool { raw.bit(6) }
  /// AP[2]: nobody writes.
  var isReadOnlyInStage1: Bool { raw.bit(7) }
  /// nG.
  var isOfASID: Bool { raw.bit(11) }
  /// APTable[0]: EL0 may not, below.
  var forbidsUnprivileged: Bool { raw.bit(61) }
  /// APTable[1]: nobody writes, below.
  var forbidsWrites: Bool { raw.bit(62) }

  /// What must not change from one valid descriptor to another: output, type of memory, shareability.
  ///
  /// Permissions, the Access flag, the dirty state and what is left to software may.
  func unchangeable(level: UInt64, stage: UInt64) -> UInt64 {
    switch kind(level: level) {
    case .invalid: 0
    case .table: table | 0b11
    case .leaf:
      output(level: level) | raw.field(9, 8) << 8 | raw.field(1, 0)
        | (stage == 2 ? raw.masked(5, 2) : raw.masked(4, 2))
    }
  }
}
