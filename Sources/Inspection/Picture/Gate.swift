// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards

/// What stands between a group of DMA masters and memory, as a picture tells it.
struct Gate {
  /// What it is.
  var title: String
  /// Which one, or why it does not confine.
  var detail: String
  /// What can be reached behind it.
  var reach: String
  /// How it is drawn.
  var tone: Tone

  /// What stands before `group` on the board of `report`.
  init(before group: DMAGroup, of report: Report) {
    if group.key.isDebug {
      title = "Nothing"
      detail = "debug registers of CPUs"
      reach = "can halt a CPU in EL2"
      tone = .open
      return
    }
    reach = "reaches all memory, EL2's too"
    tone = .open
    switch group.key.confinement {
    case .confined:
      title = Self.name(of: group)
      detail = Self.nodes(of: group)
      let isStarted = report.verdict != .refused
      reach = isStarted ? "reaches what the host may" : "would reach what the host may"
      tone = .taken
      if !report.ownsSMMUs {
        reach = "the host's: portcullis.smmu=off"
        tone = .open
      }
    case .noIOMMU:
      title = "Nothing"
      detail = "behind no IOMMU"
    case .notMapped:
      title = "Nothing"
      detail = "left out of " + (report.source == .acpi ? "the ID mappings" : "iommu-map")
    case .notDriven:
      title = Self.name(of: group) + ": not driven"
      detail = Self.nodes(of: group)
      reach = "may reach all memory, EL2's too"
    case .disabled:
      title = Self.name(of: group) + ": disabled"
      detail = Self.nodes(of: group)
    case .unreadable:
      title = "Unknown"
      detail =
        report.source == .acpi ? "the tables cannot be read here" : "the tree cannot be read here"
      reach = "may reach all memory, EL2's too"
    }
  }

  /// What sort of IOMMU it is, and how many there are.
  private static func name(of group: DMAGroup) -> String {
    let name =
      switch group.key.kind {
      case .smmuV3: "SMMUv3"
      case .smmuV2: "SMMUv2"
      case .other, nil: "IOMMU"
      }
    return group.iommus.count > 1 ? "\(group.iommus.count) \(name)s" : name
  }

  private static func nodes(of group: DMAGroup) -> String {
    group.iommus.map(Picture.leaf).joined(separator: ", ")
  }
}
