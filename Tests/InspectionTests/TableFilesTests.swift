// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inspection
import Testing

@Suite("Files of ACPI tables")
struct TableFilesTests {
  // Tables of a board with one CPU, an ITS, and a PCI segment that no SMMU is before.

  private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func table(_ signature: String, _ content: [UInt8]) -> [UInt8] {
    var table = Array(signature.utf8) + bytes(UInt64(36 + content.count), 4) + [1, 0]
    table += Array("OEM  \0TABLE   ".utf8) + bytes(1, 4) + Array("TEST".utf8) + bytes(1, 4)
    table += content
    table[9] = 0 &- table.reduce(0, &+)
    return table
  }

  private static func madt(its: UInt64 = 0x808_0000) -> [UInt8] {
    var content = bytes(0, 8)
    content += [0x0c, 24, 0, 0] + bytes(0, 4) + bytes(0x800_0000, 8) + bytes(0, 4) + [3, 0, 0, 0]
    content += [0x0e, 16, 0, 0] + bytes(0x80a_0000, 8) + bytes(0x2_0000, 4)
    content += [0x0b, 80, 0, 0] + bytes(0, 8) + bytes(1, 4) + bytes(0, 64)
    content += [0x0f, 20, 0, 0] + bytes(0, 4) + bytes(its, 8) + bytes(0, 4)
    return table("APIC", content)
  }

  // Of a length that is no multiple of 8.
  private static let space = table(
    "MCFG", bytes(0, 8) + bytes(0x40_1000_0000, 8) + bytes(0xff00_0000, 8))
  private static let code = table("DSDT", [1, 2, 3])

  /// A folder with these files.
  private func folder(_ files: [String: [UInt8]]) throws -> String {
    let url = Fixtures.directory("tables-" + UUID().uuidString)
    for (name, bytes) in files { try Data(bytes).write(to: url.appending(path: name)) }
    return url.path
  }

  private func inspect(_ arguments: [String]) throws -> Fixtures.Result {
    try #require(Fixtures.run(Fixtures.program, ["inspect"] + arguments))
  }

  private func boards(_ files: [String]) throws -> [[String: Any]] {
    let result = try inspect(["--json"] + files)
    let text = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
    return try #require(text?["files"] as? [[String: Any]])
  }

  @Test("A folder is one board; what is no table of it is passed over")
  func folder() throws {
    let path = try folder([
      "APIC": Self.madt(), "MCFG": Self.space, "DSDT": Self.code, "SSDT1": [1], "notes.txt": [2],
      "APICRYPHA": [3],
    ])
    for name in ["data", "dynamic"] {
      try FileManager.default.createDirectory(
        atPath: path + "/" + name, withIntermediateDirectories: false)
    }
    let result = try inspect([path])
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    let expected = """
      \(path): protectable, OEM TABLE, pages of 4 KiB
        KIND            BASE       SIZE     PROTECTED  PAGES  TRANSLATER  NODE
        its             0x8080000  128 KiB  0x8080000  16     0x8090040   APIC+0xa4
        redistributors  0x80a0000  128 KiB  -          -      -           APIC+0x44
        Memory is not told by ACPI tables: nothing was checked against it.
        DMA masters that the tables tell of: 1, confined: 0
        DMA MASTER  IOMMU  STREAMS               MSI  CONFINED
        MCFG+0x2c   -      requester 0x0-0xffff  -    no: behind no IOMMU

      """
    #expect(result.text == expected)
  }

