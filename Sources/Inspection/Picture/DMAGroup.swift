// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards

/// DMA masters that have the same between them and memory, and whose interrupts go to the same ITSes.
struct DMAGroup {
  /// What tells one group from another.
  struct Key: Hashable {
    /// What keeps their accesses in bounds.
    var confinement: DMAPath.Confinement
    /// What sort of IOMMU they are behind; nil where there is none, or it makes no difference.
    var kind: DMATranslator.Kind?
    /// Whether they are debug registers of CPUs.
    var isDebug: Bool
    /// The IOMMU; nil where there is none, or it makes no difference.
    var iommu: String?
    /// The ITSes; nil where it makes no difference.
    var msi: [String]?
  }

  /// What they have in common.
  var key: Key
  /// The paths of the masters, in the order of the tree.
  var nodes: [String] = []
  /// The paths of the IOMMUs.
  var iommus: [String] = []
  /// The paths of the ITSes that any of them reaches.
  var msi: [String] = []

  /// Takes in one more master, or another path of one that is in.
  mutating func append(_ master: Report.DMA) {
    if nodes.last != master.node { nodes.append(master.node) }
    if let iommu = master.iommu, !iommus.contains(iommu) { iommus.append(iommu) }
    for its in master.msi where !msi.contains(its) { msi.append(its) }
  }

  /// Where it stands among others: what is confined comes first, debug registers last.
  fileprivate var order: Int {
    if key.isDebug { return 6 }
    return switch key.confinement {
    case .confined: 0
    case .noIOMMU: 1
    case .notMapped: 2
    case .notDriven: 3
    case .disabled: 4
    case .unreadable: 5
    }
  }
}

extension Report {
  /// The DMA masters in at most `limit` groups: by IOMMU and ITSes, else by one of both, or neither.
  ///
  /// At last there is one group for each reason alone, and one for debug registers, which are 7.
  func dmaGroups(limit: Int) -> [DMAGroup] {
    let keys: [(DMAGroup.Key) -> DMAGroup.Key] = [
      { $0 },
      { key in key.with { $0.msi = nil } },
      { key in key.with { $0.iommu = nil } },
      { key in key.with { ($0.iommu, $0.msi) = (nil, nil) } },
    ]
    for key in keys {
      let groups = dmaGroups(by: key)
      if groups.count <= limit { return groups }
    }
    return dmaGroups { key in
      key.with { ($0.kind, $0.iommu, $0.msi) = (nil, nil, nil) }
    }
  }

  private func dmaGroups(by simplify: (DMAGroup.Key) -> DMAGroup.Key) -> [DMAGroup] {
    var groups: [DMAGroup] = []
    var places: [DMAGroup.Key: Int] = [:]
    for master in dma {
      let isDebug = master.evidence == .debug
      let key = simplify(
        DMAGroup.Key(
          // Who halts a CPU does so whatever its own accesses pass.
          confinement: isDebug ? .noIOMMU : master.confinement, kind: isDebug ? nil : master.kind,
          isDebug: isDebug, iommu: isDebug ? nil : master.iommu, msi: master.msi))
      let place = places[key] ?? groups.count
      if place == groups.count {
        places[key] = place
        groups.append(DMAGroup(key: key))
      }
      groups[place].append(master)
    }
    // Swift's sort is stable, but does not say so.
    return groups.enumerated()
      .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
      .map(\.element)
  }
}

extension DMAGroup.Key {
  /// The key with a change.
  fileprivate func with(_ change: (inout Self) -> Void) -> Self {
    var key = self
    change(&key)
    return key
  }
}
