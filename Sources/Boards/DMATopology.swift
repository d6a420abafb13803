// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Synchronization

/// Who does DMA on a board, what it passes on its way to memory, and which ITSes it rings.
///
/// A device tree has no property that says "I am a bus master". The article DMA of `DeviceTree` has the rule by
/// which nodes are taken for one, and what can't be known. Disabled nodes, and nodes below a disabled one, are left
/// out. Lists have fixed capacities; what does not fit is reported and makes `isComplete` false.
public struct DMATopology: ~Copyable, Sendable {
  /// IOMMUs of any kind; at most 64.
  public typealias IOMMUs = FixedList<64, DMATranslator>
  /// MSI controllers of any kind; at most 64.
  public typealias MSIControllers = FixedList<64, MSIController>
  /// Masters; at most 256.
  public typealias Masters = FixedList<256, DMAMaster>
  /// Paths to memory; at most 1,024.
  public typealias Paths = FixedList<1024, DMAPath>
  /// Paths to the doorbell of an ITS; at most 512.
  public typealias Doorbells = FixedList<512, DoorbellPath>
  /// Paths of IOMMUs to the doorbell of an ITS; at most 64.
  public typealias IOMMUDoorbells = FixedList<64, IOMMUDoorbellPath>

  /// The IOMMUs that masters may name, disabled ones among them, in the order of the description.
  public package(set) var iommus = IOMMUs(filler: .filler)
  /// The MSI controllers that masters may name, disabled ones among them, in the order of the description.
  public package(set) var msiControllers = MSIControllers(filler: .filler)
  /// The masters, in the order of the description.
  public package(set) var masters = Masters(filler: .filler)
  /// Their paths to memory; each master has at least one, and its paths are together.
  public package(set) var paths = Paths(filler: .filler)
  /// Their paths to ITSes, in the same order.
  public package(set) var doorbells = Doorbells(filler: .filler)
  /// The IOMMUs' own paths to ITSes, in the order of the description.
  public package(set) var iommuDoorbells = IOMMUDoorbells(filler: .filler)
  /// Whether everything that was found fits.
  public package(set) var isComplete = true
  /// The lists whose overflow was reported, one bit a list.
  var overflowed: UInt8 = 0

  // It gives the topology an identity in memory, so that a borrow is its address. As a plain value the compiler copied
  // all of it to the stack at each use.
  private let identity = Atomic(false)

  package init() {}
}

/// An IOMMU as it is described: of a device tree a node that `iommus` or `iommu-map` may name.
public struct DMATranslator: Hashable, Sendable {
  /// The kinds of IOMMU that are told apart.
  public enum Kind: Sendable {
    /// Arm SMMU version 3, `arm,smmu-v3`.
    case smmuV3
    /// Arm SMMU version 1 or 2, which is not driven.
    case smmuV2
    /// Something else, which is not driven either.
    case other
  }
  /// What it is.
  public let kind: Kind
  /// The node.
  public let node: BoardNode
  /// By what others name it; nil where nothing can.
  public let phandle: UInt32?
  /// The cells of a specifier behind the phandle; nil where nothing says so.
  public let cells: Int?
  /// Whether the node, and each above it, is enabled.
  public let isEnabled: Bool
  /// Whether the registers were found: only of an enabled SMMUv3, from `Board.iommus`.
  public let hasRegisters: Bool
  /// Whether it can raise interrupts by writing to an MSI controller (`msi-parent`).
  public let sendsMSIs: Bool
  /// What has to be observed in driving it.
  public let traits: SMMUTraits
  /// Its wired interrupts.
  public let interrupts: SMMUInterrupts

  package init(
    kind: Kind, node: BoardNode, phandle: UInt32?, cells: Int?, isEnabled: Bool, hasRegisters: Bool,
    sendsMSIs: Bool, traits: SMMUTraits, interrupts: SMMUInterrupts
  ) {
    self.kind = kind
    self.node = node
    self.phandle = phandle
    self.cells = cells
    self.isEnabled = isEnabled
    self.hasRegisters = hasRegisters
    self.sendsMSIs = sendsMSIs
    self.traits = traits
    self.interrupts = interrupts
  }

  /// What keeps accesses in bounds that pass it.
  package var confinement: DMAPath.Confinement {
    guard isEnabled else { return .disabled }
    guard kind == .smmuV3 else { return .notDriven }
    return hasRegisters && cells == 1 ? .confined : .unreadable
  }
}

/// What an SMMUv3 needs to be driven rightly beyond the architecture.
public struct SMMUTraits: Hashable, Sendable {
  // No OptionSet: its array literals need a heap.

