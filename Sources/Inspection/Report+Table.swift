// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

extension Report {
  /// The report as a person reads it: a line that says what it comes to, then a table.
  public var table: String {
    var head = file.printable + ": " + verdict.name
    if let model { head += ", " + model.printable }
    if !compatible.isEmpty {
      head += " (" + compatible.map(\.printable).joined(separator: ", ") + ")"
    }
    head += ", pages of " + granule.bytes.binarySize
    var lines = [head]
    if !rows.isEmpty {
      let titles = ["KIND", "BASE", "SIZE", "PROTECTED", "PAGES", "TRANSLATER", "NODE"]
      lines += Self.align([titles] + rows).map { "  " + $0 }
    }
    if source == .acpi, status < .notTheData {
      lines.append("  Memory is not told by ACPI tables: nothing was checked against it.")
    }
    if !dma.isEmpty {
      lines.append("  " + dmaSummary)
      let titles = ["DMA MASTER", "IOMMU", "STREAMS", "MSI", "CONFINED"]
      lines += Self.align([titles] + dmaRows).map { "  " + $0 }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// How many masters there are, and how many of them are confined with all that they have.
  var dmaSummary: String {
    let masters = Set(dma.lazy.filter { $0.evidence != .debug }.map(\.node))
    let open = Set(dma.lazy.filter { !$0.isConfined && $0.evidence != .debug }.map(\.node))
    let debug = Set(dma.lazy.filter { $0.evidence == .debug }.map(\.node))
    return "DMA masters that the \(source.text) of: \(masters.count), confined: "
      + "\(masters.count - open.count)"
      + (debug.isEmpty ? "" : "; debug registers of CPUs: \(debug.count)")
  }

  /// The cells of the table of DMA masters.
  private var dmaRows: [[String]] {
    dma.map { master in
      let streams = master.streams.map(\.text).joined(separator: ", ")
      let msi = master.msi.map(\.printable).joined(separator: ", ")
      return [
        master.node.printable, master.iommu?.printable ?? "-", streams.isEmpty ? "-" : streams,
        msi.isEmpty ? "-" : msi,
        master.evidence == .debug
          ? "no: can halt a CPU in EL2" : master.confinement.text(of: source),
      ]
    }
  }

  /// The cells of the table, a row for each range.
  private var rows: [[String]] {
    func row(_ kind: String, _ node: String?, _ range: AddressRange) -> [String] {
      [
        kind, range.base.rawValue.hexadecimal, range.size.binarySize, "-", "-", "-",
        node?.printable ?? "-",
      ]
    }
    var rows: [[String]] = []
    for region in regions {
      var cells = row(region.kind, region.node, region.range)
      cells[3] = region.protected.base.rawValue.hexadecimal
      cells[4] = String(region.protected.size / granule.bytes)
      if let translater = region.translater { cells[5] = translater.rawValue.hexadecimal }
      rows.append(cells)
    }
    rows += unused.map { registers in
      var cells = row(registers.kind, registers.node, registers.range)
      cells[3] = registers.range.base.rawValue.hexadecimal
      cells[4] = String(registers.range.size / granule.bytes)
      cells[6] += " (present, disabled: will be taken and kept out of reach)"
      return cells
    }
    rows += redistributors.map { row("redistributors", $0.node, $0.range) }
    rows += iommus.map { row($0.kind, $0.node, $0.range) }
    rows += memory.map { row("memory", nil, $0) }
    return rows
  }

  /// Pads every cell but the last of a row to the width of its column.
  private static func align(_ rows: [[String]]) -> [String] {
    guard let columns = rows.first?.count else { return [] }
    let widths = (0..<columns).map { column in
      rows.lazy.map { $0[column].utf8.count }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (cell, width) in zip(row, widths).dropLast() {
        line += cell + String(repeating: " ", count: width - cell.utf8.count + 2)
      }
      return line + (row.last ?? "")
    }
  }
}

extension Report.Streams {
  /// The streams, or the requesters where there are none.
  fileprivate var text: String {
    guard let first = base ?? requester else { return "-" }
    var text = base == nil ? "requester " : ""
    text += UInt64(first).hexadecimal
    if count > 1 { text += "-" + (UInt64(first) + extent).hexadecimal }
    if let mask { text += " of mask " + UInt64(mask).hexadecimal }
    if ignored != 0 { text += " without " + UInt64(ignored).hexadecimal }
    return text
  }
}
