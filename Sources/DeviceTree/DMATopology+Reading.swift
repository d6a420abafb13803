// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Boards

extension DMATopology {
  /// Reads who does DMA, and how, from a checked tree of which `board` was read.
  ///
  /// The work is two walks over the tree: one for what may be named, one for those that name it.
  ///
  /// It is read in its place: there is no other of it meanwhile.
  @inline(never)
  public init<Sink: DMADiagnosticSink & ~Copyable>(
    reading blob: DeviceTreeBlob, of board: borrowing Board, reporting sink: inout Sink
  ) {
    self.init()
    var walk = DMAWalk(blob)
    while let place = walk.next(in: blob) { readNamed(place, board, blob, &sink) }
    walk = DMAWalk(blob)
    while let place = walk.next(in: blob) { readMaster(place, blob, &sink) }
  }
}

/// A node of a walk.
struct DMAPlace {
  let node: BoardNode
  let properties: DMAProperties
  /// Whether the node, and each above it, is enabled.
  let isEnabled: Bool
  /// Whether it is a PCI host bridge.
  let isPCIHost: Bool
  /// Whether it is below a PCI host bridge.
  let isPCIDevice: Bool
}

/// One walk over a tree that knows of each node whether it is enabled and on a PCI bus.
struct DMAWalk {
  private var current: (node: BoardNode, depth: Int)?
  /// The levels that are enabled, one bit each.
  private var enabled: UInt64 = 0
  /// The levels that are PCI host bridges or below one, one bit each.
  private var pci: UInt64 = 0

  init(_ blob: DeviceTreeBlob) { current = nil }

  /// The next node; what is nested too deep is left out, and an error of the board.
  mutating func next(in blob: DeviceTreeBlob) -> DMAPlace? {
    while let (node, depth) = blob.node(after: current) {
      current = (node, depth)
      guard depth < UInt64.bitWidth else { continue }
      let properties = DMAProperties(of: node, in: blob)
      let above = depth == 0 ? nil : UInt64(1) << UInt64(depth - 1)
      let bit = UInt64(1) << UInt64(depth)
      var isEnabled = above.map { enabled & $0 != 0 } ?? true
      if let value = properties[.status] {
        let status = blob.string(value)
        isEnabled = isEnabled && (blob.equal(status, "okay") || blob.equal(status, "ok"))
      }
      let isPCIDevice = above.map { pci & $0 != 0 } ?? false
      let type = properties[.deviceType]
      let isPCI = type.map { blob.equal(blob.string($0), "pci") } ?? false
      enabled = isEnabled ? enabled | bit : enabled & ~bit
      pci = isPCIDevice || isPCI ? pci | bit : pci & ~bit
      return DMAPlace(
        node: node, properties: properties, isEnabled: isEnabled,
        isPCIHost: isPCI && !isPCIDevice, isPCIDevice: isPCIDevice)
    }
    return nil
  }
}
