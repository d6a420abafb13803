// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Inspection

/// The files of one request, read, and which of them are of one board.
struct InspectedFiles {
  /// Device trees and tables, which are not of one machine's firmware.
  struct Mixture: Error {
    /// The first of each.
    var tree: String
    var tables: String

    var text: String {
      "\(quoted: tree) is a device tree, \(quoted: tables) has ACPI tables: inspect either"
    }
  }

  private enum Content {
    case file([UInt8])
    case tables([(name: String, bytes: [UInt8])])
    case unreadable(String)
  }

  private let files: [(name: String, content: Content)]

  /// Reads `inputs`; `describe` has the words for an `errno`.
  init(_ inputs: [Input], _ describe: (CInt) -> String) {
    files = inputs.map { input in
      do throws(Input.Failure) {
        switch try input.contents(where: Report.isTable(named:)) {
        case .file(let bytes): return (input.name, .file(bytes))
        case .folder(let files): return (input.name, .tables(files))
        }
      } catch {
        switch error {
        case .system(let number): return (input.name, .unreadable(describe(number)))
        }
      }
    }
  }

  /// The reports on all boards, in the order of the first file of each.
  func reports(granule: Granule) throws(Mixture) -> [Report] {
    var tree: String?
    var folder: String?
    var tables: [(name: String, bytes: [UInt8])] = []
    for (name, content) in files {
      switch content {
      case .file(let bytes):
        if Report.isTree(bytes) { tree = tree ?? name }
        if Report.isTable(bytes) { tables.append((name, bytes)) }
      case .tables: folder = folder ?? name
      case .unreadable: break
      }
    }
    if let tree, let other = folder ?? tables.first?.name {
      throw Mixture(tree: tree, tables: other)
    }
    var reports: [Report] = []
    var isTold = false
    for (name, content) in files {
      switch content {
      case .file(let bytes) where Report.isTable(bytes):
        if isTold { continue }
        isTold = true
        let names = tables.map(\.name).joined(separator: ", ")
        reports.append(Report(onTables: tables, file: names, granule: granule))
      case .file(let bytes): reports.append(Report(on: bytes, file: name, granule: granule))
      case .tables(let files):
        reports.append(Report(onTables: files, file: name, granule: granule))
      case .unreadable(let reason):
        reports.append(.unreadable(name, granule: granule, reason: reason))
      }
    }
    return reports
  }
}
