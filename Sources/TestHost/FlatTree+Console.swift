// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

extension FlatTree {
  /// What a tree says of its console.
  struct ConsoleNode {
    var base: UInt64 = 0
    var isPL011 = false
    var is16550 = false
    /// The distance of two registers as a power of two, and whether they are bytes.
    var shift: UInt64 = 0
    var isByteWide = true
  }

  /// The node right below the root that `/chosen/stdout-path` names, if it is a console that the tests know; its
  /// addresses are in cells of two words, as QEMU has them.
  func console() -> ConsoleNode? {
    var path: UInt64 = 0
    forEachProperty { node, depth, name, at, _ in
      if depth == 2, matches("chosen\0", at: node), matches("stdout-path\0", at: name) { path = at }
    }
    guard path != 0, byte(path) == UInt64(UInt8(ascii: "/")) else { return nil }
    var found = ConsoleNode()
    forEachProperty { node, depth, name, at, length in
      guard depth == 2, isNamed(node, by: path + 1) else { return }
      if matches("reg\0", at: name) { found.base = word(at) << 32 | word(at + 4) }
      if matches("reg-shift\0", at: name) { found.shift = word(at) }
      if matches("reg-io-width\0", at: name) { found.isByteWide = word(at) == 1 }
      guard matches("compatible\0", at: name) else { return }
      if holds("arm,pl011\0", at, length) { (found.isPL011, found.isByteWide) = (true, false) }
      if holds("ns16550a\0", at, length) { found.is16550 = true }
    }
    return found.base != 0 && (found.isPL011 || found.is16550) ? found : nil
  }

  /// Whether a node of the tree is compatible with `text`, which ends in a zero.
  func hasCompatible(_ text: StaticString) -> Bool {
    var found = false
    forEachProperty { _, _, name, at, length in
      if matches("compatible\0", at: name), holds(text, at, length) { found = true }
    }
    return found
  }

  /// Whether `length` bytes hold `text` anywhere.
  private func holds(_ text: StaticString, _ at: UInt64, _ length: UInt64) -> Bool {
    for offset in 0..<length where matches(text, at: at + offset) { return true }
    return false
  }

  /// Whether the name of a node is what a path goes on with, to its end or its options.
  private func isNamed(_ node: UInt64, by path: UInt64) -> Bool {
    var offset: UInt64 = 0
    while true {
      let (own, asked) = (byte(node + offset), byte(path + offset))
      if own == 0 { return asked == 0 || asked == UInt64(UInt8(ascii: ":")) }
      guard own == asked else { return false }
      offset += 1
    }
  }

  private func byte(_ offset: UInt64) -> UInt64 { probe(EL1_LDRB, address + offset).value & 0xff }
}
