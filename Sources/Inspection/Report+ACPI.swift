// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
public import Architecture
import Boards

extension Report {
  /// The names of tables that a board is read from.
  private static let read = ["APIC", "FACP", "SPCR", "MCFG", "IORT"]

  /// Whether `bytes` begin as an ACPI table does: with the signature of one that is read, or with any signature and a
  /// length that is not beyond their end.
  ///
  /// The pointer that leads to tables (RSDP) counts as one.
  public static func isTable(_ bytes: [UInt8]) -> Bool {
    if read.contains(String(decoding: bytes.prefix(4), as: UTF8.self)) { return true }
    if isPointer(bytes[...]) { return true }
    guard bytes.count >= ACPITables.headerSize,
      bytes[..<4].allSatisfy({ 0x41...0x5a ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x5f })
    else { return false }
    return ACPITables.headerSize...bytes.count ~= length(of: bytes[...])
  }

  /// Whether a file of a folder, or of `acpidump -b`, has by its name a table that a board is read from.
  public static func isTable(named name: String) -> Bool {
    let base = name.prefix { $0 != "." }.uppercased()
    // The kernel numbers those that are there more than once.
    return read.contains { base.hasPrefix($0) && base.dropFirst(4).allSatisfy(\.isWholeNumber) }
  }

  /// Whether they are the RSDP, which `acpidump` writes beside the tables and which has no header of one.
  private static func isPointer(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.starts(with: "RSD PTR ".utf8)
  }

  private static func length(of table: ArraySlice<UInt8>) -> Int {
    table.dropFirst(4).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// Makes the report on the tables in `files`, which together are those of one board and were given as `file`.
  ///
  /// Each has one table, or several one after another. Those that no board is read from are left out, and the RSDP.
  public init(
    onTables files: [(name: String, bytes: [UInt8])], file: String, granule: Granule
  ) {
    self.init(file: file, granule: granule)
    source = .acpi
    var copy: [UInt8] = []
    for (name, bytes) in files where !Self.isPointer(bytes[...]) {
      var rest = bytes[...]
      // A file without any byte has no table either.
      repeat {
        let length = Self.length(of: rest)
        guard length >= ACPITables.headerSize, length <= rest.count else {
          let offset = UInt64(bytes.count - rest.count).hexadecimal
          let counts = "its length is \(length), \(rest.count) bytes are there"
          fail(with: .notTheData, "\(name): no whole ACPI table at \(offset): \(counts)")
          return
        }
        let table = rest.prefix(length)
        rest = rest.dropFirst(length)
        guard Self.read.contains(String(decoding: table.prefix(4), as: UTF8.self)) else { continue }
        copy += Array(repeating: 0, count: ACPITables.place(after: copy.count) - copy.count) + table
      } while !rest.isEmpty
    }
    guard !copy.isEmpty else {
      let names = Self.read.joined(separator: ", ")
      fail(with: .notTheData, "no ACPI table that tells of a board: \(names)")
      return
    }
    do throws(ACPIError) {
      take(try ACPITables(checking: copy.span))
    } catch {
      var message = ByteSink()
      error.write(into: &message)
      fail(with: .notTheData, message.text)
    }
  }

  /// Takes over what the board is and what was said about it.
  private mutating func take(_ tables: ACPITables) {
    var found = FoundDiagnostics()
    // Tables do not tell of memory.
    let none: [AddressRange] = []
    let board = Board.read(
      tables, memory: none.span, reserved: none.span, options: BootOptions(), granule: granule,
      reporting: &found)
    func path(of node: BoardNode) -> String {
      var path = ByteSink()
      tables.writePath(of: node, into: &path)
      return path.text
    }
    model = board.model.map { tables.text($0) }
    take(board, path)
    diagnostics = [
      Diagnostic(
        severity: .note,
        message: "memory is not told by ACPI tables: nothing was checked against it")
    ]
    diagnostics += found.list.map { found in
      var message = ByteSink()
      found.writeMessage(in: tables, into: &message)
      return Diagnostic(found, node: path(of: found.node), message: message.text)
    }
    var foundDMA = FoundDMADiagnostics()
    take(DMATopology(reading: tables, of: board, reporting: &foundDMA), path)
    diagnostics += foundDMA.list.map { Diagnostic($0, node: path(of: $0.node)) }
  }
}

extension ACPITables {
  /// The OEM ID and the OEM Table ID, without what pads them.
  fileprivate func text(_ value: BlobBytes) -> String {
    let bytes = span(value)
    let text = String(
      decoding: bytes.indices.map { bytes[$0] }.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    return text.split(separator: " ").joined(separator: " ")
  }
}
