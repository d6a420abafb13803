// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards

/// A private copy of tables, of which each has been checked whole.
///
/// Each table begins at a multiple of 8, with its header (ACPI 6.5, 5.2.6), behind the one before it. Tables that are
/// not read may be among them. A place of it is an offset in the copy; as text it is `IORT+0x48`.
public struct ACPITables: ~Escapable {
  /// The copy.
  public let bytes: Span<UInt8>
  /// Where the tables are that are read.
  private var tables = InlineArray<5, BlobBytes?>(repeating: nil)

  /// The bytes of a header.
  public static var headerSize: Int { 36 }
  /// The most bytes that a copy may have.
  public static var sizeLimit: Int { 1 << 20 }

  /// Where the table behind `count` bytes of a copy begins.
  public static func place(after count: Int) -> Int { (count + 7) & ~7 }

  /// Checks a copy.
  ///
  /// - Throws: `ACPIError` where a table does not fit, has a wrong checksum, or is there a second time.
  @_lifetime(copy bytes)
  public init(checking bytes: Span<UInt8>) throws(ACPIError) {
    self.bytes = bytes
    guard bytes.count <= Self.sizeLimit else {
      throw ACPIError(.other, .badLength(UInt64(bytes.count)))
    }
    var start = 0
    while start < bytes.count {
      let rest = BlobBytes(offset: start, count: bytes.count - start)
      guard let head = word(rest, at: 0), let length = word(rest, at: 4) else {
        throw ACPIError(.other, .badLength(UInt64(rest.count)))
      }
      let signature = ACPISignature(head: head)
      guard length >= UInt32(Self.headerSize), Int(length) <= rest.count else {
        throw ACPIError(signature, at: 4, .badLength(UInt64(length)))
      }
      let table = BlobBytes(offset: start, count: Int(length))
      guard sum(table) == 0 else { throw ACPIError(signature, at: 9, .badChecksum) }
      start = Self.place(after: start + table.count)
      guard signature.isRead else { continue }
      let index = Int(signature.rawValue)
      guard tables[index] == nil else { throw ACPIError(signature, .repeated) }
      tables[index] = table
    }
  }

  /// The table with this signature; nil where there is none, or it is not read.
  public func table(_ signature: ACPISignature) -> BlobBytes? {
    signature.isRead ? tables[Int(signature.rawValue)] : nil
  }

  /// The sum of all bytes, which is zero for a table as it must be.
  private func sum(_ table: BlobBytes) -> UInt8 {
    var sum: UInt8 = 0
    for index in table.offset..<(table.offset + table.count) { sum &+= bytes[index] }
    return sum
  }

  // MARK: Fields

  /// A little-endian number of `count` bytes, `offset` bytes into `record`; nil where it would end beyond it.
  private func number(_ record: BlobBytes, at offset: Int, _ count: Int) -> UInt64? {
    guard offset >= 0, record.count >= count, offset <= record.count - count, record.offset >= 0,
      record.offset <= bytes.count - record.count
    else { return nil }
    var number: UInt64 = 0
    for index in 0..<count {
      number |= UInt64(bytes[record.offset + offset + index]) << UInt64(8 * index)
    }
    return number
  }

  /// The byte `offset` bytes into `record`; nil beyond its end.
  func byte(_ record: BlobBytes, at offset: Int) -> UInt8? {
    number(record, at: offset, 1).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// The 16 bits `offset` bytes into `record`; nil where they would end beyond it.
  func half(_ record: BlobBytes, at offset: Int) -> UInt16? {
    number(record, at: offset, 2).map { UInt16(truncatingIfNeeded: $0) }
  }

  /// The 32 bits `offset` bytes into `record`; nil where they would end beyond it.
  func word(_ record: BlobBytes, at offset: Int) -> UInt32? {
    number(record, at: offset, 4).map { UInt32(truncatingIfNeeded: $0) }
  }

  /// The 64 bits `offset` bytes into `record`; nil where they would end beyond it.
  func double(_ record: BlobBytes, at offset: Int) -> UInt64? { number(record, at: offset, 8) }
}

extension ACPITables: BoardDescription {
  /// What it is, as a line of a log begins.
  public static var title: StaticString { "ACPI" }

  /// Writes the table in which `node` is, and where in it; `ACPI` for what is about none.
  public func writePath(of node: BoardNode, into sink: inout some TextSink & ~Copyable) {
    let offset = Int(node.offset)
    for number in ACPISignature.madt.rawValue...ACPISignature.iort.rawValue {
      guard let signature = ACPISignature(rawValue: number), let table = table(signature),
        node != .root, offset >= table.offset, offset < table.offset + table.count
      else { continue }
      sink.append(signature.text)
      sink.append("+")
      return sink.append(hex: UInt64(offset - table.offset))
    }
    sink.append(Self.title)
  }

  /// The bytes of `value`; none where it would end beyond the copy.
  @_lifetime(copy self)
  public func span(_ value: BlobBytes) -> Span<UInt8> {
    guard value.offset >= 0, value.count >= 0, value.offset <= bytes.count - value.count else {
      return bytes.extracting(0..<0)
    }
    return bytes.extracting(value.offset..<(value.offset + value.count))
  }
}

extension BlobBytes {
  /// The place of a field, `offset` bytes into the record.
  func node(at offset: Int = 0) -> BoardNode {
    BoardNode(offset: Int32(clamping: self.offset + offset))
  }
}
