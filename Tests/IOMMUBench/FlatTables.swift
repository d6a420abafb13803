// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

/// The pages of a pool, as an array.
final class FlatTables: TableMemory {
  static let base: UInt64 = 0x40_0000_0000
  private let words: UnsafeMutablePointer<UInt64>
  private let count: UInt64

  init(pages: UInt64) {
    count = pages << (PageFrameNumber.shift - 3)
    words = .allocate(capacity: Int(count))
  }

  deinit { words.deallocate() }

  private func place(_ address: PhysicalAddress) -> UnsafeMutablePointer<UInt64> {
    precondition((address.rawValue - Self.base) / 8 < count)
    return words + Int((address.rawValue - Self.base) / 8)
  }

  func load(_ address: PhysicalAddress) -> UInt64 { place(address).pointee }
  func store(_ value: UInt64, at address: PhysicalAddress) { place(address).pointee = value }
  func publishTables() {}
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}

/// The tables of devices that reach all of a board: so much memory from 1 GiB on, and device registers.
struct TableMeasurement {
  let gibibytes: UInt64
  let splitting: DMATable.Splitting

  /// How many pages they take, the root included.
  ///
  /// Where the memory is mapped is counted when it is; else what the pool would have to have is told.
  func pages(mapsMemory: Bool) throws -> UInt64 {
    let first: UInt64 = 1 << 18
    let end = first + gibibytes << 18
    // The smallest size of addresses of a CPU that has room.
    let bits: UInt64 = end > 1 << 28 ? 42 : end > 1 << 24 ? 40 : 36
    guard let geometry = TranslationGeometry(bits: bits),
      let pool = PageRange(
        first: PageFrameNumber(FlatTables.base >> 12),
        count: 1024 + (mapsMemory ? gibibytes * 513 : 0))
    else { throw BenchError.range }
    var tables = PagePool(pages: pool, memory: FlatTables(pages: pool.count))
    let table = try DMATable(geometry, splitting: splitting, pool: &tables)
    try map(0..<first, .mmio, table, &tables)
    try map(end..<geometry.pageLimit, .mmio, table, &tables)
    guard mapsMemory else {
      return tables.usedCount + (try needed(first..<end, .memory, table, tables))
    }
    try map(first..<end, .memory, table, &tables)
    return tables.usedCount
  }

  private func range(_ numbers: Range<UInt64>) throws -> PageRange {
    guard
      let range = PageRange(
        first: PageFrameNumber(numbers.lowerBound), count: UInt64(numbers.count))
    else { throw BenchError.range }
    return range
  }

  private func needed(
    _ numbers: Range<UInt64>, _ kind: PageKind, _ table: DMATable,
    _ tables: borrowing PagePool<FlatTables>
  ) throws -> UInt64 { table.tablesNeeded(for: [try range(numbers)].span, kind, tables) }

  private func map(
    _ numbers: Range<UInt64>, _ kind: PageKind, _ table: DMATable,
    _ tables: inout PagePool<FlatTables>
  ) throws {
    var reservation = try tables.reserve(try needed(numbers, kind, table, tables))
    table.map(
      try range(numbers), isReadable: true, isWritable: true, kind, &tables, &reservation)
    tables.release(reservation)
  }
}

enum BenchError: Error { case range }
