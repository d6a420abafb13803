// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// A master that no SMMU confines: what it is told to write it writes, unless its registers are claimed.
///
/// `areClaimed` tells what the board's boot arguments ask for: without that these tests are the control.
func testUnconfinedMasters(_ report: inout TestReport, areClaimed: Bool) {
  let area: StaticString = "masters"
  guard areClaimed else {
    report.test(area, "fw_cfg writes to the host's memory") { test in
      test.expectLoad(
        probe(EL1_LDR_X, FirmwareConfiguration.address),
        of: FirmwareConfiguration.identity.byteSwapped)
      let target = Arena.spare + 0x1000
      el1_store64(target, 0)
      test.expectCompletion(FirmwareConfiguration.write(to: target))
      test.expect("what is left of the request", FirmwareConfiguration.remainder, equals: 0)
      test.expect(
        "the word in memory", el1_load64(target), equals: FirmwareConfiguration.signature)
    }
    report.test(area, "fw_cfg, which nothing claims, writes to EL2's memory") { test in
      guard let canary = Hypercall.canary() else {
        test.fail("no hypervisor tells where its canary is")
        return
      }
      _ = Hypercall.overwrittenCanaryWords()
      test.expectCompletion(FirmwareConfiguration.write(to: canary.base))
      test.expect("what is left of the request", FirmwareConfiguration.remainder, equals: 0)
      test.expect("the words that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 1)
    }
    return
  }
  report.test(area, "fw_cfg, which is claimed, does not write to EL2's memory") { test in
    guard let canary = Hypercall.canary() else {
      test.fail("no hypervisor tells where its canary is")
      return
    }
    _ = Hypercall.overwrittenCanaryWords()
    test.expectAbort(
      FirmwareConfiguration.write(to: canary.base), at: FirmwareConfiguration.address, write: true)
    test.expect("the words that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
  }
  report.test(area, "nor can its registers be read, or written in halves") { test in
    let address = FirmwareConfiguration.address
    test.expectAbort(
      probe(EL1_LDRB, FirmwareConfiguration.data), at: FirmwareConfiguration.data, write: false)
    test.expectAbort(probe(EL1_LDR_X, address), at: address, write: false)
    test.expectAbort(probe(EL1_STR_W, address, value: 0), at: address, write: true)
    test.expectAbort(probe(EL1_STR_W, address + 4, value: 0), at: address + 4, write: true)
  }
  report.test(area, "virtio's transports are out of reach, the clock beside them is not") { test in
    let first = Board.virtioTransports
    let last = first + 31 * 0x200
    test.expectAbort(probe(EL1_LDR_W, first), at: first, write: false)
    test.expectAbort(probe(EL1_LDR_W, last), at: last, write: false)
    test.expectCompletion(probe(EL1_LDR_W, Board.clock))
  }
  report.test(area, "the tree says that they are disabled, and not that others are") { test in
    let tree = FlatTree(address: el1_device_tree())
    if !tree.hasProperty("status\0", of: "fw-cfg@") { test.fail("fw_cfg is not") }
    if !tree.hasProperty("status\0", of: "virtio_mmio@") { test.fail("virtio is not") }
    if tree.hasProperty("status\0", of: "pl011@") { test.fail("the console is") }
  }
}
