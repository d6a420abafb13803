// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards
internal import SMMU
public import SMMUDriver

/// Why the SMMUs of a board can't be owned, as far as its tree tells; the number is the index in the tree.
public enum SMMUPlanError: Error, Hashable, Sendable {
  /// There are more than a driver takes.
  case tooMany
  /// There is more DMA than a topology holds.
  case incompleteTopology
  /// An enabled SMMU has no registers that can be read from the tree.
  case noRegisters(Int)
  /// Registers that are not two pages of 64 KiB at least, or share a page of the host's with others.
  case badFrame(PhysicalAddress)
  /// The SMMU does not look into caches.
  case notCoherent(PhysicalAddress)
  /// Performance monitors that take too many pages.
  case monitors
  /// Its second page of registers is not there.
  case onePage(PhysicalAddress)

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .tooMany: "there are too many"
    case .incompleteTopology: "there is more DMA than can be described"
    case .noRegisters: "one has no registers"
    case .badFrame: "the registers of one are not whole pages"
    case .notCoherent: "one does not look into caches"
    case .monitors: "performance monitors have too many pages"
    case .onePage: "one has no second page of registers"
    }
  }
}

/// The SMMUs of a board that are to be owned, and the streams that its tree knows behind each.
public struct SMMUPlan: Sendable {
  /// One SMMU.
  public struct Place: Sendable {
    /// Its registers.
    public let range: AddressRange
    /// The streams of devices in the tree: all of them reach the same, and any other nothing.
    public var streams: PermittedStreams

    /// Describes a place.
    public init(range: AddressRange, streams: PermittedStreams) {
      self.range = range
      self.streams = streams
    }
  }
  /// The SMMUs; as many as a driver takes.
  public typealias Places = FixedList<16, Place>
  /// As many ranges as a board has of them.
  public typealias CompanionPages = FixedList<16, PageRange>
  /// As many pages as a board has monitors.
  public typealias MonitorPages = FixedList<128, PageRange>

  /// The SMMUs, in the order of the tree.
  public private(set) var places: Places
  /// Registers of hardware with command queues of its own for the SMMUs, which are to be out of the host's reach.
  public private(set) var companions: CompanionPages
  /// Pages of registers of performance monitors that are to be out of the host's reach, beside those of the SMMUs.
  public private(set) var monitors: MonitorPages

  /// Whether no other IOMMU is enabled: none stands between the host's devices and memory but those that are owned.
  public private(set) var coversAll = true

  /// A plan without SMMUs.
  public init() {
    places = Places(filler: Place(range: .firstPage, streams: PermittedStreams()))
    companions = CompanionPages(filler: .firstPage)
    monitors = MonitorPages(filler: .firstPage)
  }

  /// Plans for every enabled SMMUv3 of `board`, of which `topology` was read, and for all monitors.
  ///
  /// - Throws: why one of them can't be owned; all are, or none.
  public init(
    _ board: borrowing Board, _ topology: borrowing DMATopology
  ) throws(SMMUPlanError) {
    self.init()
    guard topology.isComplete else { throw .incompleteTopology }
    for index in topology.iommus.indices {
      let iommu = topology.iommus[index]
      if iommu.isEnabled, iommu.kind != .smmuV3 { coversAll = false }
      guard iommu.kind == .smmuV3, iommu.isEnabled else { continue }
      guard iommu.hasRegisters, let found = Self.description(of: iommu.node, board) else {
        throw .noRegisters(index)
      }
      let range = found.range
      guard range.base.isAligned(to: PageFrameNumber.size), range.size % PageFrameNumber.size == 0,
        range.size >= 0x2_0000
      else { throw .badFrame(range.base) }
      // The tree has the last word: it knows what lies between the SMMU and memory.
      guard found.isCoherent else { throw .notCoherent(range.base) }
      guard !iommu.traits.contains(.onePage) else { throw .onePage(range.base) }
      let streams = Self.streams(behind: index, topology)
      guard places.append(Place(range: range, streams: streams)) else { throw .tooMany }
    }
    for index in board.companions.indices {
      let range = board.companions[index].range
      // As many as there are places.
      guard let pages = PageRange(covering: range), companions.append(pages) else {
        throw .badFrame(range.base)
      }
    }
    for index in board.monitors.indices {
      guard let pages = PageRange(covering: board.monitors[index].range) else { throw .monitors }
      try addMonitor(pages, board)
    }
  }

  /// Adds the pages that are not to be claimed already: monitors may share a page, and lie between the registers
  /// of an SMMU, used or not.
  private mutating func addMonitor(
    _ pages: PageRange, _ board: borrowing Board
  ) throws(SMMUPlanError) {
    for number in pages.first.rawValue...pages.last.rawValue {
      let frame = PageFrameNumber(number)
      var isTaken = isPlanned(frame)
      for index in board.unused.indices where board.unused[index].range.contains(frame.address) {
        isTaken = true
      }
      guard !isTaken else { continue }
      guard let page = PageRange(first: frame, count: 1), monitors.append(page) else {
        throw .monitors
      }
    }
  }

  private func isPlanned(_ frame: PageFrameNumber) -> Bool {
    for index in places.indices where places[index].range.contains(frame.address) { return true }
    for index in monitors.indices where monitors[index].contains(frame) { return true }
    return false
  }

  private static func description(
    of node: BoardNode, _ board: borrowing Board
  ) -> IOMMUDescription? {
    for index in board.iommus.indices where board.iommus[index].node == node {
      return board.iommus[index]
    }
    return nil
  }

  /// The streams of all paths through an IOMMU; where they lie in too many ranges, all between the first and
  /// the last: what a stream may reach does not depend on its number.
  private static func streams(
    behind iommu: Int, _ topology: borrowing DMATopology
  ) -> PermittedStreams {
    var streams = PermittedStreams()
    var first = UInt32.max
    var last: UInt32 = 0
    var fits = true
    for index in topology.paths.indices {
      let path = topology.paths[index]
      guard path.iommu == iommu, path.confinement == .confined, let range = path.streams else {
        continue
      }
      fits = streams.permit(StreamID(range.first)...StreamID(range.last)) && fits
      first = min(first, range.first)
      last = max(last, range.last)
    }
    guard !fits else { return streams }
    var all = PermittedStreams()
    _ = all.permit(StreamID(first)...StreamID(last))
    return all
  }
}

extension PageRange {
  /// What an unused place holds; never seen from outside.
  fileprivate static var firstPage: PageRange {
    guard let page = PageRange(first: PageFrameNumber(0), count: 1) else {
      preconditionFailure("a page is a range")
    }
    return page
  }
}

extension AddressRange {
  /// What an unused place holds; never seen from outside.
  fileprivate static var firstPage: AddressRange {
    guard let page = AddressRange(base: PhysicalAddress(0), size: PageFrameNumber.size) else {
      preconditionFailure("a page is a range")
    }
    return page
  }
}
