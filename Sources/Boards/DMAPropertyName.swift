// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What a description of DMA is read from: properties of a device tree's nodes, and fields of ACPI's IORT.
///
/// They are apart from those of a board, which EL2 looks up in every node when it starts.
public enum DMAPropertyName: UInt8, Sendable {
  /// `ranges`: the node is a bus.
  case ranges
  /// `status`: whether the node is enabled.
  case status
  /// `iommus`: the IOMMUs that the node is behind, each with a specifier.
  case iommus
  /// `phandle`: by what others name the node.
  case phandle
  /// `msi-map`: ranges of requesters, their MSI controller and their DeviceIDs there.
  case msiMap
  /// `iommu-map`: ranges of requesters, their IOMMU and their streams there.
  case iommuMap
  /// `compatible`: what the node is, most specific first.
  case compatible
  /// `msi-parent`: the MSI controllers that the node writes to, each with a specifier.
  case msiParent
  /// `interrupts`: the wired interrupts.
  case interrupts
  /// `#msi-cells`: the cells of an MSI controller's specifier.
  case msiCells
  /// `#dma-cells`: the node is a DMA controller.
  case dmaCells
  /// `device_type`: `pci`.
  case deviceType
  /// `dma-coherent`: the device's accesses snoop caches.
  case dmaCoherent
  /// `#iommu-cells`: the cells of an IOMMU's specifier.
  case iommuCells
  /// `msi-map-mask`: the bits of a requester that `msi-map` looks at.
  case msiMapMask
  /// `linux,phandle`: a phandle, as older trees name it.
  case linuxPhandle
  /// `iommu-map-mask`: the bits of a requester that `iommu-map` looks at.
  case iommuMapMask
  /// `msi-controller`: the node takes MSIs.
  case msiController
  /// `dma-noncoherent`: the device's accesses do not snoop caches.
  case dmaNoncoherent
  /// `interrupt-names`: what the entries of `interrupts` are for.
  case interruptNames
  /// `hisilicon,broken-prefetch-cmd`: prefetch commands must not be sent.
  case brokenPrefetch
  /// `cavium,cn9900-broken-page1-regspace`: page 1 is an alias of page 0.
  case brokenPage1

  // Fields of tables, which no tree has.

  /// The revision of a table.
  case revision
  /// The length of a table or a node.
  case length
  /// The type of a node.
  case type
  /// The ID mappings of a node.
  case idMappings
  /// The identifiers of a group of ITSes.
  case itsIdentifiers
  /// Device ID mapping index, of an SMMUv3.
  case deviceIDMapping
  /// PCI Segment Number, of a root complex.
  case segment

  /// The names that a tree has.
  package static var inTrees: ClosedRange<UInt8> { ranges.rawValue...brokenPage1.rawValue }

  /// The name as a tree, or ACPI's specification, spells it.
  public var text: StaticString {
    switch self {
    case .ranges: "ranges"
    case .status: "status"
    case .iommus: "iommus"
    case .phandle: "phandle"
    case .msiMap: "msi-map"
    case .iommuMap: "iommu-map"
    case .compatible: "compatible"
    case .msiParent: "msi-parent"
    case .interrupts: "interrupts"
    case .msiCells: "#msi-cells"
    case .dmaCells: "#dma-cells"
    case .deviceType: "device_type"
    case .dmaCoherent: "dma-coherent"
    case .iommuCells: "#iommu-cells"
    case .msiMapMask: "msi-map-mask"
    case .linuxPhandle: "linux,phandle"
    case .iommuMapMask: "iommu-map-mask"
    case .msiController: "msi-controller"
    case .dmaNoncoherent: "dma-noncoherent"
    case .interruptNames: "interrupt-names"
    case .brokenPrefetch: "hisilicon,broken-prefetch-cmd"
    case .brokenPage1: "cavium,cn9900-broken-page1-regspace"
    case .revision: "Revision"
    case .length: "Length"
    case .type: "Type"
    case .idMappings: "ID mappings"
    case .itsIdentifiers: "GIC ITS Identifier"
    case .deviceIDMapping: "Device ID mapping index"
    case .segment: "PCI Segment Number"
    }
  }
}
