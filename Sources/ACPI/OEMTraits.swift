// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// What is known of hardware by who has made its tables: no field of a table tells it.
enum OEMTraits {
  /// The traits of the GIC on the board whose MADT this is.
  ///
  /// Rockchip's RK3566 and RK3568 have a GIC with 32-bit addresses, and none of its GICs looks into caches, as
  /// device trees tell. Of tables of theirs that name another system-on-chip nothing better is known.
  static func ofGIC(_ madt: BlobBytes, in tables: ACPITables) -> ITSTraits {
    guard tables.isMade(madt, by: "RKCP  ") else { return .none }
    var traits = ITSTraits.nonCoherent
    if !tables.isMade(madt, for: "RK3588  ") { traits.insert(.addresses32Bit) }
    return traits
  }

  /// Whether SMMUv3s of an IORT may have command queues beside them that nobody stands in front of: NVIDIA's CMDQV,
  /// which AML alone describes.
  static func hasUntoldQueues(_ iort: BlobBytes, in tables: ACPITables) -> Bool {
    tables.isMade(iort, by: "NVIDIA")
  }
}

extension ACPITables {
  /// Whether a table has this OEM ID.
  fileprivate func isMade(_ table: BlobBytes, by maker: StaticString) -> Bool {
    has(maker, at: 10, in: table)
  }

  /// Whether a table has this OEM Table ID.
  fileprivate func isMade(_ table: BlobBytes, for board: StaticString) -> Bool {
    has(board, at: 16, in: table)
  }

  private func has(_ text: StaticString, at offset: Int, in table: BlobBytes) -> Bool {
    for index in 0..<text.utf8CodeUnitCount
    where byte(table, at: offset + index) != text.byte(at: index) {
      return false
    }
    return true
  }
}
