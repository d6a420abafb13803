// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension DMATopology {
  /// The lists of a topology, for what is reported once a list.
  package enum List: UInt8 { case iommus, msiControllers, masters, paths, doorbells }

  package mutating func report<Sink: DMADiagnosticSink & ~Copyable>(
    _ node: BoardNode, _ property: DMAPropertyName?, _ reason: DMADiagnostic.Reason,
    _ sink: inout Sink
  ) {
    sink.report(DMADiagnostic(node: node, property: property, reason: reason))
  }

  /// Reports that `list` can't hold `node`; once a list, for a hostile description could repeat it forever.
  package mutating func reportOverflow<Sink: DMADiagnosticSink & ~Copyable>(
    of list: List, _ node: BoardNode, _ property: DMAPropertyName?, _ sink: inout Sink
  ) {
    isComplete = false
    let bit = 1 << list.rawValue as UInt8
    guard overflowed & bit == 0 else { return }
    overflowed |= bit
    let reason: DMADiagnostic.Reason
    switch list {
    case .iommus: reason = .tooManyIOMMUs(IOMMUs.capacity)
    case .msiControllers: reason = .tooManyMSIControllers(MSIControllers.capacity)
    case .masters: reason = .tooManyMasters(Masters.capacity)
    case .paths: reason = .tooManyPaths(Paths.capacity)
    case .doorbells: reason = .tooManyDoorbells(Doorbells.capacity)
    }
    report(node, property, reason, &sink)
  }
}
