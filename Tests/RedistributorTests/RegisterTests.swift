// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Redistributor
import Simulation
import SimulatedHardware
import Testing
import Traps

@Suite("Registers of a mediated Redistributor") struct RegisterTests {
  @Test(
    "B-09 No store reaches the hardware but to the registers that are let through",
    arguments: [false, true])
  func denied(_ isEnabled: Bool) throws {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    let board = try GuardedBoard(options)
    if isEnabled { board.enable() }
    let before = board.writes.count
    for offset in stride(from: UInt64(0), to: 0x4_0000, by: 4)
    where !(0x1_0000..<0x2_0000 ~= offset) {
      // Not what would disable or enable LPIs.
      if offset == FrameOffset.control { continue }
      for width in [AccessWidth.word, .double] where offset % width.bytes == 0 {
        board.write(0, offset, .max, width)
        board.write(0, offset, 8200, width)
      }
    }
    let reached = Set(board.writes.dropFirst(before).map(\.offset))
    let direct = [
      FrameOffset.setLPI, FrameOffset.clearLPI, FrameOffset.invalidateLPI,
    ]
    #expect(reached == Set([FrameOffset.waker] + (isEnabled ? direct : [])))
    #expect(board.violation() == nil)
  }

  @Test("B-10 What is not named reads as zero and is counted")
  func zero() throws {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    let board = try GuardedBoard(options)
    for offset in [0x10, 0x1c, 0x20, 0x3c, 0x40, 0x48, 0x60, 0xa0, 0xb0, 0x100, 0xc000, 0xffcc]
      + [0x2_0000, 0x2_0070, 0x2_0078, 0x2_fffc, 0x3_0000] as [UInt64]
    {
      let before = board.guarding.counters.ignored
      let value = board.value(0, offset, [0xa0, 0xb0].contains(offset) ? .double : .word)
      #expect(value == 0, "at \(offset)")
      #expect(board.guarding.counters.ignored == before + 1)
    }
  }

  @Test("What tells of the hardware is passed on")
  func passed() throws {
    let board = try GuardedBoard()
    #expect(board.value(0, 0x4, .word) == 0x43b)
    #expect(board.value(0, 0xffe8, .word) == 0x30)
    #expect(board.value(0, FrameOffset.type) == board.gic.redistributors[0].typer.rawValue)
    #expect(board.value(1, FrameOffset.type + 4, .word) == 1)
    #expect(board.value(0, 0xc0, .word) == 0)
  }

  @Test("GICR_TYPER hides GICv4.1's vPEs, and keeps the bit that says where the next one is")
  func type() throws {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    options.features = 1 << 2 | 1 << 7
    let board = try GuardedBoard(options)
    let typer = try #require(board.value(0, FrameOffset.type))
    #expect(typer & (1 << 2 | 1 << 7) == 0)
    #expect(GICRTyper(rawValue: typer).size == 0x4_0000)
  }

  @Test("GICv4.1's vPEs are not offered, even where virtual LPIs are")
  func gicv41() throws {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    options.offersVirtualLPIs = true
    options.features = 1 << 7
    let board = try GuardedBoard(options)
    board.write(0, FrameOffset.virtualConfiguration, 1 << 63 | 0x5fff_0000)
    #expect(board.writes.isEmpty)
    #expect(board.value(0, FrameOffset.virtualConfiguration) == 0)
  }

  @Test(
    "B-05 B-06 B-08 A width that the register does not have is refused",
    arguments: [
      (0x0, .double), (0x4, .double), (0x8, .half), (0x70, .byte), (0x70, .half), (0x10, .double),
      (0xa0, .word), (0xb0, .word), (0xffe8, .double), (0x20, .byte), (0x2_0078, .half),
    ] as [(UInt64, AccessWidth)])
  func widths(_ offset: UInt64, _ width: AccessWidth) throws {
    let board = try GuardedBoard()
    #expect(board.read(0, offset, width) == .refused(.width))
    #expect(board.write(0, offset, 0, width) == .refused(.width))
    #expect(board.writes.isEmpty)
  }

  @Test("B-12 There is nobody behind a number that no Redistributor has", arguments: [-1, 2, 64])
  func number(_ number: Int) throws {
    let board = try GuardedBoard()
    let access = Access(offset: 0, address: VirtualAddress(0x810_0000), width: .word)
    let machine = board.machine(0)
    let read = board.guarding.read(number, access, machine: machine)
    let write = board.guarding.write(number, access, 1, machine: machine)
    #expect(read == .refused(.noHandler) && write == .refused(.noHandler))
  }

  @Test("GICR_CTLR: the host sets its groups, and nothing that is read only")
  func control() throws {
    let board = try GuardedBoard()
    board.write(0, FrameOffset.control, 0xffff_fffe, .word)
    let expected: UInt64 = 0b110 | 0b111 << 24
    #expect(board.value(0, FrameOffset.control, .word) == expected)
    let isEnabled = board.enable()
    #expect(isEnabled)
    #expect(board.value(0, FrameOffset.control, .word) == 0b111)
  }

