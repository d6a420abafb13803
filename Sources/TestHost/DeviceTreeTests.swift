// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

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
  report.test("device tree", "the tree is above the host's image, well apart, in the same memory") {
    test in
    guard tree.isThere else { return test.fail("there is no device tree") }
    let end = el1_image_end()
    test.expect("its address", tree.address, in: end + 0x20_0000...UInt64.max)
    var holds = false
    tree.forEachMemoryRange { base, size in
      if base <= end, end < base &+ size, tree.address < base &+ size { holds = true }
    }
    if !holds { test.fail("the range of /memory that holds the image does not hold the tree") }
  }
  report.test("device tree", "no range of /memory is too small to be of use") { test in
    guard tree.isThere else { return test.fail("there is no device tree") }
    tree.forEachMemoryRange { _, size in
      test.expect("the size of a range", size, in: 16 << 20...UInt64.max)
    }
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
      if base < information.furtherBase &+ information.furtherSize,
        information.furtherBase < base &+ size
      {
        test.fail("a range of /memory overlaps what lies beside the image")
      }
    }
    test.expect("the number of ranges", ranges, in: 1...64)
  }
}
