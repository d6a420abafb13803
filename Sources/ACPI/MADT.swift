// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// The entries of a MADT (ACPI 6.5, 5.2.12), in their order.
struct MADTWalk {
  private let table: BlobBytes
  /// Where the next entry begins in the table: the first one behind 44 bytes.
  private var position = 44
  /// Where the walk broke off: at an entry that does not fit.
  private(set) var broken: BoardNode?

  init(_ table: BlobBytes) { self.table = table }

  /// An entry.
  struct Entry {
    let type: MADTType
    /// All of it, with its type and its length.
    let record: BlobBytes
    var node: BoardNode { record.node() }
  }

  /// The next entry; nil at the end, and where the walk breaks off.
  mutating func next(in tables: ACPITables) -> Entry? {
    guard position < table.count, broken == nil else { return nil }
    let place = BlobBytes(offset: table.offset + position, count: table.count - position)
    guard let type = tables.byte(place, at: 0), let length = tables.byte(place, at: 1),
      length >= 2, Int(length) <= place.count
    else {
      broken = place.node()
      return nil
    }
    position += Int(length)
    return Entry(
      type: MADTType(type), record: BlobBytes(offset: place.offset, count: Int(length)))
  }
}

/// What an entry of a MADT is, as far as it matters.
enum MADTType: Equatable {
  /// GICC: a CPU (5.2.12.14).
  case cpuInterface
  /// GICD: the Distributor (5.2.12.15).
  case distributor
  /// GICR: a region of Redistributors (5.2.12.17).
  case redistributors
  /// GIC ITS (5.2.12.18).
  case its
  /// No hardware of a GICv3, nor of anything in its place on Arm.
  case foreign
  /// An interrupt controller of which nothing is known, as GICv5's are.
  case unknown

  init(_ type: UInt8) {
    switch type {
    case 0x0b: self = .cpuInterface
    case 0x0c: self = .distributor
    case 0x0e: self = .redistributors
    case 0x0f: self = .its
    // Those of other architectures, and the frames of GICv2m.
    case 0x00...0x1b: self = .foreign
    default: self = .unknown
    }
  }

  /// The bytes that an entry has at least, of which the last are read.
  var leastLength: Int {
    switch self {
    case .cpuInterface: 76
    case .distributor: 24
    case .redistributors: 16
    case .its: 20
    case .foreign, .unknown: 2
    }
  }
}
