// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension DMAPath.Confinement {
  /// Where accesses on such a path pass, in words for a log.
  public var reason: StaticString {
    switch self {
    case .confined: "behind an SMMUv3"
    case .noIOMMU: "behind no IOMMU"
    case .notMapped: "left out of iommu-map"
    case .notDriven: "behind an IOMMU that is not driven"
    case .disabled: "behind an IOMMU that is disabled"
    case .unreadable: "behind an IOMMU that the tree does not tell"
    }
  }
}
