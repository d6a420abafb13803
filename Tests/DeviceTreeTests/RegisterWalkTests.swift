// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Testing

@Suite("The registers of all nodes")
struct RegisterWalkTests {
  /// Each node's name and its range, `-` for one without an address.
  private func walk(_ body: String) throws -> [String] {
    let bytes = try compile(body, gic: "")
    let blob = try DeviceTreeBlob(checking: bytes.span)
    var walk = RegisterWalk()
    var found: [String] = []
    while let registers = walk.next(in: blob) {
      var text = Text()
      blob.writePath(of: registers.node, into: &text)
      if let range = registers.range {
        text.append(" ")
        text.append(hex: range.base.rawValue)
        text.append("+")
        text.append(hex: range.size)
      } else {
        text.append(" -")
      }
      found.append(text.string)
    }
    return found
  }

  @Test("Entries of a node, through the ranges above it, in the order of the tree")
  func entries() throws {
    let found = try walk(
      """
      memory { device_type = "memory"; reg = <0 0x40000000 0 0x1000>; };
      chosen { module { reg = <0 0x1000 0 0x1000>; }; };
      cpus { #address-cells = <1>; #size-cells = <0>; cpu { reg = <0>; }; };
      reserved-memory { ranges; r { reg = <0 0x1000 0 0x1000>; }; };
      a { reg = <0 0x1000 0 0x10>, <1 0x2000 0 0x20>; };
      off { reg = <0 0x3000 0 0x10>; status = "disabled"; below { reg = <0 1 0 1>; }; };
      bus { #address-cells = <1>; #size-cells = <1>; ranges = <0x100 0 0x8000 0x100>;
        reg = <0 0x9000 0 8>; b { reg = <0x110 0x10 0x180 8>; }; far { reg = <0x200 0x10>; };
        odd { reg = <0x110 0x10 0x180>; }; };
      i2c { #address-cells = <1>; #size-cells = <0>; sensor { reg = <0x50 0x51>; }; };
      none { };
      """)
    #expect(
      found == [
        "/a 0x1000+0x10", "/a 0x100002000+0x20", "/bus 0x9000+0x8", "/bus/b 0x8010+0x10",
        "/bus/b 0x8080+0x8", "/bus/far -", "/bus/odd -", "/i2c/sensor -", "/i2c/sensor -",
      ])
  }
}
