// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The test host: everything that the host may and may not do to an ITS and to EL2, tried.
@main
struct Main {
  static func main() {
    let tree = FlatTree(address: el1_device_tree())
    Console.begin(tree)
    Patience.begin(tree)
    Hypercall.begin(tree)
    guard tree.isThere else { bailOut("there is no device tree") }
    guard tree.hasCompatible("arm,gic-v3-its\0") else { bailOut("the board has no ITS") }
    if tree.bootArgumentsBegin(with: "portcullis.bench") {
      measureAccesses()
      if tree.bootArgumentsHold("testhost.nested") { measureSMMU() }
      StageOne.enable()
      measureCommands()
      el1_exit(0)
    }
    let handover = HandoverForm(tree)
    if handover == .kept { keepLiveITS() }
    var report = TestReport()
    let psci = PSCI()
    if handover == .disabled { testTrustEnds(&report) }

    if FlatTree(address: el1_device_tree()).bootArgumentsBegin(with: "portcullis.trace") {
      // What is refused first: a trace holds so much, and keeps what came first.
      StageOne.enable()
      Redistributors.begin()
      testTrace(&report)
      testRegisterFile(&report)
      testCommandAttacks(&report, psci)
      testTableAttacks(&report)
      testHonestLife(&report)
      el1_exit(report.finish())
    }
    if tree.bootArgumentsHold("testhost.silent") {
      StageOne.enable()
      testSilentMemory(&report)
      el1_exit(report.finish())
    }
    if tree.bootArgumentsHold("testhost.cpus") {
      StageOne.enable()
      testManyProcessors(&report, tree, psci)
      el1_exit(report.finish())
    }
    if tree.bootArgumentsHold("testhost.listed") {
      StageOne.enable()
      testListedDevices(&report)
      el1_exit(report.finish())
    }
    if tree.bootArgumentsHold("testhost.unused") {
      StageOne.enable()
      testUnusedHardware(&report, tree)
      el1_exit(report.finish())
    }
    if tree.bootArgumentsHold("testhost.dma") {
      StageOne.enable()
      if handover.isLive {
        testDMAHandover(&report)
      } else {
        let isNested = tree.bootArgumentsHold("testhost.nested")
        testDMA(
          &report, isNested: isNested, hasSecondVM: tree.bootArgumentsHold("harness.guest"))
        testProbing(&report, isNested: isNested)
      }
      if Hypercall.isEmbedded { testStack(&report) }
      el1_exit(report.finish())
    }
    testDeviceTree(&report)
    if handover.isLive {
      StageOne.enable()
      testHandover(&report, psci, twoLevels: handover == .twoLevels)
      // From here on it is a host like any other, which begins with a disabled ITS.
      _ = ITSDriver.disable()
    } else {
      testWithoutMMU(&report)
      StageOne.enable()
    }
    testReads(&report, area: "its", control: Board.itsControl)
    testWrites(&report, area: "its", control: Board.itsControl)
    testRegisters(&report)
    testRefusedWidths(&report, area: "its", control: Board.itsControl)
    testMisaligned(&report)
    testAccessesWithoutSyndrome(&report)
    testUnreachableFrame(&report)
    testMaintenance(&report)
    testNeighbours(&report)
    testHoles(&report)
    testEL2Memory(&report)
    testUnconfinedMasters(
      &report, areClaimed: tree.bootArgumentsHold("portcullis.masters=claim"))
    testHypercalls(&report)
    testStatistics(&report)
    if !Hypercall.isEmbedded { testBoardStatistics(&report) }
    testFirmware(&report, psci)
    testHonestLife(&report, tablesAreFixed: handover.isLive)
    if !handover.isLive { testHabits(&report) }
    testFirmwareTree(&report)
    testTargets(&report, psci)
    testRegisterFile(&report)
    testTableAttacks(&report)
    testCommandAttacks(&report, psci)
    testRedistributorAttacks(&report)
    testVirtualAttacks(&report)
    if tree.bootArgumentsHold("harness.guest") { testDonations(&report) }
    testUnexpectedInterrupts(&report)
    testProcessors(&report, psci)
    if Hypercall.isEmbedded { testStack(&report) }

    el1_exit(report.finish())
  }

  /// Ends a run in which nothing can be tested.
  private static func bailOut(_ reason: StaticString) -> Never {
    Console.write("Bail out! ")
    Console.write(reason)
    Console.write("\n")
    el1_exit(2)
  }

  /// The MMU off: every access is Device-nGnRnE, and EL0 may do what EL1 may.
  private static func testWithoutMMU(_ report: inout TestReport) {
    testReads(&report, area: "its, MMU off", control: Board.itsControl)
    testWrites(&report, area: "its, MMU off", control: Board.itsControl)
    testRefusedWidths(&report, area: "its, MMU off", control: Board.itsControl)
    testOrigins(&report)
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el1_unexpected_exception(_ cpu: UInt64) {
  let taken = TakenException(of: cpu)
  Console.write("Bail out! unexpected exception on CPU ")
  Console.write(decimal: cpu)
  Console.write(", vector ")
  Console.write(hexadecimal: taken.vector)
  Console.write(", ESR_EL1 ")
  Console.write(hexadecimal: taken.syndrome)
  Console.write(", FAR_EL1 ")
  Console.write(hexadecimal: taken.faultAddress)
  Console.write(", ELR_EL1 ")
  Console.write(hexadecimal: taken.returnAddress)
  Console.write(", image at ")
  Console.write(hexadecimal: el1_image_start())
  Console.write("\n")
  el1_exit(2)
}
