// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What a board is read from: properties of a device tree's nodes, and fields of ACPI's tables.
public enum PropertyName: UInt8, Sendable {
  // Names in the order of their length, which is how a name of a blob is looked up.

  /// `reg`: addresses and sizes in the cells of the parent.
  case reg
  /// `model`: what the board is called.
  case model
  /// `method`: the conduit of PSCI.
  case method
  /// `ranges`: the translation from the children's addresses to the parent's.
  case ranges
  /// `status`: whether the node is enabled.
  case status
  /// `no-map`: whether reserved memory must not be mapped.
  case noMap
  /// `bootargs`: the command line of what is started.
  case bootargs
  /// `reg-shift`: the distance of two registers, as a power of two.
  case registerShift
  /// `compatible`: what the node is, most specific first.
  case compatible
  /// `device_type`: `memory` or `cpu`.
  case deviceType
  /// `stdout-path`: the console.
  case stdoutPath
  /// `#size-cells`: the words of a size in the children's `reg`.
  case sizeCells
  /// `dma-coherent`: the device's accesses snoop caches.
  case dmaCoherent
  /// `reg-io-width`: the bytes of an access to a register.
  case registerWidth
  /// `enable-method`: by what a CPU is started.
  case enableMethod
  /// `#address-cells`: the words of an address in the children's `reg`.
  case addressCells
  /// `dma-noncoherent`: the device's accesses do not snoop caches.
  case dmaNoncoherent
  /// `linux,usable-memory`: memory that takes the place of `reg`.
  case usableMemory
  /// `redistributor-stride`: bytes from one Redistributor to the next.
  case redistributorStride
  /// `#redistributor-regions`: how many Redistributor regions there are.
  case redistributorRegions
  /// `socionext,synquacer-pre-its`: the window of the bridge before the ITS.
  case preITS
  /// `linux,stdout-path`: the console, as older trees name it.
  case linuxStdoutPath
  /// The memory reservation block, which is no property.
  case memoryReservation

  // Fields of tables, which no tree has.

  /// The length of a table, an entry or a node.
  case length
  /// The base address of registers or memory.
  case baseAddress
  /// GIC Version, of the Distributor's entry in the MADT.
  case gicVersion
  /// GICR Base Address, of a CPU's entry in the MADT.
  case redistributor
  /// The type of an entry in the MADT.
  case type
  /// MPIDR, of a CPU's entry in the MADT.
  case mpidr
  /// Parking Protocol Version, of a CPU's entry in the MADT.
  case parkingProtocol
  /// Interface Type, of the SPCR.
  case interfaceType
  /// The address space and the width of the SPCR's registers.
  case registerFormat
  /// Start and end of the buses of an entry in the MCFG.
  case buses

  /// The names that a tree has.
  package static var inTrees: ClosedRange<UInt8> { reg.rawValue...memoryReservation.rawValue }

  /// The name as a tree, or ACPI's specification, spells it.
  public var text: StaticString {
    switch self {
    case .reg: "reg"
    case .model: "model"
    case .method: "method"
    case .ranges: "ranges"
    case .status: "status"
    case .noMap: "no-map"
    case .bootargs: "bootargs"
    case .registerShift: "reg-shift"
    case .compatible: "compatible"
    case .deviceType: "device_type"
    case .stdoutPath: "stdout-path"
    case .sizeCells: "#size-cells"
    case .dmaCoherent: "dma-coherent"
    case .registerWidth: "reg-io-width"
    case .enableMethod: "enable-method"
    case .addressCells: "#address-cells"
    case .dmaNoncoherent: "dma-noncoherent"
    case .usableMemory: "linux,usable-memory"
    case .redistributorStride: "redistributor-stride"
    case .redistributorRegions: "#redistributor-regions"
    case .preITS: "socionext,synquacer-pre-its"
    case .linuxStdoutPath: "linux,stdout-path"
    case .memoryReservation: "/memreserve/"
    case .length: "Length"
    case .baseAddress: "Base Address"
    case .gicVersion: "GIC Version"
    case .redistributor: "GICR Base Address"
    case .type: "Type"
    case .mpidr: "MPIDR"
    case .parkingProtocol: "Parking Protocol Version"
    case .interfaceType: "Interface Type"
    case .registerFormat: "Base Address Format"
    case .buses: "Bus Number"
    }
  }
}
