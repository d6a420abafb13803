// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

extension HostTree {
  /// The most entries that a memory node may have, after the cut.
  static var entryLimit: Int { 64 }
  /// The most modules that are removed.
  static var moduleLimit: Int { 64 }

  /// Writes the tree into `buffer`, which starts at a multiple of 8.
  ///
  /// - Returns: how many bytes the tree has.
  /// - Throws: `HostTreeError`; the buffer's content is then of no use.
  public func write(
    from source: DeviceTreeBlob, into buffer: inout MutableSpan<UInt8>
  ) throws(HostTreeError) -> Int {
    var editor = try begin(source, &buffer)
    return try end(source, &editor)
  }

  @_lifetime(&buffer)
  func begin(
    _ source: DeviceTreeBlob, _ buffer: inout MutableSpan<UInt8>
  ) throws(HostTreeError) -> TreeEditor {
    let page = PageFrameNumber.size
    for index in withheld.indices {
      let range = withheld[index]
      guard range.base.isAligned(to: page), range.size % page == 0 else { throw .misaligned(range) }
    }
    var editor = try TreeEditor(source, &buffer)
    // From the last in the tree to the first: what changes in one moves those behind it alone.
    var end = Int32.max
    for _ in disabled.indices {
      var last: BoardNode?
      for index in disabled.indices where disabled[index].offset < end {
        if disabled[index].offset >= last?.offset ?? 0 { last = disabled[index] }
      }
      guard let last else { break }
      try Self.disable(last, &editor)
      end = last.offset
    }
    return editor
  }

  private static func disable(
    _ node: BoardNode, _ editor: inout TreeEditor
  ) throws(HostTreeError) {
    let text: StaticString = "disabled"
    // With the zero that ends it.
    let count = text.utf8CodeUnitCount
    let place = try editor.makeProperty("status", of: node, count: count + 1)
    for index in 0..<count { editor.store(text.byte(at: index), at: place.offset + index) }
    editor.store(UInt8(0), at: place.offset + count)
  }

  func end(_ source: DeviceTreeBlob, _ editor: inout TreeEditor) throws(HostTreeError) -> Int {
    try removeModules(&editor)
    try cutMemory(&editor)
    try writeChosen(source, &editor)
    return try editor.finish()
  }

  private func removeModules(_ editor: inout TreeEditor) throws(HostTreeError) {
    for _ in 0...Self.moduleLimit {
      guard let module = Self.firstModule(editor.blob) else { return }
      try editor.delete(module)
    }
    throw .tooManyModules(limit: Self.moduleLimit)
  }

  private static func firstModule(_ blob: DeviceTreeBlob) -> BoardNode? {
    guard let chosen = blob.node(path: "/chosen") else { return nil }
    var current: (node: BoardNode, depth: Int)? = (chosen, 1)
    while let next = blob.node(after: current), next.depth > 1 {
      if next.depth == 2,
        blob.list(blob.property("compatible", of: next.node), contains: "multiboot,module")
      {
        return next.node
      }
      current = next
    }
    return nil
  }

  private func cutMemory(_ editor: inout TreeEditor) throws(HostTreeError) {
    var current: (node: BoardNode, depth: Int)? = (.root, 0)
    while let next = editor.blob.node(after: current) {
      let type = editor.blob.property("device_type", of: next.node)
      guard let type, editor.blob.equal(editor.blob.string(type), "memory") else {
        current = next
        continue
      }
      // Below a bus the addresses would be others; memory is the root's by the specification.
      guard next.depth == 1 else { throw .unreadableMemory(next.node) }
      // Linux takes the second property in the place of reg.
      let reg = try cut(.reg, of: next.node, &editor)
      let usable = try cut(.usableMemory, of: next.node, &editor)
      if reg == .emptied || usable == .emptied {
        // An empty reg is not valid. The node before stays the place from where to go on.
        try editor.delete(next.node)
      } else {
        current = next
      }
    }
  }

  /// What a cut has left of a property.
  private enum Remainder { case unchanged, reduced, emptied }

  private func cut(
    _ property: PropertyName, of node: BoardNode, _ editor: inout TreeEditor
  ) throws(HostTreeError) -> Remainder {
    let addressCells = editor.rootCells("#address-cells", default: 2)
    let sizeCells = editor.rootCells("#size-cells", default: 1)
    var kept = FixedList<64, AddressRange>(filler: .filler)
    var isCut = false
    do {
      let blob = editor.blob
      guard let value = blob.property(property.text, of: node) else { return .unchanged }
      guard 1...2 ~= addressCells, 1...2 ~= sizeCells else { throw .unreadableMemory(node) }
      let entry = 4 * (addressCells + sizeCells)
      guard value.count % entry == 0 else { throw .unreadableMemory(node) }
      for start in stride(from: 0, to: value.count, by: entry) {
        guard let base = blob.number(value, at: start, cells: addressCells),
          let size = blob.number(value, at: start + 4 * addressCells, cells: sizeCells)
        else { throw .unreadableMemory(node) }
        if size == 0 { continue }
        guard let range = AddressRange(base: PhysicalAddress(base), size: size) else {
          throw .unreadableMemory(node)
        }
        // What begins beyond the last address that the cells can say could not be written back.
        guard addressCells == 2 || range.last.rawValue <= UInt64(UInt32.max) else {
          throw .unreadableMemory(node)
        }
        var left: UInt64 = 0
        try range.forEachPiece(without: withheld.span) { (piece) throws(HostTreeError) in
          guard kept.append(piece) else { throw .tooManyEntries(node, limit: Self.entryLimit) }
          left += piece.size
        }
        if left != range.size { isCut = true }
      }
    }
    guard isCut else { return .unchanged }
    guard kept.count > 0 else { return .emptied }
    let length = 4 * (addressCells + sizeCells)
    let place = try editor.makeProperty(property.text, of: node, count: kept.count * length)
    for index in kept.indices {
      let start = place.offset + index * length
      editor.store(kept[index].base.rawValue, at: start, cells: addressCells)
      editor.store(kept[index].size, at: start + 4 * addressCells, cells: sizeCells)
    }
    return .reduced
  }

  private func writeChosen(
    _ source: DeviceTreeBlob, _ editor: inout TreeEditor
  ) throws(HostTreeError) {
    guard ramdisk != nil || bootArguments != nil else { return }
    let chosen = try editor.chosen()
    if let ramdisk {
      let start = try editor.makeProperty("linux,initrd-start", of: chosen, count: 8)
      editor.store(ramdisk.base.rawValue, at: start.offset, cells: 2)
      let end = try editor.makeProperty("linux,initrd-end", of: chosen, count: 8)
      // The first address behind it; a range that ends with the address space is none of a board.
      editor.store(ramdisk.last.rawValue &+ 1, at: end.offset, cells: 2)
    }
    if let bootArguments {
      let text = source.string(bootArguments)
      let place = try editor.makeProperty("bootargs", of: chosen, count: text.count + 1)
      for index in 0..<text.count {
        editor.store(source.byte(text, index), at: place.offset + index)
      }
      editor.store(UInt8(0), at: place.offset + text.count)
    }
  }
}
