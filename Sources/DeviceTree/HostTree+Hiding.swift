// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Boards

// A way of its own beside `write(from:into:)`, so that an image that shows the SMMUs has nothing of it.

extension HostTree {
  /// Writes the tree without the SMMUv3s, disabled ones among them.
  ///
  /// Their nodes are gone, those of their performance monitors and of what has command queues for them, and what names them in `iommus` and `iommu-map`.
  /// Other IOMMUs and what names those stay.
  ///
  /// - Parameter topology: what was read from `source`.
  /// - Returns: how many bytes the tree has.
  /// - Throws: `HostTreeError`; the buffer's content is then of no use.
  public func write(
    from source: DeviceTreeBlob, hidingSMMUsOf topology: borrowing DMATopology,
    into buffer: inout MutableSpan<UInt8>
  ) throws(HostTreeError) -> Int {
    // One that is not in the list would be shown.
    guard topology.isComplete else { throw .incompleteTopology }
    var editor = try begin(source, &buffer)
    var current: (node: BoardNode, depth: Int)?
    // What is removed from a node lies behind the node's own place.
    while let next = editor.blob.node(after: current) {
      try Self.hideSpecifiers(of: next.node, topology, &editor)
      try Self.hideMapEntries(of: next.node, topology, &editor)
      current = next
    }
    // Each round removes a node; there are fewer nodes than bytes.
    for _ in 0..<source.bytes.count {
      guard let smmu = Self.firstSMMU(editor.blob) else { break }
      try editor.delete(smmu)
    }
    return try end(source, &editor)
  }

  private static func firstSMMU(_ blob: DeviceTreeBlob) -> BoardNode? {
    var current: (node: BoardNode, depth: Int)?
    while let next = blob.node(after: current) {
      let compatible = blob.property("compatible", of: next.node)
      if blob.list(compatible, contains: "arm,smmu-v3")
        || blob.isBesideSMMU(compatible)
      {
        return next.node
      }
      current = next
    }
    return nil
  }

  /// Takes the SMMUv3s out of `iommus`.
  private static func hideSpecifiers(
    of node: BoardNode, _ topology: borrowing DMATopology, _ editor: inout TreeEditor
  ) throws(HostTreeError) {
    guard let value = editor.blob.property("iommus", of: node) else { return }
    var kept = 0
    var start = 0
    while start < value.count {
      // Where the next one begins only the named node tells.
      guard let phandle = editor.blob.word(value, at: start),
        let iommu = topology.iommu(phandle), let cells = iommu.cells,
        value.count - start >= 4 + 4 * cells
      else { throw .unreadableIOMMUs(node) }
      let count = 4 + 4 * cells
      if iommu.kind != .smmuV3 {
        editor.copy(value, from: start, to: kept, count: count)
        kept += count
      }
      start += count
    }
    guard kept < value.count else { return }
    if kept > 0 {
      _ = try editor.makeProperty("iommus", of: node, count: kept)
    } else {
      try editor.deleteProperty("iommus", of: node)
    }
  }

  /// Takes the SMMUv3s out of `iommu-map`.
  private static func hideMapEntries(
    of node: BoardNode, _ topology: borrowing DMATopology, _ editor: inout TreeEditor
  ) throws(HostTreeError) {
    guard let value = editor.blob.property("iommu-map", of: node) else { return }
    guard value.count % 16 == 0 else { throw .unreadableIOMMUs(node) }
    var kept = 0
    for start in stride(from: 0, to: value.count, by: 16) {
      guard let phandle = editor.blob.word(value, at: start + 4) else {
        throw .unreadableIOMMUs(node)
      }
      if topology.iommu(phandle)?.kind == .smmuV3 { continue }
      editor.copy(value, from: start, to: kept, count: 16)
      kept += 16
    }
    guard kept < value.count else { return }
    if kept > 0 {
      _ = try editor.makeProperty("iommu-map", of: node, count: kept)
      return
    }
    try editor.deleteProperty("iommu-map", of: node)
    if editor.blob.property("iommu-map-mask", of: node) != nil {
      try editor.deleteProperty("iommu-map-mask", of: node)
    }
  }
}

extension DeviceTreeBlob {
  /// Whether a list of `compatible` is of hardware that belongs to an SMMUv3 and is EL2's with it.
  func isBesideSMMU(_ compatible: BlobBytes?) -> Bool {
    list(compatible, contains: "arm,smmu-v3-pmcg") || isCompanion(compatible)
  }
}

extension DMATopology {
  /// The IOMMU that `phandle` names.
  func iommu(_ phandle: UInt32) -> DMATranslator? {
    indexOfIOMMU(phandle).map { iommus[$0] }
  }
}

extension TreeEditor {
  /// Copies bytes of a value to a place before them, or to their own.
  @_lifetime(self: copy self)
  mutating func copy(_ value: BlobBytes, from start: Int, to target: Int, count: Int) {
    for index in 0..<count {
      store(blob.byte(value, start + index), at: value.offset + target + index)
    }
  }
}
