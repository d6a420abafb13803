// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

// Memory that a host may name and that EL2 must survive, or must be able to read.

/// A board whose tree tells of memory behind 0x8000_0000, where nothing answers.
func testSilentMemory(_ report: inout TestReport) {
  let area: StaticString = "silent memory"
  let silent: UInt64 = 0x8000_0000
  Redistributors.begin()
  report.test(area, "F-12: a queue that does not answer stalls at its first command, and EL2 lives")
  {
    test in
    expectStalled(&test, queue: silent, offset: 0)
  }
  report.test(area, "F-12: an ITS serves the next queue as before") {
    expectServed(&$0, Arena.queue)
  }
  report.test(area, "F-12: a queue whose second page does not answer stalls there") { test in
    let queue = silent - 0x1000
    el1_zero(queue, 0x1000)
    let sync = ITSCommand.sync(target: Redistributors.target(of: currentCPU()))
    for offset in stride(from: 0, to: 0x1000, by: 32) as StrideTo<UInt64> {
      let words = sync.words
      for index in words.indices { el1_store64(queue + offset + UInt64(index) * 8, words[index]) }
    }
    el1_clean(queue, 0x1000)
    expectStalled(&test, queue: queue, offset: 0x1000)
  }
  report.test(area, "F-12: and the one behind that") { expectServed(&$0, Arena.queue) }
}

/// The memory in which firmware has left the tree: the host's like any other.
func testFirmwareTree(_ report: inout TestReport) {
  let area: StaticString = "firmware's tree"
  report.test(area, "F-17: a queue where it was is served") { test in
    guard let tree = firmwareTree() else {
      test.skip("it is not at a multiple of 2 MiB")
      return
    }
    expectServed(&test, tree)
  }
}

/// Where a device tree lies that is not the host's own; what aborts is none.
private func firmwareTree() -> UInt64? {
  let own = el1_device_tree()
  for place in stride(from: Board.memory, to: Board.memory + 1 << 30, by: 0x20_0000)
    as StrideTo<UInt64>
  where place != own && load32(place) == 0xedfe_0dd0 {
    return place
  }
  return nil
}

private func expectServed(_ test: inout Test, _ queue: UInt64) {
  var its = ITSDriver()
  its.queue = queue
  if !its.start() { test.fail("the queue is not served") }
  _ = ITSDriver.disable()
}

private func expectStalled(_ test: inout Test, queue: UInt64, offset: UInt64) {
  var its = ITSDriver()
  guard its.program() else { return test.fail("the ITS can't be programmed") }
  let base = GITSCommandBase(base: queue, pages: 2, attributes: MemoryAttributes.coherent)
  store64(ITSDriver.control + Register.gitsCBASER, base.rawValue)
  ITSDriver.enable()
  store32(ITSDriver.control + Register.gitsCWRITER, offset + ITSCommand.size)
  let isStalled = Patience.wait {
    GITSQueuePointer(rawValue: load64(ITSDriver.control + Register.gitsCREADR)).isStalled
  }
  if !isStalled { test.fail("GITS_CREADR.Stalled stays clear") }
  let pointer = GITSQueuePointer(rawValue: load64(ITSDriver.control + Register.gitsCREADR))
  test.expect("where it is", pointer.offset, equals: offset)
  _ = ITSDriver.disable()
}
