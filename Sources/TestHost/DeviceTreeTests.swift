// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// Just enough of a reader to find the memory nodes below the root (Devicetree Specification 0.4, 5).
private struct FlatTree {
  private enum Token {
    static let beginNode: UInt64 = 1
    static let endNode: UInt64 = 2
    static let property: UInt64 = 3
    static let nop: UInt64 = 4
  }

  let address: UInt64

  var magic: UInt64 { word(0) }
  var size: UInt64 { word(4) }
  private var structure: UInt64 { word(8) }
  private var strings: UInt64 { word(12) }
  private var structureSize: UInt64 { word(36) }

  /// A big-endian 32-bit word; the tree is 8-byte aligned, and so is what it holds 4-byte aligned.
  private func word(_ offset: UInt64) -> UInt64 {
    UInt64(UInt32(truncatingIfNeeded: load32(address + offset)).byteSwapped)
  }

  private func matches(_ text: StaticString, at offset: UInt64) -> Bool {
    for index in 0..<text.utf8CodeUnitCount {
      let byte = probe(EL1_LDRB, address + offset + UInt64(index)).value & 0xff
      guard byte == UInt64(text.byte(at: index)) else { return false }
    }
    return true
  }

  /// Calls `body` with base and size of every range of /memory, in cells of two words as QEMU has them.
  func forEachMemoryRange(_ body: (UInt64, UInt64) -> Void) {
    var at = structure
    let end = structure + structureSize
    var depth = 0
    var inMemory = false
    while at < end {
      let token = word(at)
      at += 4
      switch token {
      case Token.beginNode:
        depth += 1
        inMemory = depth == 2 && matches("memory@", at: at)
        while probe(EL1_LDRB, address + at).value & 0xff != 0, at < end { at += 1 }
        at = (at + 4) & ~3
      case Token.endNode:
        depth -= 1
        inMemory = false
      case Token.property:
        let length = word(at)
        let name = strings + word(at + 4)
        at += 8
        if inMemory, matches("reg\0", at: name) {
          var cell = at
          while cell + 16 <= at + length {
            body(word(cell) << 32 | word(cell + 4), word(cell + 8) << 32 | word(cell + 12))
            cell += 16
          }
        }
        at = (at + length + 3) & ~3
      case Token.nop: break
      default: return
      }
    }
  }
}

/// The device tree that the host is given.
func testDeviceTree(_ report: inout TestReport) {
  let tree = FlatTree(address: el1_device_tree())

  report.test("device tree", "x0 is the aligned address of a device tree") { test in
    test.expect("the address's offset in 8 bytes", tree.address & 7, equals: 0)
    test.expect("the address", tree.address, differsFrom: 0)
    guard tree.address != 0, tree.address & 7 == 0 else { return }
    test.expect("the magic number", tree.magic, equals: 0xd00d_feed)
  }
  report.test("device tree", "/memory holds the host's image") { test in
    guard tree.address != 0, tree.address & 7 == 0, tree.magic == 0xd00d_feed else {
      test.fail("there is no device tree")
      return
    }
    var holds = false
    tree.forEachMemoryRange { base, size in
      if base <= el1_image_start(), el1_image_end() <= base &+ size { holds = true }
    }
    if !holds { test.fail("no range of /memory holds the whole image") }
  }
  report.test("device tree", "/memory doesn't hold any of EL2's memory") { test in
    guard let information = Hypercall.information() else {
      test.fail("no hypervisor tells where its memory is")
      return
    }
    guard tree.address != 0, tree.address & 7 == 0, tree.magic == 0xd00d_feed else {
      test.fail("there is no device tree")
      return
    }
    var ranges: UInt64 = 0
    tree.forEachMemoryRange { base, size in
      ranges += 1
      if base < information.memoryBase &+ information.memorySize,
        information.memoryBase < base &+ size
      {
        test.fail("a range of /memory overlaps it")
        test.expect(
          "the range's base", base, equals: information.memoryBase &+ information.memorySize)
      }
    }
    test.expect("the number of ranges", ranges, in: 1...64)
  }
}
