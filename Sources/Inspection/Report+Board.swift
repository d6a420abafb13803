// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

extension Report {
  /// Takes over what a board is; `path` tells where a node is.
  mutating func take(_ board: borrowing Board, _ path: (BoardNode) -> String) {
    for index in board.itses.indices {
      let its = board.itses[index]
      regions.append(
        Region(
          kind: "its", node: path(its.node), range: its.region,
          protected: its.controlFrame,
          translater: its.translationFrame?.base.advanced(by: ITSDescription.translaterOffset)))
    }
    for index in board.redistributors.indices {
      let region = board.redistributors[index]
      guard region.isUsed else {
        let node = path(region.node)
        unused.append(Unused(kind: "redistributors", node: node, range: region.range))
        continue
      }
      redistributors.append(
        Redistributors(
          node: path(region.node), range: region.range, stride: region.stride))
    }
    for index in board.iommus.indices {
      let iommu = board.iommus[index]
      iommus.append(
        IOMMU(kind: iommu.kind.name, node: path(iommu.node), range: iommu.range)
      )
    }
    for index in board.unused.indices {
      let registers = board.unused[index]
      unused.append(
        Unused(
          kind: registers.kind.name, node: path(registers.node),
          range: registers.range))
    }
    for index in board.memory.indices { memory.append(board.memory[index]) }
    takePlaces(of: board, path)
    verdict = board.verdict
    status = verdict == .refused ? .refused : .fine
  }
}

extension Report.Diagnostic {
  /// What was said of a node, as it is put into words.
  init(_ found: Boards.Diagnostic, node: String, message: String) {
    self.init(
      severity: found.severity, node: node, property: found.property.map { "\($0.text)" },
      message: message)
  }
}

/// Keeps what is reported.
struct FoundDiagnostics: DiagnosticSink {
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
