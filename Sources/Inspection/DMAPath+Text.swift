// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards

// The names of what a report tells of DMA, in JSON and in the table.

extension DMAPath.Confinement {
  /// The name in JSON; nil: it is confined.
  var name: String? {
    switch self {
    case .confined: nil
    case .noIOMMU: "no-iommu"
    case .notMapped: "not-mapped"
    case .notDriven: "not-driven"
    case .disabled: "disabled"
    case .unreadable: "unreadable"
    }
  }

  /// What the table says.
  func text(of source: Report.Source) -> String {
    switch self {
    case .confined: "yes"
    case .noIOMMU: "no: behind no IOMMU"
    case .notMapped: "no: left out of " + (source == .acpi ? "the ID mappings" : "iommu-map")
    case .notDriven: "no: an IOMMU that is not driven"
    case .disabled: "no: the IOMMU is disabled"
    case .unreadable: "no: cannot be read"
    }
  }
}

extension Report.Source {
  /// What tells, with its verb.
  var text: String { self == .acpi ? "tables tell" : "tree tells" }
}

extension DMAMaster.Evidence {
  /// The name in JSON.
  var name: String {
    switch self {
    case .iommus: "iommus"
    case .pciHost: "pci"
    case .iommuMap: "iommu-map"
    case .msi: "msi"
    case .dmaController: "dma-controller"
    case .coherency: "coherency"
    case .compatible: "compatible"
    case .namedComponent: "named-component"
    case .debug: "debug"
    }
  }
}

extension DMATranslator.Kind {
  /// The name in JSON.
  var name: String {
    switch self {
    case .smmuV3: "smmu-v3"
    case .smmuV2: "smmu-v2"
    case .other: "other"
    }
  }
}
