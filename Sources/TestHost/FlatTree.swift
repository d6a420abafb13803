// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// Just enough of a reader for properties of nodes right below the root (Devicetree Specification 0.4,
/// chapter 5).
struct FlatTree {
  private enum Token {
    static let beginNode: UInt64 = 1
    static let endNode: UInt64 = 2
    static let property: UInt64 = 3
    static let nop: UInt64 = 4
  }

  let address: UInt64

  /// Whether there is a tree.
  var isThere: Bool { address != 0 && address & 7 == 0 && magic == 0xd00d_feed }
  var magic: UInt64 { word(0) }
  var size: UInt64 { word(4) }
  private var structure: UInt64 { word(8) }
  private var strings: UInt64 { word(12) }
  private var structureSize: UInt64 { word(36) }

  /// A big-endian 32-bit word; the tree is 8-byte aligned, and so is what it holds 4-byte aligned.
  func word(_ offset: UInt64) -> UInt64 {
    UInt64(UInt32(truncatingIfNeeded: load32(address + offset)).byteSwapped)
  }

  func matches(_ text: StaticString, at offset: UInt64) -> Bool {
    for index in 0..<text.utf8CodeUnitCount {
      let byte = probe(EL1_LDRB, address + offset + UInt64(index)).value & 0xff
      guard byte == UInt64(text.byte(at: index)) else { return false }
    }
    return true
  }

  /// Calls `body` with base and size of every range of /memory, in cells of two words as QEMU has them.
  func forEachMemoryRange(_ body: (UInt64, UInt64) -> Void) {
    forEachRange(of: "memory@", body)
  }

  /// Calls `body` with base and size of every range of such a node's `reg`, from one on.
  func forEachRange(
    of node: StaticString, from first: UInt64 = 0, _ body: (UInt64, UInt64) -> Void
  ) {
    forEachProperty("reg\0", of: node) { at, length in
      var cell = at + 16 * first
      while cell + 16 <= at + length {
        body(word(cell) << 32 | word(cell + 4), word(cell + 8) << 32 | word(cell + 12))
        cell += 16
      }
    }
  }

  /// Whether the board's boot arguments begin with `text`.
  func bootArgumentsBegin(with text: StaticString) -> Bool {
    var found = false
    forEachProperty("bootargs\0", of: "chosen\0") { at, _ in found = matches(text, at: at) }
    return found
  }

  /// Whether the board's boot arguments hold `text` anywhere.
  func bootArgumentsHold(_ text: StaticString) -> Bool {
    var found = false
    forEachProperty("bootargs\0", of: "chosen\0") { at, length in
      for offset in 0..<length where matches(text, at: at + offset) { found = true }
    }
    return found
  }

  /// Whether a node right below the root whose name begins so has a property.
  func hasProperty(_ property: StaticString, of node: StaticString) -> Bool {
    var found = false
    forEachProperty(property, of: node) { _, _ in found = true }
    return found
  }

  /// Calls `body` with place and length of each such property of a node right below the root whose name begins so.
  private func forEachProperty(
    _ property: StaticString, of node: StaticString, _ body: (UInt64, UInt64) -> Void
  ) {
    forEachProperty { name, depth, nameOfIt, at, length in
      if depth == 2, matches(node, at: name), matches(property, at: nameOfIt) { body(at, length) }
    }
  }

  /// Calls `body` with each property of the tree: where the name of its node is and how deep that lies, where its own
  /// name is, and place and length of its value.
  func forEachProperty(
    _ body: (_ node: UInt64, _ depth: Int, _ name: UInt64, _ at: UInt64, _ length: UInt64) -> Void
  ) {
    var at = structure
    let end = structure + structureSize
    var depth = 0
    // The node whose properties these are: they precede its children.
    var node: UInt64 = 0
    while at < end {
      let token = word(at)
      at += 4
      switch token {
      case Token.beginNode:
        depth += 1
        node = address + at
        while probe(EL1_LDRB, address + at).value & 0xff != 0, at < end { at += 1 }
        at = (at + 4) & ~3
      case Token.endNode:
        depth -= 1
      case Token.property:
        let length = word(at)
        let name = strings + word(at + 4)
        at += 8
        body(node - address, depth, name, at, length)
        at = (at + length + 3) & ~3
      case Token.nop: break
      default: return
      }
    }
  }
}
