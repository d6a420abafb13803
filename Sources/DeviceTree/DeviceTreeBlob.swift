// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards
internal import CFdt

// The only file that hands libfdt a pointer, together with `TreeEditor.swift`. Each use is
// sound because the pointer is that of a borrowed span, libfdt has checked the whole blob on the
// span's real size, and what comes back is an offset, which is checked again when it is read.

/// A flattened device tree whose structure has been checked whole.
///
/// The bytes are borrowed and must start at a multiple of 8, as the format asks for. What follows
/// the size that the header states is ignored. Source: Devicetree Specification 0.4, chapter 5.
public struct DeviceTreeBlob: ~Escapable {
  /// The bytes of the blob, without what follows it.
  public let bytes: Span<UInt8>

  /// How deep nodes may be nested; the root has depth 0.
  public static var maximumDepth: Int { 63 }

  /// The most bytes that one may have where its size is not known beforehand.
  private static var sizeLimit: UInt64 { 0x20_0000 }

  /// The size of a blob from its first two words, magic and total size, both big-endian, as a CPU loads them at once;
  /// nil where it is none, or too large.
  public static func size(head: UInt64) -> UInt64? {
    let size = UInt64(UInt32(truncatingIfNeeded: head >> 32).byteSwapped)
    guard UInt32(truncatingIfNeeded: head).byteSwapped == 0xd00d_feed, size <= sizeLimit else {
      return nil
    }
    return size
  }

  /// Checks a blob.
  ///
  /// - Throws: `BlobError` with libfdt's code where the bytes are not a device tree.
  @_lifetime(copy bytes)
  public init(checking bytes: Span<UInt8>) throws(BlobError) {
    let (status, size) = unsafe bytes.withUnsafeBufferPointer { buffer -> (Int32, Int) in
      guard let base = buffer.baseAddress else { return (BlobError.truncated.code, 0) }
      let status = unsafe cfdt_check(base, buffer.count)
      return unsafe (status, status == 0 ? Int(cfdt_total_size(base)) : 0)
    }
    guard status == 0, size <= bytes.count else { throw BlobError(code: status) }
    self.bytes = bytes.extracting(0..<size)
    // A structure block without a root node passes libfdt's check.
    guard node(after: nil)?.node == .root else { throw BlobError.badStructure }
  }

  /// Takes bytes that libfdt itself is editing and has not finished.
  @_lifetime(copy bytes)
  init(trusting bytes: Span<UInt8>) { self.bytes = bytes }

  /// The node that follows in the order of the blob with its depth; nil at the end.
  public func node(
    after last: (node: BoardNode, depth: Int)?
  ) -> (node: BoardNode, depth: Int)? {
    let next = unsafe bytes.withUnsafeBufferPointer {
      unsafe cfdt_next_node($0.baseAddress, last?.node.offset ?? -1, Int32(last?.depth ?? -1))
    }
    guard next.offset >= 0, next.depth >= (last == nil ? 0 : 1) else { return nil }
    return (BoardNode(offset: next.offset), Int(next.depth))
  }

  /// The name of `node` with its unit address; the root's is empty.
  public func name(of node: BoardNode) -> BlobBytes {
    unsafe bytes.withUnsafeBufferPointer {
      checked(unsafe cfdt_node_name($0.baseAddress, node.offset)) ?? BlobBytes(offset: 0, count: 0)
    }
  }

  /// The node with an absolute path; aliases are not resolved.
  public func node(path: StaticString) -> BoardNode? {
    let offset = path.withUTF8Buffer { text in
      unsafe text.withMemoryRebound(to: CChar.self) { text in
        unsafe bytes.withUnsafeBufferPointer {
          unsafe cfdt_find_path($0.baseAddress, text.baseAddress, Int32(text.count))
        }
      }
    }
    return offset < 0 ? nil : BoardNode(offset: offset)
  }

  /// The node whose absolute path is spelled by bytes of this blob.
  func node(path: BlobBytes) -> BoardNode? {
    guard path.count > 0, path.offset >= 0, path.offset + path.count <= bytes.count else {
      return nil
    }
    let offset = unsafe bytes.withUnsafeBytes { buffer -> Int32 in
      guard let base = buffer.baseAddress else { return CFDT_NOT_FOUND }
      let text = unsafe (base + path.offset).assumingMemoryBound(to: CChar.self)
      return unsafe cfdt_find_path(base, text, Int32(path.count))
    }
    return offset < 0 ? nil : BoardNode(offset: offset)
  }