  @Test("GICR_WAKER: ProcessorSleep is the host's")
  func waker() throws {
    let board = try GuardedBoard()
    #expect(board.value(0, FrameOffset.waker, .word) == 0b110)
    board.write(0, FrameOffset.waker, 0, .word)
    #expect(board.value(0, FrameOffset.waker, .word) == 0)
    board.write(0, FrameOffset.waker, 0xffff_ffff, .word)
    // GICR_WAKER's other bits are the implementation's.
    #expect(board.writes.last?.value == 0b10)
  }

  @Test(
    "B-07 Halves of the table registers are joined",
    arguments: [FrameOffset.configuration, FrameOffset.pending])
  func halves(_ offset: UInt64) throws {
    let board = try GuardedBoard()
    board.write(0, offset, 0x0001_0002_0003_0000)
    board.write(0, offset + 4, 0x0004_0005, .word)
    #expect(board.value(0, offset) == 0x0004_0005_0003_0000)
    board.write(0, offset, 0x0006_0000, .word)
    #expect(board.value(0, offset + 4, .word) == 0x0004_0005)
    #expect(board.value(0, offset, .word) == 0x0006_0000)
    // RES0 bits stay clear.
    board.write(0, offset, .max)
    let expected =
      offset == FrameOffset.pending
      ? GICRPendingBase.writable : GICRConfigurationBase.writable
    #expect(board.value(0, offset) == expected)
    #expect(board.writes.isEmpty)
  }

  @Test("The host learns before it enables LPIs that its tables can't be Shareable")
  func attributes() throws {
    var options = GuardedBoardOptions()
    options.isCoherent = false
    let board = try GuardedBoard(options)
    for offset in [FrameOffset.configuration, FrameOffset.pending] {
      board.write(0, offset, GuardedBoard.pending() | GuardedBoard.attributes)
      let expected: UInt64 = GuardedBoard.pending() | 7 << 7
      #expect(board.value(0, offset) == expected)
    }
    #expect(board.writes.isEmpty)
  }

  @Test(
    "Direct registers take LPIs that the tables have, and no vPE",
    arguments: [
      (FrameOffset.setLPI, 8192, true), (FrameOffset.setLPI, 8191, false),
      (FrameOffset.setLPI, 0xffff, true),
      (FrameOffset.setLPI, 0x1_0000, false), (FrameOffset.setLPI, 1 << 32 | 8192, false),
      (FrameOffset.clearLPI, 8200, true), (FrameOffset.clearLPI, 0, false),
      (FrameOffset.invalidateLPI, 8200, true), (FrameOffset.invalidateLPI, 1 << 63 | 8200, false),
      (FrameOffset.invalidateLPI, 0x1_0000, false),
      (FrameOffset.invalidateAll, 0, true), (FrameOffset.invalidateAll, 1 << 63, false),
      (FrameOffset.invalidateAll, 1, false),
    ] as [(UInt64, UInt64, Bool)])
  func direct(_ offset: UInt64, _ value: UInt64, isPassed: Bool) throws {
    let board = try GuardedBoard()
    board.write(0, offset, value)
    #expect(board.writes.isEmpty)
    board.enable()
    let before = board.writes.count
    board.write(0, offset, value)
    #expect((board.writes.count == before + 1) == isPassed)
    board.gic.redistributors[0].stopsSlowly = true
    board.write(0, FrameOffset.control, 0, .word)
    let stopping = board.writes.count
    board.write(0, offset, value)
    #expect(board.writes.count == stopping)
    #expect(board.violation() == nil)
  }

  @Test("Direct registers that the hardware lacks are not written", arguments: [true, false])
  func indirect(_ hasInvalidation: Bool) throws {
    var options = GuardedBoardOptions()
    options.features = 0
    let board = try GuardedBoard(options) {
      $0.gic.redistributors[0].hasInvalidation = hasInvalidation
    }
    board.enable()
    let before = board.writes.count
    board.write(0, FrameOffset.setLPI, 8200)
    board.write(0, FrameOffset.clearLPI, 8200)
    #expect(board.writes.count == before)
    board.write(0, FrameOffset.invalidateAll, 0)
    board.write(0, FrameOffset.invalidateLPI, 8200)
    #expect(board.writes.count == before + (hasInvalidation ? 2 : 0))
  }

  @Test("A Redistributor without LPIs has no table registers")
  func withoutLPIs() throws {
    let board = try GuardedBoard()
    // The simulated ones all have LPIs: EL2 is told otherwise.
    let slots = SlotMemory()
    var guarding = MediatedRedistributors(
      interruptLimit: 1 << 16, pins: PhysicalAddress(0x5f00_2000), slots: slots.slots,
      offersVirtualLPIs: false)
    let machine = PlainMachine()
    try guarding.add(VirtualAddress(0), machine: machine)
    try guarding.finish(machine: machine)
    let access = Access(offset: FrameOffset.pending, address: VirtualAddress(0), width: .double)
    let write = guarding.write(0, access, .max, machine: machine)
    let read = guarding.read(0, access, machine: machine)
    #expect(write == .done && read == .value(0))
    let control = Access(offset: 0, address: VirtualAddress(0), width: .word)
    let enabling = guarding.write(0, control, 1, machine: machine)
    #expect(enabling == .done && guarding.heldTables == 0)
    #expect(board.writes.isEmpty)
  }
}
