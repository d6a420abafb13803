// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Synchronization

/// What a board is, as plain values: what a device tree or the tables of ACPI say of it.
///
/// Addresses are physical: every `reg` has been translated through all `ranges` above it. Disabled
/// nodes, and nodes below a disabled one, are left out, but for what can be told to read and write memory: ITSes,
/// Redistributors, SMMUv3s and their monitors. `status` says what the host is to use, not what is there. Lists have
/// fixed capacities; what does not fit is reported as a diagnostic, never dropped in silence.
public struct Board: ~Copyable, Sendable {
  /// A list with a place for each ITS of a board: this is the most that one has.
  public typealias ITSList<Element> = FixedList<32, Element>
  /// A list with a place for each CPU of a board: this is the most that one has.
  public typealias CPUList<Element> = FixedList<512, Element>

  /// The ITSes.
  public typealias ITSes = ITSList<ITSDescription>
  /// Redistributor regions; at most 64.
  public typealias RedistributorRegions = FixedList<64, RedistributorRegion>
  /// IOMMUs; at most 64.
  public typealias IOMMUs = FixedList<64, IOMMUDescription>
  /// Registers of SMMUv3s' performance monitors; at most 128.
  public typealias Monitors = FixedList<128, MonitorRegisters>
  /// Registers beside those of SMMUv3s; at most 16.
  public typealias CompanionRanges = FixedList<16, CompanionRegisters>
  /// Registers that nobody uses; at most 64.
  public typealias UnusedRanges = FixedList<64, UnusedRegisters>
  /// Ranges of RAM; at most 64.
  public typealias MemoryRanges = FixedList<64, AddressRange>
  /// Reserved memory; at most 128.
  public typealias ReservedRanges = FixedList<128, ReservedMemory>
  /// CPUs by the affinity fields of their MPIDR_EL1.
  public typealias CPUs = CPUList<UInt64>
  /// Boot modules; at most 8.
  public typealias BootModules = FixedList<8, BootModule>

  /// The size of the control frame of an ITS (GICv3 IHI 0069, 12.18).
  public static let controlFrameSize: UInt64 = 0x10000
  /// The size of the translation frame of an ITS, which follows the control frame.
  public static let translationFrameSize: UInt64 = 0x10000
  /// No region of Redistributors.
  public static var noRedistributors: RedistributorRegions { RedistributorRegions(filler: .filler) }
  /// The bytes of a Redistributor without virtual LPIs: its RD and its SGI frame.
  public static let leastRedistributorSize: UInt64 = 0x2_0000
  /// The most bytes of an SMMUv3's registers.
  public static let iommuLimit: UInt64 = 0x100_0000
  /// The most bytes of one range of a performance monitor's registers: two pages of 64 KiB.
  public static let monitorLimit: UInt64 = 0x2_0000
  /// The most bytes of a region of Redistributors.
  public static let redistributorRegionLimit: UInt64 = 1 << 32
  /// The first address beyond what a physical address can be: 52 bits.
  public static let physicalAddressLimit: UInt64 = 1 << 52

  /// The page size that regions were checked against.
  public let granule: Granule
  /// Whether the board's ITSes can be protected.
  public package(set) var verdict = Verdict.nothingToProtect

  /// The root's `model`, a terminated string.
  public package(set) var model: BlobBytes?
  /// The root's `compatible`, a list of terminated strings.
  public package(set) var compatible: BlobBytes?
  /// The command line: `/chosen/bootargs`, a terminated string.
  public package(set) var bootArguments: BlobBytes?
  /// The initial RAM disk that `/chosen` names by `linux,initrd-start` and `linux,initrd-end`.
  public package(set) var initialRAMDisk: AddressRange?
  /// What the command line asks of the hypervisor.
  public package(set) var options = BootOptions()

