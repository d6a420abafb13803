// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

// As the tree that hides the SMMUs, a way of its own beside `write(from:into:)`.

extension HostTree {
  /// Writes the tree for a host that sees SMMUv3s with a stage 1: their nodes stay, with what names them, but not
  /// what only the hardware has.
  ///
  /// Of the interrupts that of the event queue stays, or one for everything: the others never come. The SMMU sends no
  /// MSIs, and so has no `msi-parent`. The performance monitors are gone, and what has command queues for the SMMUs.
  ///
  /// - Returns: how many bytes the tree has.
  /// - Throws: `HostTreeError`; the buffer's content is then of no use.
  public func write(
    from source: DeviceTreeBlob, nestingSMMUsInto buffer: inout MutableSpan<UInt8>
  ) throws(HostTreeError) -> Int {
    var editor = try begin(source, &buffer)
    var current: (node: BoardNode, depth: Int)?
    // What is removed from a node lies behind the node's own place.
    while let next = editor.blob.node(after: current) {
      let compatible = editor.blob.property("compatible", of: next.node)
      if editor.blob.list(compatible, contains: "arm,smmu-v3") {
        try Self.reduceInterrupts(of: next.node, &editor)
        if editor.blob.property("msi-parent", of: next.node) != nil {
          try editor.deleteProperty("msi-parent", of: next.node)
        }
        if editor.blob.property("nvidia,cmdqv", of: next.node) != nil {
          try editor.deleteProperty("nvidia,cmdqv", of: next.node)
        }
      }
      current = next
    }
    // Each round removes a node; there are fewer nodes than bytes.
    for _ in 0..<source.bytes.count {
      guard let other = Self.firstBesideSMMU(editor.blob) else { break }
      try editor.delete(other)
    }
    return try end(source, &editor)
  }

  private static func firstBesideSMMU(_ blob: DeviceTreeBlob) -> BoardNode? {
    var current: (node: BoardNode, depth: Int)?
    while let next = blob.node(after: current) {
      let compatible = blob.property("compatible", of: next.node)
      if blob.isBesideSMMU(compatible) { return next.node }
      current = next
    }
    return nil
  }

  /// Leaves the interrupts that come, with their names.
  ///
  /// Where names and interrupts don't fit each other all of them stay: one that never comes is no harm.
  private static func reduceInterrupts(
    of node: BoardNode, _ editor: inout TreeEditor
  ) throws(HostTreeError) {
    guard let names = editor.blob.property("interrupt-names", of: node),
      let interrupts = editor.blob.property("interrupts", of: node)
    else { return }
    var count = 0
    for index in 0..<names.count where editor.blob.byte(names, index) == 0 { count += 1 }
    guard count > 0, editor.blob.byte(names, names.count - 1) == 0, interrupts.count > 0,
      interrupts.count % (4 * count) == 0
    else { return }
    let size = interrupts.count / count
    var kept = (names: 0, interrupts: 0)
    var start = 0
    for index in 0..<count {
      let name = editor.blob.string(
        BlobBytes(offset: names.offset + start, count: names.count - start))
      let whole = name.count + 1
      if editor.blob.equal(name, "eventq") || editor.blob.equal(name, "combined") {
        editor.copy(names, from: start, to: kept.names, count: whole)
        editor.copy(interrupts, from: index * size, to: kept.interrupts, count: size)
        kept.names += whole
        kept.interrupts += size
      }
      start += whole
    }
    guard kept.names < names.count else { return }
    if kept.names > 0 {
      _ = try editor.makeProperty("interrupts", of: node, count: kept.interrupts)
      _ = try editor.makeProperty("interrupt-names", of: node, count: kept.names)
    } else {
      try editor.deleteProperty("interrupts", of: node)
      try editor.deleteProperty("interrupt-names", of: node)
    }
  }
}
