// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// What devices reach, page by page, against what the host reaches: probed by DMA and by instructions.
///
/// Pages behind which nothing is are left out, for there the host's own access aborts as well; and of pages whose
/// registers EL2 answers for, devices reach none.
func testProbing(_ report: inout TestReport, isNested: Bool) {
  guard let device = EduDevice(0) else {
    report.test("dma probing", "there is a device") { $0.fail("there is not") }
    return
  }
  func compare(
    _ name: StaticString, from first: UInt64, to end: UInt64, stride: UInt64 = 0x1000,
    isAnswered: Bool = false, atLeast reached: UInt64, _ refused: UInt64
  ) {
    report.test("dma probing", name) { test in
      var counts: (reached: UInt64, refused: UInt64) = (0, 0)
      var address = first
      while address < end {
        let host =
          !isAnswered && probe(EL1_LDR_W, StageOne.window(onto: address)).completed
        let before = DMAFaults.count
        device.beginReading(address, count: 4)
        if !device.wait() { test.fail("the DMA doesn't end") }
        let isReached = DMAFaults.count == before
        if isReached != host { test.expect("a page", address, equals: 0) }
        if isReached { counts.reached += 1 } else { counts.refused += 1 }
        address += stride
      }
      test.expect("the pages that are reached", counts.reached, in: reached...(.max))
      test.expect("the pages that are refused", counts.refused, in: refused...(.max))
    }
  }
  let page: UInt64 = 0x1000
  guard let information = Hypercall.information() else {
    report.test("dma probing", "EL2's memory") { $0.fail("no hypervisor tells where it is") }
    return
  }
  let base = information.memoryBase
  let end = information.memoryEnd
  compare(
    "the pages where EL2's memory begins", from: base - 16 * page, to: base + 16 * page,
    atLeast: 16, 16)
  compare(
    "the pages where EL2's memory ends", from: end - 16 * page, to: end + 16 * page, atLeast: 16,
    16)
  compare(
    "memory, a page of every 2 MiB and some more", from: Board.memory,
    to: Board.memory + 0x4000_0000, stride: 0x1f_f000, atLeast: 480, 8)
  compare(
    "the ITS's control frame", from: Board.itsControl, to: Board.itsTranslation, isAnswered: true,
    atLeast: 0, 16)
  let frame: UInt64 = 0x1_0000
  compare(
    "the first Redistributor's own frame", from: Board.redistributors,
    to: Board.redistributors + frame, isAnswered: true, atLeast: 0, 16)
  compare(
    "the first Redistributor's other frame", from: Board.redistributors + frame,
    to: Board.redistributors + 2 * frame, atLeast: 16, 0)
  compare(
    "the SMMU", from: Board.smmu, to: Board.smmu + Board.smmuSize, isAnswered: isNested,
    atLeast: 0, 32)
}
