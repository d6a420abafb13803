// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

/// The device tree that the host is given: the board's without what is not for it.
public struct HostTree {
  /// Memory that is cut out of every memory node; multiples of 4 KiB at both ends.
  public private(set) var withheld: FixedList<18, AddressRange>
  /// The host's initial RAM disk; nil leaves `/chosen` as it is.
  public var ramdisk: AddressRange?
  /// The host's command line, bytes of the source tree; nil leaves it as it is.
  public var bootArguments: BlobBytes?
  /// Nodes of the source tree that are disabled for the host.
  public var disabled = DisabledNodes(filler: .root)

  /// Nodes that are disabled; at most 64.
  public typealias DisabledNodes = FixedList<64, BoardNode>

  /// Describes a tree for the host.
  public init(
    withheld first: AddressRange? = nil, ramdisk: AddressRange? = nil,
    bootArguments: BlobBytes? = nil
  ) {
    withheld = FixedList(filler: .filler)
    if let first { _ = withheld.append(first) }
    self.ramdisk = ramdisk
    self.bootArguments = bootArguments
  }

  /// Withholds memory; false where there is no room for more.
  public mutating func withhold(_ range: AddressRange) -> Bool { withheld.append(range) }
}

/// Why a tree for the host could not be made.
public enum HostTreeError: Error, Hashable, Sendable {
  /// The buffer is too small.
  case noSpace
  /// What is withheld does not begin and end at a multiple of 4 KiB.
  case misaligned(AddressRange)
  /// A memory node's `reg` can't be read.
  case unreadableMemory(BoardNode)
  /// A memory node has more entries than this many.
  case tooManyEntries(BoardNode, limit: Int)
  /// There are more modules than this many.
  case tooManyModules(limit: Int)
  /// A node's `iommus` or `iommu-map` can't be read, so that not all of it could be hidden.
  case unreadableIOMMUs(BoardNode)
  /// There is more DMA than a topology holds.
  case incompleteTopology
  /// libfdt refused an edit with this code.
  case refused(Int32)
  /// The tree that came out does not pass the check.
  case broken(BlobError)
}
