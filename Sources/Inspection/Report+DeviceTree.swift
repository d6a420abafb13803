// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
import Boards
import DeviceTree

extension Report {
  /// Makes the report on `bytes`, the contents of `file`, for pages of `granule`.
  public init(on bytes: [UInt8], file: String, granule: Granule) {
    self.init(file: file, granule: granule)
    do throws(BlobError) {
      read(try DeviceTreeBlob(checking: bytes.span))
    } catch {
      fail(with: .notTheData, "\(error.text)")
    }
  }

  /// Takes over what the board is and what was said about it.
  private mutating func read(_ blob: borrowing DeviceTreeBlob) {
    var found = FoundDiagnostics()
    let board = Board.read(blob, granule: granule, reporting: &found)
    let paths = NodePaths(blob)

    model = board.model.map { blob.text($0) }
    compatible = board.compatible.map { blob.texts($0) } ?? []
    for index in board.itses.indices {
      let its = board.itses[index]
      regions.append(
        Region(
          kind: "its", node: paths.path(of: its.node, in: blob), range: its.region,
          protected: its.controlFrame,
          translater: its.translationFrame?.base.advanced(by: ITSDescription.translaterOffset)))
    }
    for index in board.redistributors.indices {
      let region = board.redistributors[index]
      guard region.isUsed else {
        let node = paths.path(of: region.node, in: blob)
        unused.append(Unused(kind: "redistributors", node: node, range: region.range))
        continue
      }
      redistributors.append(
        Redistributors(
          node: paths.path(of: region.node, in: blob), range: region.range, stride: region.stride))
    }
    for index in board.iommus.indices {
      let iommu = board.iommus[index]
      iommus.append(
        IOMMU(kind: iommu.kind.name, node: paths.path(of: iommu.node, in: blob), range: iommu.range)
      )
    }
    for index in board.unused.indices {
      let registers = board.unused[index]
      unused.append(
        Unused(
          kind: registers.kind.name, node: paths.path(of: registers.node, in: blob),
          range: registers.range))
    }
    for index in board.memory.indices { memory.append(board.memory[index]) }
    diagnostics = found.list.map { found in
      Diagnostic(
        severity: found.severity, node: paths.path(of: found.node, in: blob),
        property: found.property.map { "\($0.text)" }, message: blob.message(of: found))
    }
    let calls = board.firmwareCalls(in: blob, keepsPower: !board.iommus.isEmpty)
    for index in calls.indices {
      guard let refusal = calls[index].refusal else { continue }
      diagnostics.append(
        Diagnostic(
          severity: .warning, node: paths.path(of: calls[index].node, in: blob),
          property: "arm,smc-id",
          message: "the call is not relayed, and what it serves is missing: \(refusal.text)"))
    }
    readDMA(blob, of: board, paths)
    readPlaces(blob, of: board, paths)
    verdict = board.verdict
    status = verdict == .refused ? .refused : .fine
  }
}

/// Keeps what is reported.
private struct FoundDiagnostics: DiagnosticSink {
  var list: [Boards.Diagnostic] = []
  mutating func report(_ diagnostic: Boards.Diagnostic) { list.append(diagnostic) }
}

extension ITSDescription {
  /// The offset of GITS_TRANSLATER in the translation frame (GICv3 IHI 0069, 12.18).
  fileprivate static var translaterOffset: UInt64 { 0x40 }
}

extension UnusedRegisters.Kind {
  /// The name in JSON and in the table.
  fileprivate var name: String {
    switch self {
    case .its: "its"
    case .smmuV3: "smmu-v3"
    case .companion: "cmdqv"
    }
  }
}

extension IOMMUDescription.Kind {
  /// The name in JSON and in the table.
  fileprivate var name: String {
    switch self {
    case .smmuV3: "smmu-v3"
    }
  }
}