  /// One bit a trait.
  public private(set) var rawValue: UInt8
  /// Makes a set of its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Nothing beyond the architecture.
  public static let none = SMMUTraits(rawValue: 0)
  /// Prefetch commands must not be sent to it (`hisilicon,broken-prefetch-cmd`).
  public static let noPrefetch = SMMUTraits(rawValue: 1 << 0)
  /// Its page 1 is an alias of page 0 (`cavium,cn9900-broken-page1-regspace`).
  public static let onePage = SMMUTraits(rawValue: 1 << 1)

  /// Whether all traits of `other` are in the set.
  public func contains(_ other: SMMUTraits) -> Bool { rawValue & other.rawValue == other.rawValue }
  /// Adds the traits of `other`.
  public mutating func insert(_ other: SMMUTraits) { rawValue |= other.rawValue }
}

/// The wired interrupts of an SMMUv3 as INTIDs, where its specifiers have the three or four cells of
/// a GICv3's.
public struct SMMUInterrupts: Hashable, Sendable {
  /// The event queue (`eventq`).
  public package(set) var events: UInt32?
  /// A global error (`gerror`).
  public package(set) var globalError: UInt32?
  /// Page requests (`priq`).
  public package(set) var pageRequests: UInt32?
  /// A CMD_SYNC (`cmdq-sync`).
  public package(set) var commandSync: UInt32?
  /// All of them (`combined`).
  public package(set) var combined: UInt32?

  /// No interrupt.
  package init() {}
}

/// An MSI controller: a node that `msi-parent` or `msi-map` may name.
public struct MSIController: Hashable, Sendable {
  /// The node.
  public let node: BoardNode
  /// By what others name it; nil where nothing can.
  public let phandle: UInt32?
  /// The cells of a specifier behind the phandle.
  public let cells: Int
  /// Whether it is an ITS.
  public let isITS: Bool
  /// Whether the node, and each above it, is enabled.
  public let isEnabled: Bool

  package init(node: BoardNode, phandle: UInt32?, cells: Int, isITS: Bool, isEnabled: Bool) {
    self.node = node
    self.phandle = phandle
    self.cells = cells
    self.isITS = isITS
    self.isEnabled = isEnabled
  }
}

/// A node that reads or writes memory by itself, as far as its properties tell.
public struct DMAMaster: Hashable, Sendable {
  /// What the node is taken for a master by: the first of these that holds.
  public enum Evidence: Sendable {
    /// It has `iommus`.
    case iommus
    /// It is a PCI host bridge.
    case pciHost
    /// It has `iommu-map`: a bus other than PCI, whose devices have requester IDs.
    case iommuMap
    /// It has `msi-parent` or `msi-map`: an MSI is a write.
    case msi
    /// It has `#dma-cells`: a DMA controller.
    case dmaController
    /// It has `dma-coherent` or `dma-noncoherent`, and is no mere bus.
    case coherency
    /// It is compatible with a device that is known to be one.
    case compatible
    /// It is a named component of the IORT.
    case namedComponent
    /// It is no master: it has the debug registers of a CPU, by which that is halted in EL2 and reads and writes there.
    case debug
  }
  /// The node.
  public let node: BoardNode
  /// What it is taken for a master by.
  public let evidence: Evidence

  package init(node: BoardNode, evidence: Evidence) {
    self.node = node
    self.evidence = evidence
  }
}

/// One way of a master to memory: a range of its requesters and what they pass.
public struct DMAPath: Hashable, Sendable {
  // A board has up to 1,024 of them, and a stack has room for them once: nothing is wider than it must be.

  /// What keeps accesses on this path to what they may reach.
  public enum Confinement: Sendable {
    /// An SMMUv3 that can be driven.
    case confined
    /// Nothing: the node names no IOMMU.
    case noIOMMU
    /// Nothing: the node's `iommu-map` leaves these requesters out.
    case notMapped
    /// An IOMMU of a kind that is not driven.
    case notDriven
    /// A disabled IOMMU.
    case disabled
    /// What is said can't be read, or names no IOMMU.
    case unreadable
  }
  /// The index of the master.
  public var master: Int { Int(masterIndex) }
  private let masterIndex: UInt16
  /// The index of the IOMMU, where one is named.
  public var iommu: Int? { iommuIndex.map { Int($0) } }
  private let iommuIndex: UInt8?
  /// What keeps the accesses in bounds.
  public let confinement: Confinement
  /// The requester IDs of a bus, after its `iommu-map-mask`: those of the range that have no bit but those of
  /// ``mask``; nil: the node itself.
  public var requesters: IDRange? { requesterRange.range }
  private let requesterRange: PackedRange
  /// The streams that they have at the IOMMU, as far from the first stream as the requester from the first requester;
  /// nil where there is none, or it has none that is told.
  public var streams: IDRange? { streamRange.range }
  private let streamRange: PackedRange
  /// Bits of a stream that do not count (the second cell of an SMMUv2's specifier).
  public let ignoredBits: UInt32
  /// The bits that a requester ID has after `iommu-map-mask`.
  public package(set) var mask: UInt32