  @Test("Files of tables are one board, whether one file has them or several do")
  func files() throws {
    let path = try folder([
      "apic.dat": Self.madt(), "mcfg.dat": Self.space, "dsdt.dat": Self.code,
      "all": Self.code + Self.madt() + Self.space,
    ])
    let names = ["dsdt", "mcfg", "apic"].map { "\(path)/\($0).dat" }
    for files in [[path], ["\(path)/all"], names] {
      let boards = try boards(files)
      #expect(boards.count == 1)
      #expect(boards[0]["source"] as? String == "acpi")
      #expect(boards[0]["file"] as? String == files.joined(separator: ", "))
      #expect(boards[0]["verdict"] as? String == "protectable")
      #expect((boards[0]["dma"] as? [Any])?.count == 1)
      let notes = try #require(boards[0]["diagnostics"] as? [[String: Any]])
      #expect(notes.map { $0["severity"] as? String } == ["note"])
      #expect(
        notes[0]["message"] as? String
          == "memory is not told by ACPI tables: nothing was checked against it")
    }
    let piped = try #require(
      Fixtures.portcullis("inspect", "-", input: Data(Self.madt() + Self.space)))
    #expect(piped.status == 0)
    // Each folder is a board of its own, and so are the files.
    #expect(try boards([path, path] + names).count == 3)
  }

  @Test("The RSDP and the FACS, which acpidump writes beside the tables, are passed over")
  func pointer() throws {
    let pointer = Array("RSD PTR ".utf8) + [0] + Array("OEM  \0".utf8) + [2] + Self.bytes(0, 20)
    let facs = Array("FACS".utf8) + Self.bytes(64, 4) + Self.bytes(0, 56)
    let path = try folder([
      "apic.dat": Self.madt(), "dsdt.dat": Self.code, "facs.dat": facs, "mcfg.dat": Self.space,
      "rsdp.dat": pointer,
    ])
    let names = ["apic", "dsdt", "facs", "mcfg", "rsdp"].map { "\(path)/\($0).dat" }
    let found = try boards(names)
    #expect(found.count == 1)
    #expect(found.first?["verdict"] as? String == "protectable")
    #expect(try inspect(names).errors.isEmpty)

    let alone = try inspect([path + "/rsdp.dat"])
    #expect(alone.status == 65)
    #expect(alone.errors.contains("no ACPI table that tells of a board"))
  }

  @Test("A picture is drawn of tables too")
  func picture() throws {
    let result = try inspect(["--svg", "-", try folder(["APIC": Self.madt(), "MCFG": Self.space])])
    #expect(result.status == 0)
    #expect(result.text.contains("ACPI tables do not tell where it is"))
    #expect(result.text.contains("DMA masters that the tables tell of: 1"))
  }

  @Test("Device trees and tables are not inspected together")
  func mixture() throws {
    let path = try folder(["APIC": Self.madt()])
    let tree = Fixtures.blobs.appending(path: "one-its.dtb").path
    for files in [[path, tree], [tree, path + "/APIC"]] {
      let result = try inspect(files)
      #expect(result.status == 64)
      #expect(result.output.isEmpty)
      let other = files.first { $0 != tree } ?? ""
      #expect(
        result.errorLines.first
          == "portcullis: '\(tree)' is a device tree, '\(other)' has ACPI tables: inspect either")
    }
  }

  @Test(
    "What is not whole, or not there, is no data; the table, the place and the rule are told",
    arguments: [
      (["DSDT": code], "no ACPI table that tells of a board: APIC, FACP, SPCR, MCFG, IORT"),
      ([:], "no ACPI table that tells of a board: APIC, FACP, SPCR, MCFG, IORT"),
      (
        ["APIC": Array(madt().dropLast())],
        "APIC: no whole ACPI table at 0x0: its length is 184, 183 bytes are there"
      ),
      (
        ["APIC": Array(madt().prefix(20))],
        "APIC: no whole ACPI table at 0x0: its length is 184, 20 bytes are there"
      ),
      (["APIC": [1]], "APIC: no whole ACPI table at 0x0: its length is 0, 1 bytes are there"),
      (
        ["APIC": madt(), "IORT": []],
        "IORT: no whole ACPI table at 0x0: its length is 0, 0 bytes are there"
      ),
      (
        ["APIC": madt() + [0]],
        "APIC: no whole ACPI table at 0xb8: its length is 0, 1 bytes are there"
      ),
      (
        ["APIC": madt() + code.dropLast()],
        "APIC: no whole ACPI table at 0xb8: its length is 39, 38 bytes are there"
      ),
      (
        ["APIC": Array("no table at all, but long enough to be".utf8)],
        "APIC: no whole ACPI table at 0x0: its length is 1701601889, 38 bytes are there"
      ),
      (["APIC": madt(), "apic.dat": madt()], "APIC+0x0: is there a second time"),
      (["APIC1": madt(), "APIC2": madt()], "APIC+0x0: is there a second time"),
      (["APIC": madt().dropLast() + [1]], "APIC+0x9: the checksum is wrong"),
    ] as [([String: [UInt8]], String)])
  func broken(files: [String: [UInt8]], line: String) throws {
    let path = try folder(files)
    let result = try inspect([path])
    #expect(result.status == 65)
    #expect(result.errorLines == ["portcullis: \(path): \(line)"])
  }

  @Test("A file that begins as a table which is read is not taken for a device tree, however short")
  func cut() throws {
    let path = try folder(["cut": Array(Self.madt().prefix(20))]) + "/cut"
    let result = try inspect([path])
    #expect(result.status == 65)
    let line = "no whole ACPI table at 0x0: its length is 184, 20 bytes are there"
    #expect(result.errorLines == ["portcullis: \(path): \(path): \(line)"])
  }

  @Test("A board is refused with the table and the place")
  func refused() throws {
    let path = try folder(["APIC": Self.madt(its: 0x80a_0000)])
    let result = try inspect([path])
    #expect(result.status == 1)
    #expect(
      result.errorLines == [
        "portcullis: \(path): APIC+0x44: Base Address: overlaps 0x80a0000 size 0x20000 of APIC+0xa4"
      ])
  }

  @Test("What can't be read of a folder is told", .enabled(if: getuid() != 0))
  func unreadable() throws {
    let path = try folder(["APIC": Self.madt()])
    try FileManager.default.setAttributes(
      [.posixPermissions: 0], ofItemAtPath: path + "/APIC")
    #expect(try inspect([path]).status == 66)
  }
}
