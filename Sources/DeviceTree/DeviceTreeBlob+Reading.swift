// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards

extension DeviceTreeBlob: BoardDescription {
  /// What it is, as a line of a log begins.
  public static var title: StaticString { "device tree" }

  /// The 32-bit big-endian word `offset` bytes into `value`; nil where it would end beyond it.
  public func word(_ value: BlobBytes, at offset: Int = 0) -> UInt32? {
    guard offset >= 0, value.count >= 4, offset <= value.count - 4,
      value.offset >= 0, value.offset + value.count <= bytes.count
    else { return nil }
    var word: UInt32 = 0
    for index in 0..<4 { word = word << 8 | UInt32(bytes[value.offset + offset + index]) }
    return word
  }

  /// A number of 1 or 2 cells `offset` bytes into `value`.
  func number(_ value: BlobBytes, at offset: Int, cells: Int) -> UInt64? {
    guard let high = word(value, at: offset) else { return nil }
    if cells == 1 { return UInt64(high) }
    guard cells == 2, let low = word(value, at: offset + 4) else { return nil }
    return UInt64(high) << 32 | UInt64(low)
  }

  /// The byte `index` of `value`, or 0 beyond its end.
  public func byte(_ value: BlobBytes, _ index: Int) -> UInt8 {
    guard index >= 0, index < value.count, value.offset >= 0,
      value.offset + value.count <= bytes.count
    else { return 0 }
    return bytes[value.offset + index]
  }

  /// The bytes of `value`; none where it would end beyond the blob.
  @_lifetime(copy self)
  public func span(_ value: BlobBytes) -> Span<UInt8> {
    let range = value.offset..<(value.offset + max(value.count, 0))
    guard value.offset >= 0, range.upperBound <= bytes.count else { return bytes.extracting(0..<0) }
    return bytes.extracting(range)
  }

  /// Whether `value` is spelled like `text`.
  func equal(_ value: BlobBytes, _ text: StaticString) -> Bool {
    guard value.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<value.count where byte(value, index) != text.byte(at: index) { return false }
    return true
  }

  /// Whether `value` begins like `text`.
  func hasPrefix(_ value: BlobBytes, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    return value.count >= count && equal(BlobBytes(offset: value.offset, count: count), text)
  }

  /// Whether `value` ends like `text`.
  func hasSuffix(_ value: BlobBytes, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    return value.count >= count
      && equal(BlobBytes(offset: value.offset + value.count - count, count: count), text)
  }

  /// The first terminated string of `value` without its terminator.
  public func string(_ value: BlobBytes) -> BlobBytes {
    var count = 0
    while count < value.count, byte(value, count) != 0 { count += 1 }
    return BlobBytes(offset: value.offset, count: count)
  }

  /// Whether `text` is one of the terminated strings of `value`.
  public func list(_ value: BlobBytes?, contains text: StaticString) -> Bool {
    guard let value else { return false }
    return list(value) { equal($0, text) }
  }

  /// Whether one of `texts` is one of the terminated strings of `value`.
  func list(_ value: BlobBytes?, containsOneOf texts: Span<StaticString>) -> Bool {
    guard let value else { return false }
    return list(value) { entry in
      for index in texts.indices where equal(entry, texts[index]) { return true }
      return false
    }
  }

  /// Whether `matches` holds for one of the terminated strings of `value`.
  func list(_ value: BlobBytes, contains matches: (BlobBytes) -> Bool) -> Bool {
    var start = 0
    while start < value.count {
      let rest = BlobBytes(offset: value.offset + start, count: value.count - start)
      let entry = string(rest)
      // A last string without a terminator is none.
      if entry.count < rest.count, matches(entry) { return true }
      start += entry.count + 1
    }
    return false
  }

  /// Writes the path of `node`, `/` for the root.
  public func writePath(of node: BoardNode, into sink: inout some TextSink & ~Copyable) {
    var path = InlineArray<64, BoardNode>(repeating: .root)
    var current: (node: BoardNode, depth: Int)?
    while let next = self.node(after: current), next.node.offset <= node.offset {
      current = next
      if path.indices.contains(next.depth) { path[next.depth] = next.node }
    }
    guard let current, current.node == node, current.depth > 0 else { return sink.append("/") }
    for depth in 1...min(current.depth, path.count - 1) {
      sink.append("/")
      writeName(of: path[depth], into: &sink)
    }
  }

  /// Writes the name of `node` with its unit address.
  public func writeName(of node: BoardNode, into sink: inout some TextSink & ~Copyable) {
    let name = name(of: node)
    for index in 0..<name.count {
      sink.append(printable: byte(name, index))
    }
  }
}