  /// The ITSes that can be protected, in the order of the description.
  public package(set) var itses = ITSes(filler: .filler)
  /// The Distributor's frame.
  public package(set) var distributor: AddressRange?
  /// The regions of Redistributors, in the order of the description.
  public package(set) var redistributors = RedistributorRegions(filler: .filler)
  /// The SMMUv3s, in the order of the description.
  public package(set) var iommus = IOMMUs(filler: .filler)
  /// The registers of the SMMUv3s' performance monitors (`arm,smmu-v3-pmcg`), used or not, which signal by writing
  /// where they are told to, untranslated.
  public package(set) var monitors = Monitors(filler: .filler)
  /// The registers of hardware beside SMMUv3s that has command queues of its own for them.
  public package(set) var companions = CompanionRanges(filler: .filler)
  /// The control frames of ITSes, and the registers of SMMUv3s, that are disabled; they overlap nothing else.
  public package(set) var unused = UnusedRanges(filler: .filler)
  /// What is known of the whole GIC that its nodes may not say.
  public package(set) var gicTraits = ITSTraits.none
  /// RAM, in the order of the description.
  public package(set) var memory = MemoryRanges(filler: .filler)
  /// Memory that is not free for use, of `/reserved-memory` and of the memory reservation block.
  public package(set) var reserved = ReservedRanges(filler: .filler)
  /// The firmware's PSCI.
  public package(set) var psci: PSCIDescription?
  /// The console that `/chosen/stdout-path` names.
  public package(set) var console: ConsoleDescription?
  /// The CPUs: MPIDR_EL1's affinity fields, in the order of the description.
  public package(set) var cpus = CPUs(filler: 0)
  /// What a boot loader has put in memory, in the order of the description.
  public package(set) var modules = BootModules(filler: .filler)

  // As of a topology: with an identity it is lent by its address, and not copied to the stack at each use.
  private let identity = Atomic(false)

  package init(granule: Granule) { self.granule = granule }

  /// The first module that is a kernel.
  public var kernel: BootModule? { module(.kernel) }
  /// The first module that is a RAM disk.
  public var ramdisk: BootModule? { module(.ramdisk) }

  private func module(_ kind: BootModule.Kind) -> BootModule? {
    for index in modules.indices where modules[index].kind == kind { return modules[index] }
    return nil
  }
}

extension Board {
  /// What is known of a board otherwise than by what describes it: firmware that is still there tells.
  public struct Given: Sendable {
    /// RAM, whoever has it.
    public var memory = MemoryRanges(filler: .filler)
    /// Memory that is not free for use.
    public var reserved = ReservedRanges(filler: .filler)
    /// What the hypervisor is asked to do.
    public var options = BootOptions()

    /// Nothing is known.
    public init() {}
  }
}

/// Whether what has to be protected on a board can be.
public enum Verdict: Sendable {
  /// Every ITS can be covered, used or not.
  case protectable
  /// The board has no ITS.
  case nothingToProtect
  /// Something would stay open; an error has been reported.
  case refused
}

/// An Interrupt Translation Service, a node compatible with `arm,gic-v3-its`.
public struct ITSDescription: Hashable, Sendable {
  /// The node.
  public let node: BoardNode
  /// The whole of the first `reg` entry.
  public let region: AddressRange
  /// The registers that commands and tables are set up with, 64 KiB: what is protected.
  public let controlFrame: AddressRange
  /// The 64 KiB of GITS_TRANSLATER, which devices must reach; nil where `reg` ends before it.
  public let translationFrame: AddressRange?
  /// What has to be observed in driving it.
  public let traits: ITSTraits
  /// The address window of a Socionext pre-ITS, which devices write their interrupts to: a device
  /// with DeviceID d rings at base + d * 4.
  public let preITS: AddressRange?
}

/// What an ITS, or the whole GIC, needs to be driven rightly beyond the architecture.
public struct ITSTraits: Hashable, Sendable {
  // No OptionSet: its array literals need a heap.

  /// One bit a trait.
  public private(set) var rawValue: UInt8
  /// Makes a set of its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Nothing beyond the architecture.
  public static let none = ITSTraits(rawValue: 0)
  /// It does not snoop caches: its memory must be cleaned, and shareability left at non-shareable.
  public static let nonCoherent = ITSTraits(rawValue: 1 << 0)
  /// It reaches only 32-bit addresses: its memory must lie below 4 GiB.
  public static let addresses32Bit = ITSTraits(rawValue: 1 << 1)

  /// One more than the largest address that it reaches.
  public var addressLimit: UInt64 { contains(.addresses32Bit) ? 1 << 32 : 1 << 52 }

  /// Whether all traits of `other` are in the set.
  public func contains(_ other: ITSTraits) -> Bool { rawValue & other.rawValue == other.rawValue }
  /// Adds the traits of `other`.
  public mutating func insert(_ other: ITSTraits) { rawValue |= other.rawValue }
}

/// A region of Redistributors of a node compatible with `arm,gic-v3`.
public struct RedistributorRegion: Hashable, Sendable {
  /// The GIC's node.
  public let node: BoardNode
  /// The region.
  public let range: AddressRange
  /// Bytes from one Redistributor to the next; nil: as GICR_TYPER tells (two or four 64 KiB frames).
  public let stride: UInt64?
  /// Whether the host uses the GIC; one that it does not use is taken from it whole.
  public package(set) var isUsed = true
}

