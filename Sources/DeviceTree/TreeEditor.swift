// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards
internal import CFdt

// The second file that hands libfdt a pointer: that of a buffer which is borrowed exclusively and
// which libfdt was told the size of. libfdt keeps its own bounds by the header that it wrote there.

/// A tree that is being edited in a buffer.
struct TreeEditor: ~Copyable, ~Escapable {
  private var buffer: MutableSpan<UInt8>

  @_lifetime(&buffer)
  init(_ source: DeviceTreeBlob, _ buffer: inout MutableSpan<UInt8>) throws(HostTreeError) {
    let size = buffer.count
    let status = unsafe buffer.withUnsafeMutableBufferPointer { target -> Int32 in
      guard let target = target.baseAddress else { return CFDT_NO_SPACE }
      return unsafe source.bytes.withUnsafeBufferPointer {
        unsafe cfdt_open_into($0.baseAddress, target, size)
      }
    }
    guard status >= 0 else { throw HostTreeError(code: status) }
    self.buffer = buffer._mutatingExtracting(0..<size)
  }

  /// The tree as it is now.
  var blob: DeviceTreeBlob {
    @_lifetime(borrow self)
    get { DeviceTreeBlob(trusting: buffer.span) }
  }

  /// What the root's property of one cell says.
  func rootCells(_ name: StaticString, default missing: Int) -> Int {
    let blob = blob
    guard let value = blob.property(name, of: .root) else { return missing }
    return blob.word(value).map(Int.init) ?? 0
  }

  /// `/chosen`, made where there is none.
  @_lifetime(self: copy self)
  mutating func chosen() throws(HostTreeError) -> BoardNode {
    if let node = blob.node(path: "/chosen") { return node }
    let offset = unsafe buffer.withUnsafeMutableBufferPointer {
      unsafe cfdt_add_chosen($0.baseAddress)
    }
    guard offset >= 0 else { throw HostTreeError(code: offset) }
    return BoardNode(offset: offset)
  }

  @_lifetime(self: copy self)
  mutating func delete(_ node: BoardNode) throws(HostTreeError) {
    let status = unsafe buffer.withUnsafeMutableBufferPointer {
      unsafe cfdt_delete_node($0.baseAddress, node.offset)
    }
    guard status >= 0 else { throw HostTreeError(code: status) }
  }

  @_lifetime(self: copy self)
  mutating func deleteProperty(
    _ name: StaticString, of node: BoardNode
  ) throws(HostTreeError) {
    // A literal ends in a zero.
    let status = unsafe buffer.withUnsafeMutableBufferPointer { target in
      unsafe UnsafeRawPointer(name.utf8Start).withMemoryRebound(
        to: CChar.self, capacity: name.utf8CodeUnitCount + 1
      ) { unsafe cfdt_delete_property(target.baseAddress, node.offset, $0) }
    }
    guard status >= 0 else { throw HostTreeError(code: status) }
  }

  /// Makes room for a value of `count` bytes.
  @_lifetime(self: copy self)
  mutating func makeProperty(
    _ name: StaticString, of node: BoardNode, count: Int
  ) throws(HostTreeError) -> BlobBytes {
    // A literal ends in a zero.
    let place = unsafe buffer.withUnsafeMutableBufferPointer { target in
      unsafe UnsafeRawPointer(name.utf8Start).withMemoryRebound(
        to: CChar.self, capacity: name.utf8CodeUnitCount + 1
      ) { unsafe cfdt_make_property(target.baseAddress, node.offset, $0, Int32(count)) }
    }
    guard place.offset >= 0 else { throw HostTreeError(code: place.offset) }
    guard Int(place.offset) + count <= buffer.count else { throw .noSpace }
    return BlobBytes(offset: Int(place.offset), count: count)
  }

  /// Stores a byte of a value that `makeProperty` made room for.
  @_lifetime(self: copy self)
  mutating func store(_ byte: UInt8, at offset: Int) { buffer[offset] = byte }

  /// Stores a number of 1 or 2 cells.
  @_lifetime(self: copy self)
  mutating func store(_ value: UInt64, at offset: Int, cells: Int) {
    for index in 0..<4 * cells {
      let shift = UInt64(8 * (4 * cells - 1 - index))
      buffer[offset + index] = UInt8(truncatingIfNeeded: value >> shift)
    }
  }

  /// Gives the free space back and checks the result; answers its size.
  @_lifetime(self: copy self)
  mutating func finish() throws(HostTreeError) -> Int {
    let status = unsafe buffer.withUnsafeMutableBufferPointer {
      unsafe cfdt_pack($0.baseAddress)
    }
    guard status >= 0 else { throw HostTreeError(code: status) }
    do throws(BlobError) {
      return try DeviceTreeBlob(checking: buffer.span).bytes.count
    } catch { throw .broken(error) }
  }
}

extension HostTreeError {
  /// The error of libfdt's code.
  init(code: Int32) { self = code == CFDT_NO_SPACE ? .noSpace : .refused(code) }
}
