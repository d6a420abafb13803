// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Something that whoever gave the description of a board has to be told.
public struct Diagnostic: Hashable, Sendable {
  /// How bad it is.
  public enum Severity: UInt8, Sendable {
    /// The board is refused.
    case error
    /// Something was left out.
    case warning
    /// Nothing is wrong.
    case note
  }

  /// What is wrong, with the values that say why.
  public enum Reason: Hashable, Sendable {
    /// The property is not there.
    case missing
    /// The property has a length that it cannot have.
    case badLength(Int)
    /// The property has a value that is not known.
    case badValue
    /// An address or a size has this many 32-bit cells; 1 or 2 can be read.
    case unsupportedCells(UInt32)
    /// The address has size 0, or no size at all.
    case noSize
    /// This bus has no `ranges`: the CPU cannot reach what lies below it.
    case noRanges(bus: BoardNode)
    /// No entry of this bus's `ranges` covers the whole of base and size.
    case outsideRanges(bus: BoardNode, base: UInt64, size: UInt64)
    /// Base plus size passes the end of an address space.
    case overflow(base: UInt64, size: UInt64)
    /// The range passes the 52 bits of a physical address.
    case beyondPhysicalAddresses(AddressRange)
    /// The base is not a multiple of the page size.
    case misalignedBase(PhysicalAddress, Granule)
    /// The size is not a multiple of the page size.
    case misalignedSize(UInt64, Granule)
    /// The region is smaller than the 64 KiB of a control frame.
    case tooSmall(UInt64)
    /// The region ends before the translation frame.
    case noTranslationFrame
    /// The region overlaps the one of another node.
    case overlapsRegion(AddressRange, other: BoardNode)
    /// The region overlaps RAM.
    case overlapsMemory(AddressRange)
    /// There are more than this many.
    case tooMany(Int)
    /// There are so many, and this is the first beyond the limit.
    case exceeds(count: Int, limit: Int)
    /// Registers have this size, which no hardware of their kind has; at most so much.
    case tooLarge(UInt64, limit: UInt64)
    /// The node is disabled; its registers are taken from the host all the same.
    case disabled
    /// The node is an interrupt controller or ITS of which nothing is known.
    case notSupported
    /// The SMMU may have command queues beside it that nothing tells of.
    case untoldQueues
    /// Something other than PSCI starts the CPU.
    case notPSCI
    /// PSCI, which starts the CPU, is not in the description.
    case noPSCI
    /// The regions have room for so many Redistributors, and there are more CPUs.
    case roomForFewer(UInt64, cpus: Int)
    /// A Redistributor lies in none of the regions that are told.
    case outsideRegions(PhysicalAddress)
    /// The GIC does not reach this memory.
    case outOfReach(AddressRange)
    /// The named node is not there.
    case noSuchNode
    /// Nodes are nested deeper than this many levels.
    case tooDeep(Int)
    /// No node is a GICv3.
    case noGICv3
    /// There is a second one, where there may be one.
    case repeated
    /// These boot arguments are for the hypervisor, and are not known.
    case unknownOption(BlobBytes)
    /// A boot module, or what a kernel takes when it runs, overlaps something else.
    case moduleOverlaps(AddressRange, Occupant)
    /// A boot module, or what a kernel takes when it runs, is not all memory.
    case notMemory(AddressRange)
    /// A kernel must lie this many bytes above a multiple of 2 MiB, and does not; nil: at a multiple of 4.
    case misplacedKernel(AddressRange, textOffset: UInt64?)
  }

  /// What a boot module may not overlap.
  public enum Occupant: Hashable, Sendable {
    /// Another boot module.
    case module(BoardNode, AddressRange)
    /// The board's device tree, where the loader has put it.
    case tree(AddressRange)
    /// The hypervisor's image.
    case hypervisor(AddressRange)
  }

  /// How bad it is.
  public let severity: Severity
  /// The node that it is about.
  public let node: BoardNode
  /// The property that it is about, if one.
  public let property: PropertyName?
  /// What is wrong.
  public let reason: Reason
}

/// Who is told of diagnostics.
public protocol DiagnosticSink: ~Copyable {
  /// Takes one diagnostic.
  mutating func report(_ diagnostic: Diagnostic)
}