  package init(
    master: Int, iommu: Int?, confinement: Confinement, requesters: IDRange?, streams: IDRange?,
    ignoredBits: UInt32, mask: UInt32 = UInt32.max
  ) {
    masterIndex = UInt16(master)
    iommuIndex = iommu.map { UInt8($0) }
    self.confinement = confinement
    requesterRange = PackedRange(requesters)
    streamRange = PackedRange(streams)
    self.ignoredBits = ignoredBits
    self.mask = mask
  }
}

/// One way of a master to the doorbell of an enabled ITS.
public struct DoorbellPath: Hashable, Sendable {
  /// The index of the master.
  public var master: Int { Int(masterIndex) }
  private let masterIndex: UInt16
  /// The index of the ITS among the MSI controllers.
  public var its: Int { Int(itsIndex) }
  private let itsIndex: UInt8
  /// The requester IDs of a bus, after its `msi-map-mask`; nil: the node itself.
  ///
  /// Of a mask with holes the range has more of them than there are.
  public var requesters: IDRange? { requesterRange.range }
  private let requesterRange: PackedRange
  /// The DeviceIDs that they have, and with them others; nil where nothing tells: it may then be any.
  public var deviceIDs: IDRange? { deviceIDRange.range }
  private let deviceIDRange: PackedRange

  package init(master: Int, its: Int, requesters: IDRange?, deviceIDs: IDRange?) {
    masterIndex = UInt16(master)
    itsIndex = UInt8(its)
    requesterRange = PackedRange(requesters)
    deviceIDRange = PackedRange(deviceIDs)
  }
}

/// The way of an IOMMU's own interrupts to the doorbell of an enabled ITS.
public struct IOMMUDoorbellPath: Hashable, Sendable {
  /// The index of the IOMMU.
  public let iommu: Int
  /// The index of the ITS among the MSI controllers.
  public let its: Int
  /// Its DeviceID; nil where nothing tells: it may then be any.
  public let deviceID: UInt32?

  package init(iommu: Int, its: Int, deviceID: UInt32?) {
    self.iommu = iommu
    self.its = its
    self.deviceID = deviceID
  }
}

/// A range, or none, in as many bytes as a range: the last number of none is below its first.
private struct PackedRange: Hashable, Sendable {
  let first: UInt32
  let last: UInt32

  init(_ range: IDRange?) {
    first = range?.first ?? 1
    last = range?.last ?? 0
  }

  var range: IDRange? { IDRange(first, through: last) }
}

/// Some consecutive 32-bit numbers: requesters, streams or DeviceIDs.
public struct IDRange: Hashable, Sendable {
  /// The first.
  public let first: UInt32
  /// The last.
  public let last: UInt32

  /// Makes a range; nil where `last` is below `first`.
  public init?(_ first: UInt32, through last: UInt32) {
    guard first <= last else { return nil }
    self.first = first
    self.last = last
  }

  /// The range of `count` numbers; nil where there is none, or it would pass 32 bits.
  public init?(_ first: UInt32, count: UInt32) {
    guard count > 0, count - 1 <= UInt32.max - first else { return nil }
    self.init(first, through: first + (count - 1))
  }

  /// How many numbers it has.
  public var count: UInt64 { UInt64(last - first) + 1 }

  /// How many numbers it has that have no bit but those of `mask`, as its first and its last must.
  public func count(under mask: UInt32) -> UInt64 {
    // The bits of the mask, moved together, count up.
    var count: UInt64 = 1
    var place: UInt64 = 1
    for bit in 0..<32 as Range<UInt32> where mask >> bit & 1 == 1 {
      if last >> bit & 1 == 1 { count &+= place }
      if first >> bit & 1 == 1 { count &-= place }
      place <<= 1
    }
    return count
  }

  /// Whether a number is in both.
  public func overlaps(_ other: IDRange) -> Bool { first <= other.last && other.first <= last }
  /// Every requester of a PCI host bridge: bus, device and function in 16 bits.
  package static var pci: IDRange? { IDRange(0, through: 0xffff) }
}
