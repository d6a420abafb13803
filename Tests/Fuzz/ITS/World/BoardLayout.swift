// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Where everything is on the board.
///
///     0x8000_0000  the host's memory; only the first pages are used
///     0x8800_0000  LPI tables of the Redistributors, the host's too
///     0x9000_0000  EL2: tables of translations, then an arena for each ITS
enum BoardLayout {
  static let ram: UInt64 = 0x8000_0000
  static let ramSize: UInt64 = 0x2000_0000
  static let hypervisor: UInt64 = 0x9000_0000
  static let hypervisorSize: UInt64 = 0x1000_0000
  static let poolPages: UInt64 = 256
  static let arenas: UInt64 = 0x9100_0000
  static let arenaDistance: UInt64 = 0x100_0000
  /// How many pieces of 2 MiB the host may put a queue into.
  static let farAreas: UInt64 = 60
  static let configurationTable: UInt64 = 0x8800_0000

  /// How many pages the host writes to, queues among them.
  static let hostPages = 32

  static func pendingTable(_ redistributor: Int) -> UInt64 {
    0x8810_0000 + UInt64(redistributor) << 16
  }
  static func arena(_ service: Int) -> UInt64 { arenas + UInt64(service) * arenaDistance }
}
