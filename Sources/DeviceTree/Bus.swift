// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

/// One level of the way from the root to a node: how its children's addresses read.
struct Bus {
  var node: BoardNode
  var addressCells: UInt32
  var sizeCells: UInt32
  /// Nil where the node has no `ranges`; a `reg` below it has then no CPU address.
  var ranges: BlobBytes?
  var isEnabled: Bool
  var role = Role.plain

  /// The nodes whose children are known by where they are.
  enum Role { case plain, chosen, cpus, reservedMemory }

  static var filler: Bus {
    Bus(node: .root, addressCells: 2, sizeCells: 1, ranges: nil, isEnabled: false)
  }

  /// The bytes of one entry of a child's `reg`; nil where the cells can't be read.
  var entrySize: Int? {
    guard 1...2 ~= addressCells, sizeCells <= 2 else { return nil }
    return 4 * Int(addressCells + sizeCells)
  }
}

/// The levels above the node that is being read.
struct BusPath {
  var levels = InlineArray<64, Bus>(repeating: .filler)

  /// The entry `index` of `reg` of a node at `depth` as a range of physical addresses.
  func range(
    of reg: BlobBytes, entry index: Int, depth: Int, in blob: DeviceTreeBlob
  ) throws(ReadError) -> AddressRange {
    guard depth > 0, depth <= levels.count else { throw .init(.reg, .tooDeep(levels.count)) }
    let bus = levels[depth - 1]
    guard 1...2 ~= bus.addressCells else { throw .init(.reg, .unsupportedCells(bus.addressCells)) }
    guard bus.sizeCells != 0 else { throw .init(.reg, .noSize) }
    guard bus.sizeCells <= 2, let entry = bus.entrySize else {
      throw .init(.reg, .unsupportedCells(bus.sizeCells))
    }
    guard reg.count % entry == 0 else { throw .init(.reg, .badLength(reg.count)) }
    guard index >= 0, index < reg.count / entry else { throw .init(.reg, .badLength(reg.count)) }
    let start = index * entry
    guard let base = blob.number(reg, at: start, cells: Int(bus.addressCells)),
      let size = blob.number(
        reg, at: start + 4 * Int(bus.addressCells), cells: Int(bus.sizeCells))
    else { throw .init(.reg, .badLength(reg.count)) }
    guard size > 0 else { throw .init(.reg, .noSize) }
    return try translate(base: base, size: size, depth: depth, in: blob)
  }

  /// Takes a region on the bus above a node at `depth` through every `ranges` up to the root.
  private func translate(
    base: UInt64, size: UInt64, depth: Int, in blob: DeviceTreeBlob
  ) throws(ReadError) -> AddressRange {
    var base = base
    var level = depth - 1
    while level > 0 {
      guard base <= UInt64.max - (size - 1) else {
        throw .init(.reg, .overflow(base: base, size: size))
      }
      base = try translate(base: base, size: size, level: level, in: blob)
      level -= 1
    }
    guard let range = AddressRange(base: PhysicalAddress(base), size: size) else {
      throw .init(.reg, .overflow(base: base, size: size))
    }
    guard range.last.rawValue < Board.physicalAddressLimit else {
      throw .init(.reg, .beyondPhysicalAddresses(range))
    }
    return range
  }

  /// One step: from the children's addresses of the bus at `level` to those of its parent.
  private func translate(
    base: UInt64, size: UInt64, level: Int, in blob: DeviceTreeBlob
  ) throws(ReadError) -> UInt64 {
    let bus = levels[level]
    let parent = levels[level - 1]
    guard let ranges = bus.ranges else { throw .init(.reg, .noRanges(bus: bus.node)) }
    guard 1...2 ~= parent.addressCells else {
      throw .init(.ranges, .unsupportedCells(parent.addressCells), node: bus.node)
    }
    let last = base + (size - 1)
    if ranges.count == 0 {
      guard parent.addressCells == 2 || last <= UInt64(UInt32.max) else {
        throw .init(.ranges, .overflow(base: base, size: size), node: bus.node)
      }
      return base
    }
    guard 1...2 ~= bus.addressCells, 1...2 ~= bus.sizeCells else {
      throw .init(.ranges, .unsupportedCells(max(bus.addressCells, bus.sizeCells)), node: bus.node)
    }
    let child = Int(bus.addressCells)
    let above = Int(parent.addressCells)
    let entry = 4 * (child + above + Int(bus.sizeCells))
    guard ranges.count % entry == 0 else {
      throw .init(.ranges, .badLength(ranges.count), node: bus.node)
    }
    for start in stride(from: 0, to: ranges.count, by: entry) {
      guard let from = blob.number(ranges, at: start, cells: child),
        let to = blob.number(ranges, at: start + 4 * child, cells: above),
        let length = blob.number(
          ranges, at: start + 4 * (child + above), cells: Int(bus.sizeCells))
      else { throw .init(.ranges, .badLength(ranges.count), node: bus.node) }
      guard from <= base, length > 0, last - from <= length - 1 else { continue }
      let (result, overflow) = to.addingReportingOverflow(base - from)
      let limit = above == 2 ? UInt64.max : UInt64(UInt32.max)
      guard !overflow, result <= limit, size - 1 <= limit - result else {
        throw .init(.ranges, .overflow(base: to, size: length), node: bus.node)
      }
      return result
    }
    throw .init(.reg, .outsideRanges(bus: bus.node, base: base, size: size))
  }
}

/// Why a property can't be read.
struct ReadError: Error {
  let property: PropertyName
  let reason: Diagnostic.Reason
  /// The node that is to blame, where it is not the one that was read.
  let node: BoardNode?

  init(_ property: PropertyName, _ reason: Diagnostic.Reason, node: BoardNode? = nil) {
    self.property = property
    self.reason = reason
    self.node = node
  }
}
