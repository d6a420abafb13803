// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
public import Boards

extension Report {
  /// A DMA master with one IOMMU that it is behind, or with none.
  ///
  /// One that is behind several, or behind one with some of its requesters alone, has several.
  public struct DMA: Equatable, Sendable {
    /// The path of the node.
    public var node: String
    /// What the node is taken for a master by.
    public var evidence: DMAMaster.Evidence
    /// The path of the IOMMU; nil where none is named.
    public var iommu: String?
    /// What the IOMMU is.
    public var kind: DMATranslator.Kind?
    /// The requesters and their streams at the IOMMU, in ranges.
    public var streams: [Streams]
    /// The paths of the ITSes that the node reaches.
    public var msi: [String]
    /// What keeps the accesses in bounds.
    public var confinement: DMAPath.Confinement
  }

  /// A range of requesters, and of their streams.
  public struct Streams: Equatable, Sendable {
    /// The first requester; nil for a node that has no requesters, but is one.
    public var requester: UInt32?
    /// The first stream; nil where there is none, or the tree doesn't tell.
    public var base: UInt32?
    /// How many there are.
    public var count: UInt64
    /// The bits that a requester has, where these are not all below the largest; requesters with others, and their
    /// streams, are left out.
    public var mask: UInt32?
    /// Bits of a stream that do not count.
    public var ignored: UInt32

    /// The distance from the first to the last.
    var extent: UInt64
  }

  /// Takes over who does DMA.
  mutating func take(_ topology: borrowing DMATopology, _ path: (BoardNode) -> String) {
    let iommus = topology.iommus.indices.map { path(topology.iommus[$0].node) }
    var next = 0
    var nextDoorbell = 0
    for index in topology.masters.indices {
      let master = topology.masters[index]
      let first = dma.count
      let node = path(master.node)
      var msi: [String] = []
      while nextDoorbell < topology.doorbells.count,
        topology.doorbells[nextDoorbell].master == index
      {
        let its = topology.msiControllers[topology.doorbells[nextDoorbell].its].node
        let name = path(its)
        if !msi.contains(name) { msi.append(name) }
        nextDoorbell += 1
      }
      while next < topology.paths.count, topology.paths[next].master == index {
        let way = topology.paths[next]
        next += 1
        let iommu = way.iommu.map { iommus[$0] }
        let streams = Streams(way)
        if let same = dma[first...].firstIndex(where: {
          $0.iommu == iommu && $0.confinement == way.confinement
        }) {
          if let streams { dma[same].streams.append(streams) }
          continue
        }
        dma.append(
          DMA(
            node: node, evidence: master.evidence, iommu: iommu,
            kind: way.iommu.map { topology.iommus[$0].kind }, streams: streams.map { [$0] } ?? [],
            msi: msi, confinement: way.confinement))
      }
    }
  }
}

extension Report.Streams {
  /// What there is to tell of a path; nil: nothing.
  fileprivate init?(_ path: DMAPath) {
    guard let range = path.streams ?? path.requesters else { return nil }
    let count = path.requesters?.count(under: path.mask) ?? range.count
    self.init(
      requester: path.requesters?.first, base: path.streams?.first, count: count,
      mask: count == range.count ? nil : path.mask, ignored: path.ignoredBits,
      extent: range.count - 1)
  }
}

extension Report.DMA {
  /// Whether an SMMU that can be driven stands between the master and memory.
  public var isConfined: Bool { confinement == .confined }
}

/// Keeps what is reported.
struct FoundDMADiagnostics: DMADiagnosticSink {
  var list: [DMADiagnostic] = []
  mutating func report(_ diagnostic: DMADiagnostic) { list.append(diagnostic) }
}

extension Report.Diagnostic {
  /// What was said of a node's DMA.
  init(_ found: DMADiagnostic, node: String) {
    var message = ByteSink()
    found.writeMessage(into: &message)
    self.init(
      severity: .warning, node: node, property: found.property.map { "\($0.text)" },
      message: message.text)
  }
}
