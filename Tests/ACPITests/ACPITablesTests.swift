// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Boards
import Testing

@Suite("The check of a copy of tables")
struct ACPITablesTests {
  /// The table with a byte, or a word, that is another; its checksum is right.
  private static func changed(_ table: [UInt8], at offset: Int, _ value: UInt32) -> [UInt8] {
    var table = table
    table.replaceSubrange(offset..<(offset + 4), with: little(value))
    return sealed(table)
  }

  @Test(
    "What is not laid out as a copy is refused, with table, offset and rule",
    arguments: [
      (changed(fadt(), at: 4, 35), "FACP+0x4: has an impossible length of 35 bytes"),
      (changed(fadt(), at: 4, 277), "FACP+0x4: has an impossible length of 277 bytes"),
      (changed(fadt(), at: 4, .max), "FACP+0x4: has an impossible length of 4294967295 bytes"),
      (fadt() + Array(repeating: 0, count: 8), "a table+0x0: has an impossible length of 4 bytes"),
      (copy([fadt(), fadt()]), "FACP+0x0: is there a second time"),
      (
        copy([fadt(), table("SSDT", []) + Array(repeating: 1, count: 7)]),
        "a table+0x0: has an impossible length of 3 bytes"
      ),
    ])
  func refused(bytes: [UInt8], line: String) throws {
    // The bytes behind a table that ends at no multiple of 8 are padding.
    let error = #expect(throws: ACPIError.self) { _ = try ACPITables(checking: bytes.span) }
    #expect(error?.line == line)
  }

  @Test("Each byte of a table counts for its checksum")
  func checksum() {
    let good = fadt()
    for index in good.indices {
      var bytes = good
      bytes[index] ^= 0x10
      #expect(throws: ACPIError.self) { _ = try ACPITables(checking: bytes.span) }
    }
  }

  @Test(
    "Tables are found by their signature wherever they are, and what is not read is passed over")
  func found() throws {
    let bytes = copy([table("SSDT", [1, 2, 3]), spcr(), table("SSDT", []), fadt(), MADT.board()])
    let tables = try ACPITables(checking: bytes.span)
    #expect(tables.table(.spcr) == BlobBytes(offset: 40, count: 80))
    #expect(tables.table(.fadt)?.offset == 40 + 80 + 40)
    #expect(tables.table(.madt)?.count == MADT.board().count)
    #expect(tables.table(.iort) == nil)
    #expect(tables.table(.other) == nil)
  }

  @Test("A place is written as its table and its offset there")
  func places() throws {
    let bytes = copy([fadt(), spcr()])
    let tables = try ACPITables(checking: bytes.span)
    let expected = [
      (1, "FACP+0x1"), (275, "FACP+0x113"), (276, "ACPI"), (280, "SPCR+0x0"), (0, "ACPI"),
      (360, "ACPI"),
    ]
    for (offset, text) in expected {
      var sink = Text()
      tables.writePath(of: BoardNode(offset: Int32(offset)), into: &sink)
      #expect(sink.string == text)
    }
  }

  @Test("Bytes beyond the copy are none")
  func span() throws {
    let bytes = fadt()
    let tables = try ACPITables(checking: bytes.span)
    #expect(tables.span(BlobBytes(offset: 10, count: 14)).count == 14)
    for (offset, count) in [(-1, 2), (0, 277), (276, 1), (Int.max, 1), (1, Int.max), (1, -1)] {
      #expect(tables.span(BlobBytes(offset: offset, count: count)).count == 0)
    }
  }

  @Test("The largest copy is bounded")
  func limit() {
    let bytes = [UInt8](repeating: 0, count: ACPITables.sizeLimit + 1)
    #expect(throws: ACPIError.self) { _ = try ACPITables(checking: bytes.span) }
  }
}
