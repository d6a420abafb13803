// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The memory of the host that the GIC is given: each piece begins at a multiple of 64 KiB.
enum Arena {
  private static func at(_ offset: UInt64) -> UInt64 { el1_arena() + offset }

  /// The configuration of all LPIs, a byte each.
  static var configuration: UInt64 { at(0x0_0000) }
  /// The pending table of a CPU's Redistributor.
  static func pending(_ cpu: UInt64) -> UInt64 {
    at(0x1_0000 + cpu % UInt64(EL1_CPU_LIMIT) * page)
  }

  /// Command queues of up to 64 KiB.
  static var queue: UInt64 { at(0x9_0000) }
  static var secondQueue: UInt64 { at(0xa_0000) }
  /// Tables of one ITS page.
  static var collections: UInt64 { at(0xb_0000) }
  static var secondCollections: UInt64 { at(0xc_0000) }
  static var vpes: UInt64 { at(0xd_0000) }
  static var vpePending: UInt64 { at(0xe_0000) }
  static var firstLevel: UInt64 { at(0xf_0000) }
  /// Device tables: room for 65536 entries of 8 bytes.
  static var devices: UInt64 { at(0x10_0000) }
  /// Second-level pages.
  static func secondLevel(_ index: UInt64) -> UInt64 { at(0x18_0000 + index % 8 * page) }
  /// Interrupt Translation Tables.
  static var translations: UInt64 { at(0x20_0000) }
  static let translationsSize: UInt64 = 0x10_0000
  /// For what a single test needs.
  static var spare: UInt64 { at(0x30_0000) }

  /// What a host hands over, and what it has in its place.
  static var handover: UInt64 { at(0x40_0000) }

  static let page: UInt64 = 0x1_0000
  static let devicesSize: UInt64 = 0x8_0000
}
