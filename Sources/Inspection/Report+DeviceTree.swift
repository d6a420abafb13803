// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
import Boards
import DeviceTree

extension Report {
  /// Makes the report on `bytes`, the contents of `file`, for pages of `granule`.
  ///
  /// They are a device tree, or one ACPI table, or several one after another.
  public init(on bytes: [UInt8], file: String, granule: Granule) {
    if Self.isTable(bytes) {
      self.init(onTables: [(file, bytes)], file: file, granule: granule)
      return
    }
    self.init(file: file, granule: granule)
    do throws(BlobError) {
      read(try DeviceTreeBlob(checking: bytes.span))
    } catch {
      fail(with: .notTheData, "\(error.text)")
    }
  }

  /// Whether `bytes` begin as a device tree does.
  public static func isTree(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0xd0, 0x0d, 0xfe, 0xed])
  }

  /// Takes over what the board is and what was said about it.
  private mutating func read(_ blob: DeviceTreeBlob) {
    var found = FoundDiagnostics()
    let board = Board.read(blob, granule: granule, reporting: &found)
    let nodes = NodePaths(blob)
    func path(of node: BoardNode) -> String { nodes.path(of: node, in: blob) }

    model = board.model.map { blob.text($0) }
    compatible = board.compatible.map { blob.texts($0) } ?? []
    take(board, path)
    diagnostics = found.list.map { found in
      Diagnostic(found, node: path(of: found.node), message: blob.message(of: found))
    }
    let calls = board.firmwareCalls(in: blob, keepsPower: !board.iommus.isEmpty)
    for index in calls.indices {
      guard let refusal = calls[index].refusal else { continue }
      diagnostics.append(
        Diagnostic(
          severity: .warning, node: path(of: calls[index].node), property: "arm,smc-id",
          message: "the call is not relayed, and what it serves is missing: \(refusal.text)"))
    }
    var foundDMA = FoundDMADiagnostics()
    take(DMATopology(reading: blob, of: board, reporting: &foundDMA), path)
    diagnostics += foundDMA.list.map { Diagnostic($0, node: path(of: $0.node)) }
  }
}