/// An IOMMU.
public struct IOMMUDescription: Hashable, Sendable {
  /// The kinds of IOMMU that are known.
  public enum Kind: Sendable {
    /// Arm SMMU version 3, `arm,smmu-v3`.
    case smmuV3
  }
  /// What it is.
  public let kind: Kind
  /// The node.
  public let node: BoardNode
  /// Its registers: the first `reg` entry.
  public let range: AddressRange
  /// Whether its table walks and queue accesses snoop caches (`dma-coherent`).
  public let isCoherent: Bool
}

/// Registers of a performance monitor of an SMMUv3, a node compatible with `arm,smmu-v3-pmcg`.
public struct MonitorRegisters: Hashable, Sendable {
  /// The node.
  public let node: BoardNode
  /// An entry of `reg`.
  public let range: AddressRange
}

/// Registers of hardware that has command queues of its own for an SMMUv3: NVIDIA's CMDQV.
public struct CompanionRegisters: Hashable, Sendable {
  /// The node.
  public let node: BoardNode
  /// Its registers: the first `reg` entry.
  public let range: AddressRange
}

/// Registers that are there and that the host does not use, for their node is disabled.
public struct UnusedRegisters: Hashable, Sendable {
  /// What they are of.
  public enum Kind: Sendable {
    /// An ITS.
    case its
    /// An SMMUv3.
    case smmuV3
    /// What has command queues for an SMMUv3.
    case companion
  }
  /// What they are of.
  public let kind: Kind
  /// The node.
  public let node: BoardNode
  /// What is taken from the host: an ITS's control frame, all registers of an SMMUv3.
  public let range: AddressRange
}

/// Memory that is not free for use.
public struct ReservedMemory: Hashable, Sendable {
  /// The child of `/reserved-memory`; nil: an entry of the memory reservation block.
  public let node: BoardNode?
  /// The memory.
  public let range: AddressRange
  /// Whether it must not even be mapped (`no-map`).
  public let isUnmapped: Bool

  /// Describes a range.
  public init(node: BoardNode?, range: AddressRange, isUnmapped: Bool) {
    self.node = node
    self.range = range
    self.isUnmapped = isUnmapped
  }
}

/// The firmware's Power State Coordination Interface (Arm DEN 0022).
public struct PSCIDescription: Hashable, Sendable {
  /// How a call is made.
  public enum Conduit: Sendable {
    /// By SMC, to EL3.
    case smc
    /// By HVC, to EL2.
    case hvc
  }
  /// Which binding describes it.
  public enum Binding: Sendable {
    /// `arm,psci`: the tree gives the function numbers.
    case version0x1
    /// `arm,psci-0.2`.
    case version0x2
    /// `arm,psci-1.0`.
    case version1x0
  }
  /// The node.
  public let node: BoardNode
  /// The conduit.
  public let conduit: Conduit
  /// The newest binding that `compatible` names.
  public let binding: Binding

  package init(node: BoardNode, conduit: Conduit, binding: Binding) {
    self.node = node
    self.conduit = conduit
    self.binding = binding
  }
}

/// A console.
public struct ConsoleDescription: Hashable, Sendable {
  /// The kinds of console that are known.
  public enum Kind: Sendable {
    /// Arm PL011, or the SBSA's subset of it.
    case pl011
    /// One with the registers of an 8250 or 16550.
    case uart8250
    /// Something else.
    case other
  }
  /// What it is.
  public let kind: Kind
  /// The node.
  public let node: BoardNode
  /// Its registers: the first `reg` entry.
  public let range: AddressRange
  /// The distance of two registers in bytes, as a power of two.
  public let registerShift: UInt8
  /// The width of an access to a register.
  public let registerWidth: AccessWidth

  package init(
    kind: Kind, node: BoardNode, range: AddressRange, registerShift: UInt8,
    registerWidth: AccessWidth
  ) {
    self.kind = kind
    self.node = node
    self.range = range
    self.registerShift = registerShift
    self.registerWidth = registerWidth
  }
}

/// Something that a boot loader has put in memory (the `multiboot,module` binding).
public struct BootModule: Hashable, Sendable {
  /// What a module is for.
  public enum Kind: Sendable {
    /// What is started.
    case kernel
    /// Its initial RAM disk.
    case ramdisk
    /// Something else.
    case other
  }
  /// What it is for.
  public package(set) var kind: Kind
  /// The node.
  public let node: BoardNode
  /// Where it is.
  public let range: AddressRange
  /// The module's own command line, a terminated string.
  public let bootArguments: BlobBytes?
}