  /// The properties of `node` that a board is read from, in one pass.
  func properties(of node: BoardNode) -> NodeProperties {
    var found = NodeProperties()
    var next = unsafe bytes.withUnsafeBufferPointer {
      unsafe cfdt_first_property($0.baseAddress, node.offset)
    }
    while next >= 0 {
      let property = unsafe bytes.withUnsafeBufferPointer {
        unsafe cfdt_property_at($0.baseAddress, next)
      }
      if let name = checked(property.name), let value = checked(property.value) {
        for index in PropertyName.inTrees {
          guard let known = PropertyName(rawValue: index) else { continue }
          if equal(name, known.text) { found.set(known, value) }
        }
      }
      next = unsafe bytes.withUnsafeBufferPointer {
        unsafe cfdt_next_property($0.baseAddress, next)
      }
    }
    return found
  }

  /// The property of `node` that follows the one at `place`, or its first one; `place` is where it is.
  func property(
    of node: BoardNode, after place: Int32?
  ) -> (place: Int32, name: BlobBytes, value: BlobBytes)? {
    var next = unsafe bytes.withUnsafeBufferPointer {
      if let place {
        unsafe cfdt_next_property($0.baseAddress, place)
      } else {
        unsafe cfdt_first_property($0.baseAddress, node.offset)
      }
    }
    while next >= 0 {
      let property = unsafe bytes.withUnsafeBufferPointer {
        unsafe cfdt_property_at($0.baseAddress, next)
      }
      if let name = checked(property.name), let value = checked(property.value) {
        return (next, name, value)
      }
      next = unsafe bytes.withUnsafeBufferPointer {
        unsafe cfdt_next_property($0.baseAddress, next)
      }
    }
    return nil
  }

  /// The value of the property `name` of `node`.
  public func property(_ name: StaticString, of node: BoardNode) -> BlobBytes? {
    name.withUTF8Buffer { text in
      unsafe text.withMemoryRebound(to: CChar.self) { text in
        unsafe bytes.withUnsafeBufferPointer {
          checked(
            unsafe cfdt_property_named(
              $0.baseAddress, node.offset, text.baseAddress, Int32(text.count)))
        }
      }
    }
  }

  /// The value of the property of `node` whose name is spelled by bytes of this blob.
  func property(named name: BlobBytes, of node: BoardNode) -> BlobBytes? {
    guard name.count > 0, name.offset >= 0, name.offset + name.count <= bytes.count else {
      return nil
    }
    return unsafe bytes.withUnsafeBytes { buffer -> BlobBytes? in
      guard let base = buffer.baseAddress else { return nil }
      let text = unsafe (base + name.offset).assumingMemoryBound(to: CChar.self)
      return checked(unsafe cfdt_property_named(base, node.offset, text, Int32(name.count)))
    }
  }

  /// How many entries the memory reservation block has.
  var reservationCount: Int32 {
    unsafe bytes.withUnsafeBufferPointer { unsafe cfdt_reservation_count($0.baseAddress) }
  }

  /// The entry `index` of the memory reservation block.
  func reservation(_ index: Int32) -> (base: UInt64, size: UInt64)? {
    let entry = unsafe bytes.withUnsafeBufferPointer {
      unsafe cfdt_reservation_at($0.baseAddress, index)
    }
    return entry.status == 0 ? (entry.address, entry.size) : nil
  }

  /// What libfdt answered, where it lies inside the blob.
  private func checked(_ answer: cfdt_bytes) -> BlobBytes? {
    guard answer.offset >= 0, answer.length >= 0,
      Int(answer.offset) + Int(answer.length) <= bytes.count
    else { return nil }
    return BlobBytes(offset: Int(answer.offset), count: Int(answer.length))
  }
}

/// Why bytes are not a device tree.
public struct BlobError: Error, Hashable, Sendable {
  /// libfdt's negative code.
  public let code: Int32

  static var truncated: BlobError { BlobError(code: -8) }
  static var badStructure: BlobError { BlobError(code: -11) }

  /// What is wrong.
  public var text: StaticString {
    switch code {
    case -8: "truncated"
    case -9: "no device tree: wrong magic number"
    case -10: "of a version that is not supported"
    case -11: "structure block is broken"
    case -12, -18: "not laid out in the order that the format asks for"
    case -19: "not aligned to 8 bytes"
    default: "broken"
    }
  }
}
