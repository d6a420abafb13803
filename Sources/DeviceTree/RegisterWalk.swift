// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

/// The registers of one node: an entry of its `reg`.
public struct NodeRegisters: Sendable {
  /// The node.
  public let node: BoardNode
  /// Where they are; nil where the entry has no address of the CPU that could be found.
  public let range: AddressRange?
}

/// A walk over the registers of all enabled nodes, in the order of the tree.
///
/// Memory is none, and neither is what /chosen and /reserved-memory tell. A node without `reg` doesn't come up.
public struct RegisterWalk {
  private var path = BusPath()
  private var current: (node: BoardNode, depth: Int)?
  private var reg: BlobBytes?
  private var entry = 0

  /// A walk that begins.
  public init() { current = nil }

  /// The next registers; nil at the end.
  public mutating func next(in blob: DeviceTreeBlob) -> NodeRegisters? {
    while true {
      if let reg, let current, let found = registers(reg, current.node, current.depth, blob) {
        return found
      }
      guard let next = blob.node(after: current) else { return nil }
      current = next
      entry = 0
      reg = nil
      // What is nested too deep is left out, and an error of the board.
      guard next.depth < path.levels.count else { continue }
      let properties = blob.properties(of: next.node)
      enter(next.node, next.depth, properties, blob)
      guard next.depth > 0, path.levels[next.depth].isEnabled,
        !Self.isMemory(properties, in: blob), path.levels[next.depth].role == .plain
      else { continue }
      reg = properties[.reg]
    }
  }

  private mutating func registers(
    _ reg: BlobBytes, _ node: BoardNode, _ depth: Int, _ blob: DeviceTreeBlob
  ) -> NodeRegisters? {
    // Where entries can't be told apart the first stands for them all.
    let size = path.levels[depth - 1].entrySize ?? 0
    let count = size > 0 && reg.count % size == 0 ? reg.count / size : 1
    guard entry < count else { return nil }
    defer { entry += 1 }
    do throws(ReadError) {
      let range = try path.range(of: reg, entry: entry, depth: depth, in: blob)
      return NodeRegisters(node: node, range: range)
    } catch {
      return NodeRegisters(node: node, range: nil)
    }
  }

  private static func isMemory(_ properties: NodeProperties, in blob: DeviceTreeBlob) -> Bool {
    properties[.deviceType].map { blob.equal(blob.string($0), "memory") } ?? false
  }

  private mutating func enter(
    _ node: BoardNode, _ depth: Int, _ properties: NodeProperties, _ blob: DeviceTreeBlob
  ) {
    var isEnabled = depth == 0 || path.levels[depth - 1].isEnabled
    if let value = properties[.status] {
      let status = blob.string(value)
      isEnabled = isEnabled && (blob.equal(status, "okay") || blob.equal(status, "ok"))
    }
    var level = Bus(
      node: node, addressCells: Self.cells(properties[.addressCells], default: 2, in: blob),
      sizeCells: Self.cells(properties[.sizeCells], default: 1, in: blob),
      ranges: properties[.ranges], isEnabled: isEnabled)
    // What lies below these has no registers.
    if depth > 0 { level.role = path.levels[depth - 1].role }
    if depth == 1 {
      let name = blob.name(of: node)
      if blob.equal(name, "chosen") { level.role = .chosen }
      if blob.equal(name, "cpus") { level.role = .cpus }
      if blob.equal(name, "reserved-memory") { level.role = .reservedMemory }
    }
    path.levels[depth] = level
  }

  /// A count that no address has, where it can't be read.
  private static func cells(
    _ value: BlobBytes?, default missing: UInt32, in blob: DeviceTreeBlob
  ) -> UInt32 {
    guard let value else { return missing }
    return value.count == 4 ? blob.word(value) ?? .max : .max
  }
}
