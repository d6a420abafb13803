// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Redistributor
import SimulatedHardware
import Testing
import Traps

extension GuardedBoard {
  fileprivate func refused(_ reason: TableRefusal) -> UInt64 {
    guarding.counters.refused[Int(reason.rawValue)]
  }
}

@Suite("When LPI tables come into use and when they are free") struct StateTests {
  @Test("B-85 An honest host's LPIs are enabled, taken, disabled, and enabled elsewhere")
  func life() throws {
    let board = try GuardedBoard()
    let pending = GuardedBoard.pending()
    board.gic.memory.store(.byte, 0xa1, at: GuardedBoard.configuration() + 8)
    // What was pending before LPIs are enabled is taken then.
    board.gic.memory.store(.byte, 1, at: pending + 8200 / 8)
    let isEnabled = board.enable()
    #expect(isEnabled)
    #expect(board.gic.delivered.map(\.interrupt) == [8200])
    let asked = GuardedBoard.configuration() | GuardedBoard.attributes | 15
    #expect(board.value(0, FrameOffset.configuration) == asked)
    #expect(board.value(0, FrameOffset.pending) == pending | GuardedBoard.attributes)
    #expect(board.guarding.heldTables == 2)
    // The host goes on writing the table.
    board.gic.memory.store(.byte, 0xa1, at: GuardedBoard.configuration() + 9)
    board.pend(8201)
    #expect(board.gic.delivered.map(\.interrupt) == [8200, 8201])
    let isDisabled = !board.setEnabled(0, false)
    #expect(isDisabled)
    #expect(board.guarding.heldTables == 0)
    let isEnabledAgain = board.enable(
      configuration: GuardedBoard.configuration(1), pending: GuardedBoard.pending(3))
    #expect(isEnabledAgain)
    #expect(board.guarding.counters.enabled == 2 && board.guarding.counters.released == 1)
    #expect(board.guarding.counters.allRefused == 0)
    #expect(board.violation() == nil)
  }

  @Test(
    "PTZ reads as zero, counts once, and reaches the hardware with the table",
    arguments: [true, false])
  func zeroed(_ isZeroed: Bool) throws {
    let board = try GuardedBoard()
    let ptz: UInt64 = isZeroed ? 1 << 62 : 0
    board.write(0, FrameOffset.configuration, GuardedBoard.configuration() | 15)
    board.write(0, FrameOffset.pending, GuardedBoard.pending() | ptz)
    #expect(board.value(0, FrameOffset.pending) == GuardedBoard.pending())
    board.setEnabled(0, true)
    board.setEnabled(0, false)
    board.setEnabled(0, true)
    let written = board.writes.filter { $0.offset == FrameOffset.pending }.map(\.value)
    #expect(written == [GuardedBoard.pending() | ptz, GuardedBoard.pending()])
  }

  @Test("B-85 While LPIs are enabled the table registers keep what they have")
  func locked() throws {
    let board = try GuardedBoard()
    board.enable()
    let before = board.writes.count
    let ignored = board.guarding.counters.ignored
    board.write(0, FrameOffset.pending, GuardedBoard.pending(3))
    board.write(0, FrameOffset.configuration, GuardedBoard.configuration(1) | 15)
    board.write(0, FrameOffset.configuration + 4, 0, .word)
    #expect(board.value(0, FrameOffset.pending) == GuardedBoard.pending() | GuardedBoard.attributes)
    #expect(board.writes.count == before)
    #expect(board.guarding.counters.ignored == ignored + 3)
    #expect(board.violation() == nil)
  }

  @Test("B-86 While LPIs are being disabled nothing is written and all stays held")
  func stopping() throws {
    let board = try GuardedBoard()
    board.enable()
    board.gic.redistributors[0].stopsSlowly = true
    board.write(0, FrameOffset.control, 0, .word)
    #expect(board.value(0, FrameOffset.control, .word).map { $0 & 0b1001 } == 0b1000)
    let before = board.writes.count
    board.write(0, FrameOffset.control, 1, .word)
    board.write(0, FrameOffset.pending, GuardedBoard.pending(3))
    #expect(board.writes.count == before)
    #expect(board.guarding.heldTables == 2)
    #expect(board.violation() == nil)
    board.gic.redistributors[0].finishStopping()
    #expect(board.value(0, FrameOffset.control, .word).map { $0 & 0b1001 } == 0)
    #expect(board.guarding.heldTables == 0)
    let isEnabled = board.enable(pending: GuardedBoard.pending(3))
    #expect(isEnabled)
    #expect(board.violation() == nil)
  }

  @Test("B-86 Where EnableLPIs can't be cleared it reads as set, and the tables stay held")
  func stuck() throws {
    let board = try GuardedBoard { $0.gic.redistributors[0].staysEnabled = true }
    board.enable()
    let isEnabled = board.setEnabled(0, false)
    #expect(isEnabled)
    #expect(board.guarding.heldTables == 2)
    board.write(0, FrameOffset.pending, GuardedBoard.pending(3))
    #expect(board.value(0, FrameOffset.pending) == GuardedBoard.pending() | GuardedBoard.attributes)
    #expect(board.violation() == nil)
  }

  @Test("B-86 Without CES tables are held for good, and only the same may be used again")
  func unpromised() throws {
    let board = try GuardedBoard {
      for redistributor in $0.gic.redistributors { redistributor.promisesDisabling = false }
    }
    board.enable()
    let isDisabled = !board.setEnabled(0, false)
    #expect(isDisabled)
    #expect(board.guarding.heldTables == 2)
    let isTaken = board.takePage(GuardedBoard.pending())
    #expect(!isTaken)
    for _ in 0..<200 {
      let isEnabled = board.enable()
      #expect(isEnabled)
      board.setEnabled(0, false)
    }
    let isMoved = board.enable(pending: GuardedBoard.pending(3))
    #expect(!isMoved)
    #expect(board.refused(.stillHeld) == 1)
    // The other one has tables of its own.
    let differs = board.enable(1, configuration: GuardedBoard.configuration(1))
    #expect(differs)
    #expect(board.guarding.heldTables == 4)
    #expect(board.violation() == nil)
  }

  @Test("B-88 A Redistributor that has lost its power is disabled, and its tables are free")
  func power() throws {
    let board = try GuardedBoard()
    board.enable()
    board.gic.redistributors[0].losePower()
    #expect(board.value(0, FrameOffset.control, .word).map { $0 & 1 } == 0)
    #expect(board.guarding.heldTables == 0)
    // A host that resumes enables it with what it has written before.
    let isEnabled = board.setEnabled(0, true)
    #expect(isEnabled)
    #expect(board.gic.redistributors[0].pendingTable == GuardedBoard.pending())
    #expect(board.violation() == nil)
  }

  @Test("B-88 Only the Redistributor's own CPU has its tables given back")
  func otherCPU() throws {
    let board = try GuardedBoard()
    board.enable(1)
    let hardware = board.gic.redistributors[1]
    // CPU 1 sleeps, and firmware has saved its Redistributor.
    let saved = hardware.state
    hardware.losePower()
    #expect(board.value(1, FrameOffset.control, .word, from: 0).map { $0 & 1 } == 0)
    board.write(1, FrameOffset.control, 0, .word, from: 0)
    board.write(1, FrameOffset.pending, GuardedBoard.pending(3), from: 0)
    board.write(1, FrameOffset.control, 1, .word, from: 0)
    #expect(board.refused(.stillHeld) == 1)
    let isTaken = board.takePage(GuardedBoard.pending(1))
    #expect(!isTaken)
    // It wakes up as it was.
    hardware.state = saved
    board.pend(8200, on: 1)
    #expect(board.violation() == nil)
    #expect(board.value(1, FrameOffset.control, .word).map { $0 & 1 } == 1)
    board.setEnabled(1, false)
    #expect(board.guarding.heldTables == 0)
    let isMoved = board.enable(1, pending: GuardedBoard.pending(3))
    #expect(isMoved && board.violation() == nil)
  }

  @Test(
    "F-24: Each configuration table is held until its own Redistributor lets go",
    arguments: [0, 1, 2, 3] as [UInt64])
  func otherTables(_ field: UInt64) throws {
    var options = GuardedBoardOptions()
    options.affinities = [0x0102_0300, 0x0102_0304]
    options.features = field << 24
    let board = try GuardedBoard(options)
    let old = GuardedBoard.configuration()
    let isFirst = board.enable(0)
    let isSecond = board.enable(1)
    #expect(isFirst && isSecond)
    // Another kernel begins on CPU 0, with the other CPUs off and their Redistributors as they were.
    board.setEnabled(0, false)
    let isOther = board.enable(0, configuration: GuardedBoard.configuration(1))
    #expect(isOther && board.guarding.counters.allRefused == 0)
    #expect(board.violation() == nil)
    let isTaken = board.takePage(old)
    #expect(!isTaken)
    board.setEnabled(1, false)
    let isFree = board.takePage(old)
    let isUsed = !board.takePage(GuardedBoard.configuration(1))
    #expect(isFree && isUsed)
    // A pending table for fewer INTIDs than the register of another may say is not safe.
    let isSmaller = board.enable(1, configuration: GuardedBoard.configuration(1), bits: 15)
    #expect(!isSmaller && board.refused(.configurationDiffers) == 1)
    let joins = board.enable(1, configuration: GuardedBoard.configuration(1))
    #expect(joins && board.violation() == nil)
  }

  @Test("F-24: Where GICR_PROPBASER is one register, who writes the first one has written all")
  func oneRegister() throws {
    let board = try GuardedBoard { $0.gic.hasOneConfigurationBase = true }
    board.write(
      0, FrameOffset.configuration, GuardedBoard.configuration() | GuardedBoard.attributes | 15)
    let read = board.value(0, FrameOffset.configuration)
    #expect(board.value(1, FrameOffset.configuration) == read)
    for number in 0..<2 {
      board.write(number, FrameOffset.pending, GuardedBoard.pending(UInt64(number)))
      let isEnabled = board.setEnabled(number, true)
      #expect(isEnabled)
    }
    board.pend(8200, on: 1)
    #expect(board.violation() == nil)
  }

  @Test("F-24: What one register names is held as long as any Redistributor may use it")
  func oneRegisterHeld() throws {
    let board = try GuardedBoard { $0.gic.hasOneConfigurationBase = true }
    let isFirst = board.enable(0)
    let isSecond = board.enable(1)
    #expect(isFirst && isSecond)
    board.setEnabled(1, false)
    let isOther = board.enable(1, configuration: GuardedBoard.configuration(1))
    #expect(isOther && board.violation() == nil)
    // The register now has Redistributor 0 use the table of Redistributor 1, which lets go of it.
    board.setEnabled(1, false)
    let isTaken = board.takePage(GuardedBoard.configuration(1))
    #expect(!isTaken)
    board.pend(8200, on: 0)
    #expect(board.violation() == nil)
    // The same again and again takes no more.
    for index in 2..<200 as Range<UInt64> {
      board.enable(1, configuration: GuardedBoard.configuration(index % 6))
      board.setEnabled(1, false)
      #expect(board.violation() == nil)
    }
    board.setEnabled(0, false)
    board.setEnabled(1, false)
    #expect(board.guarding.heldTables == 0)
    let isFree = board.takePage(GuardedBoard.configuration(1))
    #expect(isFree)
  }

  @Test(
    "Tables have their true size: what the register or the board has fewer bits for",
    arguments: [(16, 16, 16), (16, 32, 16), (20, 17, 17), (14, 14, 14), (16, 1, 14), (16, 13, 14)]
      as [(UInt64, UInt64, UInt64)])
  func sizes(_ board: UInt64, _ register: UInt64, _ bits: UInt64) throws {
    var options = GuardedBoardOptions()
    options.interruptIDBits = board
    let subject = try GuardedBoard(options)
    let isEnabled = subject.enable(bits: register)
    #expect(isEnabled)
    let configuration = (1 << bits - 8192 + 0xfff) >> 12 as UInt64
    let pending = (1 << bits / 8 + 0xfff) >> 12 as UInt64
    for (base, pages) in [
      (GuardedBoard.configuration(), configuration), (GuardedBoard.pending(), pending),
    ] {
      #expect(subject.isHeld(base >> 12) && subject.isHeld(base >> 12 + pages - 1))
      #expect(!subject.isHeld(base >> 12 + pages))
    }
    #expect(subject.violation() == nil)
  }

  @Test("Tables for more INTIDs than EL2 holds tables for are refused")
  func tooLarge() throws {
    var options = GuardedBoardOptions()
    options.interruptIDBits = 32
    let board = try GuardedBoard(options)
    let isLarge = board.enable(bits: 25)
    #expect(!isLarge)
    #expect(board.refused(.tooLarge) == 1)
    let fits = board.enable(configuration: 0x4100_0000, pending: 0x4800_0000, bits: 24)
    #expect(fits)
    #expect(board.violation() == nil)
  }

  @Test("Hardware that has other registers than were checked is not enabled")
  func readOnly() throws {
    let board = try GuardedBoard {
      $0.gic.redistributors[0].fixedConfigurationBase = ITSWorld.canary.first.address.rawValue | 15
    }
    let isEnabled = board.enable()
    #expect(!isEnabled)
    #expect(board.refused(.hardware) == 1)
    #expect(board.guarding.heldTables == 0)
    #expect(!board.touchesHypervisor)
  }

  @Test("Where EnableLPIs does not stick nothing stays held")
  func refusing() throws {
    let board = try GuardedBoard { $0.gic.redistributors[0].refusesEnabling = true }
    let isEnabled = board.enable()
    #expect(!isEnabled)
    #expect(board.guarding.heldTables == 0)
  }

  @Test("After an external abort in doubt everything stays held")
  func aborted() throws {
    let board = try GuardedBoard()
    board.write(0, FrameOffset.configuration, GuardedBoard.configuration() | 15)
    board.write(0, FrameOffset.pending, GuardedBoard.pending())
    board.aborts = { offset, isWrite in isWrite && offset == FrameOffset.control }
    #expect(board.write(0, FrameOffset.control, 1, .word) == .refused(.externalAbort))
    #expect(board.guarding.heldTables == 2)
    board.aborts = { _, _ in true }
    #expect(board.read(0, FrameOffset.control, .word) == .refused(.externalAbort))
    #expect(board.guarding.heldTables == 2)
    board.aborts = nil
    #expect(board.value(0, FrameOffset.control, .word).map { $0 & 1 } == 0)
    #expect(board.guarding.heldTables == 0)
    board.aborts = { offset, isWrite in isWrite && offset == FrameOffset.pending }
    let isEnabled = board.setEnabled(0, true)
    #expect(!isEnabled)
    #expect(board.guarding.heldTables == 0)
  }

  @Test("A refusal is told once, with what the host has asked for")
  func news() throws {
    let board = try GuardedBoard()
    board.enable(1, pending: 0x5fff_0000)
    let isNew = board.guarding.hasNews
    #expect(isNew)
    let refusal = board.guarding.takeRefusal()
    #expect(refusal?.number == 1 && refusal?.reason == .pendingTable)
    let pending = refusal?.pending
    #expect(pending == 0x5fff_0000 | GuardedBoard.attributes)
    let next = board.guarding.takeRefusal()
    #expect(next == nil)
  }

  @Test("Virtual LPIs: a vPE's tables are held while it is resident")
  func resident() throws {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    options.offersVirtualLPIs = true
    let board = try GuardedBoard(options)
    let configuration = GuardedBoard.configuration() | 15
    board.write(0, FrameOffset.virtualConfiguration, configuration)
    board.write(0, FrameOffset.virtualPending, GuardedBoard.pending() | 1 << 63)
    let expected: UInt64 = GuardedBoard.pending() | 1 << 63
    #expect(board.value(0, FrameOffset.virtualPending) == expected)
    #expect(board.guarding.heldTables == 2 && board.violation() == nil)
    // Locked while it is resident.
    board.write(0, FrameOffset.virtualConfiguration, GuardedBoard.configuration(1))
    #expect(board.value(0, FrameOffset.virtualConfiguration) == configuration)
    board.write(0, FrameOffset.virtualPending + 4, 0, .word)
    #expect(board.value(0, FrameOffset.virtualPending).map { $0 >> 63 } == 0)
    #expect(board.guarding.heldTables == 0)
    #expect(!board.touchesHypervisor && board.violation() == nil)
  }
}

@Suite("Redistributors of a host with addresses of its own") struct TranslatedTests {
  private static let distance: UInt64 = 0x1_0000_0000
  private static var options: GuardedBoardOptions {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    options.offersVirtualLPIs = true
    options.distance = distance
    return options
  }

  @Test("The hardware has physical addresses of LPI tables, and the host its own")
  func tables() throws {
    let board = try GuardedBoard(Self.options)
    let pending = GuardedBoard.pending() + Self.distance
    let isEnabled = board.enable(
      configuration: GuardedBoard.configuration() + Self.distance, pending: pending)
    #expect(isEnabled && board.guarding.heldTables == 2)
    board.pend(8200)
    #expect(board.value(0, FrameOffset.pending) == pending | GuardedBoard.attributes)
    #expect(board.violation() == nil && !board.touchesHypervisor)
    // Again, once they are off, by the same addresses.
    board.setEnabled(0, false)
    let isEnabledAgain = board.setEnabled(0, true)
    #expect(isEnabledAgain && board.violation() == nil)
  }

  @Test("A physical address is none of the host's")
  func physical() throws {
    let board = try GuardedBoard(Self.options)
    let isEnabled = board.enable()
    #expect(!isEnabled && board.guarding.heldTables == 0 && board.violation() == nil)
  }

  @Test(
    "The hardware has physical addresses of a vPE's tables, and the host its own",
    arguments: [AccessWidth.double, .word])
  func resident(_ width: AccessWidth) throws {
    let board = try GuardedBoard(Self.options)
    func store(_ offset: UInt64, _ value: UInt64) {
      if width == .double {
        board.write(0, offset, value)
      } else {
        board.write(0, offset, value & 0xffff_ffff, .word)
        board.write(0, offset + 4, value >> 32, .word)
      }
    }
    let configuration = GuardedBoard.configuration() + Self.distance | 15
    let pending = GuardedBoard.pending() + Self.distance
    // Twice: what is left of the first time is the host's address, too.
    for _ in 0..<2 {
      store(FrameOffset.virtualConfiguration, configuration)
      store(FrameOffset.virtualPending, pending | 1 << 63)
      #expect(board.value(0, FrameOffset.virtualPending) == pending | 1 << 63)
      #expect(board.value(0, FrameOffset.virtualConfiguration) == configuration)
      #expect(board.guarding.heldTables == 2 && board.violation() == nil)
      let hardware = board.gic.read(.double, at: board.base(0) + FrameOffset.virtualPending)
      #expect(hardware.map { $0 & 0xf_ffff_ffff_0000 } == GuardedBoard.pending())
      board.write(0, FrameOffset.virtualPending + 4, pending >> 32, .word)
      #expect(board.value(0, FrameOffset.virtualPending).map { $0 & ~(1 << 61) } == pending)
      #expect(board.guarding.heldTables == 0 && board.violation() == nil)
    }
    // Which address was written when the vPE went: what the architecture has locked stays.
    let wrong = board.writes.filter {
      $0.offset == FrameOffset.virtualPending
        && $0.value & 0xf_ffff_ffff_0000 != GuardedBoard.pending()
    }
    #expect(wrong.isEmpty && !board.touchesHypervisor)
  }

  @Test("LPIs that are found enabled have addresses that the host does not know")
  func found() {
    var options = Self.options
    options.keepsLive = true
    #expect(throws: RedistributorSetupError.self) {
      _ = try GuardedBoard(options) { board in
        let base = board.base(0)
        _ = board.gic.write(
          .double, GuardedBoard.configuration() + Self.distance | 15, at: base + 0x70)
        _ = board.gic.write(.double, GuardedBoard.pending() + Self.distance, at: base + 0x78)
        _ = board.gic.write(.word, 1, at: base)
      }
    }
  }
}

@Suite("Redistributors before the host runs") struct SetupTests {
  private static func makeLive(_ board: GuardedBoard, _ number: Int = 0, pending: UInt64) {
    let base = board.base(number)
    _ = board.gic.write(.double, GuardedBoard.configuration() | 15, at: base + 0x70)
    _ = board.gic.write(.double, pending, at: base + 0x78)
    _ = board.gic.write(.word, 1, at: base)
  }

  @Test("What firmware has left enabled is disabled")
  func disabled() throws {
    let board = try GuardedBoard { Self.makeLive($0, pending: 0x5fff_0000) }
    #expect(board.value(0, FrameOffset.control, .word).map { $0 & 1 } == 0)
    #expect(board.guarding.heldTables == 0)
    #expect(board.gic.redistributors[0].reachable.isEmpty)
  }

  @Test("F-11: live LPIs whose tables are beyond the GIC's addresses are not taken over")
  func liveBeyond() {
    var options = GuardedBoardOptions(addressLimit: GuardedBoard.pending())
    options.keepsLive = true
    #expect(throws: RedistributorSetupError.self) {
      _ = try GuardedBoard(options) { Self.makeLive($0, pending: GuardedBoard.pending()) }
    }
  }

  @Test("Live LPIs are taken over as the hardware has them", arguments: [true, false])
  func takenOver(_ isWanted: Bool) throws {
    var options = GuardedBoardOptions()
    options.keepsLive = isWanted
    let board = try GuardedBoard(options) {
      Self.makeLive($0, pending: GuardedBoard.pending())
      $0.gic.redistributors[0].staysEnabled = !isWanted
    }
    #expect(board.value(0, FrameOffset.control, .word).map { $0 & 1 } == 1)
    #expect(board.value(0, FrameOffset.pending) == GuardedBoard.pending())
    #expect(board.value(0, FrameOffset.configuration) == GuardedBoard.configuration() | 15)
    #expect(board.guarding.heldTables == 2 && board.violation() == nil)
    // A kexec'd kernel finds and reuses them; the other CPU joins.
    let isJoined = board.write(1, FrameOffset.configuration, GuardedBoard.configuration() | 15)
    #expect(isJoined == .done)
    board.write(1, FrameOffset.pending, GuardedBoard.pending(1))
    let isEnabled = board.setEnabled(1, true)
    #expect(isEnabled && board.violation() == nil)
  }

  @Test("Live LPIs with tables in EL2's memory that can't be disabled end it")
  func live() {
    #expect(throws: RedistributorSetupError.live(VirtualAddress(0x810_0000))) {
      _ = try GuardedBoard {
        Self.makeLive($0, pending: 0x5fff_0000)
        $0.gic.redistributors[0].staysEnabled = true
      }
    }
  }

  @Test("F-38: Without CES what was live stays held, and others may be used beside it")
  func unpromised() throws {
    let board = try GuardedBoard {
      $0.gic.redistributors[0].promisesDisabling = false
      Self.makeLive($0, pending: GuardedBoard.pending())
    }
    #expect(board.value(0, FrameOffset.control, .word).map { $0 & 1 } == 0)
    let isTaken =
      board.takePage(GuardedBoard.pending()) || board.takePage(GuardedBoard.configuration())
    #expect(!isTaken)
    let isEnabled = board.enable(
      configuration: GuardedBoard.configuration(1), pending: GuardedBoard.pending(3))
    #expect(isEnabled && board.violation() == nil)
    #expect(board.guarding.heldTables == 4)
  }

  @Test("F-38: Without CES tables in EL2's memory end it, although they read as disabled")
  func unpromisedElsewhere() {
    #expect(throws: RedistributorSetupError.live(VirtualAddress(0x810_0000))) {
      _ = try GuardedBoard {
        $0.gic.redistributors[0].promisesDisabling = false
        Self.makeLive($0, pending: 0x5fff_0000)
      }
    }
  }

  @Test("F-10: A Redistributor that wakes with tables that are not held is disabled, or ends it")
  func wakes() throws {
    let board = try GuardedBoard()
    let isEnabled = board.enable(1)
    #expect(isEnabled)
    // As it was, and after a loss of power.
    let isKept = board.guarding.wake(machine: board.machine(1))
    #expect(isKept && board.gic.redistributors[1].state.isEnabled)
    board.gic.redistributors[1].losePower()
    let isLost = board.guarding.wake(machine: board.machine(1))
    #expect(isLost && board.guarding.heldTables == 0)
    for (pending, promises) in [(UInt64(0x5fff_0000), true), (0x5fff_0000, false)] {
      Self.makeLive(board, 1, pending: pending)
      board.gic.redistributors[1].promisesDisabling = promises
      let isSafe = board.guarding.wake(machine: board.machine(1))
      // Whether it promises that was read at boot.
      #expect(isSafe && !board.gic.redistributors[1].state.isEnabled)
    }
    Self.makeLive(board, 1, pending: 0x5fff_0000)
    board.gic.redistributors[1].staysEnabled = true
    let isSafe = board.guarding.wake(machine: board.machine(1))
    #expect(!isSafe)
  }

  @Test("One register: a table is kept once, whatever bits the board has not")
  func keptOnce() throws {
    var options = GuardedBoardOptions()
    options.processors = 3
    options.interruptIDBits = 14
    let board = try GuardedBoard(options) { $0.gic.hasOneConfigurationBase = true }
    var areEnabled = board.enable(0, bits: 14)
    areEnabled = board.enable(1, bits: 16) && areEnabled
    areEnabled =
      board.enable(2, configuration: GuardedBoard.configuration(1), bits: 14) && areEnabled
    #expect(areEnabled)
    // The other one holds it.
    board.setEnabled(0, false)
    #expect(board.guarding.heldTables == 4)
    board.setEnabled(1, false)
    #expect(board.guarding.heldTables == 3 && board.violation() == nil)
  }

  /// A board whose first Redistributor has a vPE.
  private static func withVPE() throws -> GuardedBoard {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    options.offersVirtualLPIs = true
    let board = try GuardedBoard(options)
    board.write(0, FrameOffset.virtualConfiguration, GuardedBoard.configuration() | 15)
    board.write(0, FrameOffset.virtualPending, GuardedBoard.pending() | 1 << 63)
    return board
  }

  @Test("A vPE that firmware restores can be evicted, whatever another CPU did meanwhile")
  func restoredVPE() throws {
    let board = try Self.withVPE()
    let redistributor = board.gic.redistributors[0]
    let saved = redistributor.state
    redistributor.losePower()
    board.write(0, FrameOffset.virtualPending, 0, from: 1)
    redistributor.state = saved
    let mayRun = board.wake(0)
    #expect(mayRun && board.guarding.heldTables == 2 && board.violation() == nil)
    board.write(0, FrameOffset.virtualPending, 0)
    #expect(redistributor.reachable.isEmpty && board.guarding.heldTables == 0)
  }

  @Test("A vPE that firmware restores with tables that are not held is evicted")
  func otherVPE() throws {
    let board = try Self.withVPE()
    let redistributor = board.gic.redistributors[0]
    redistributor.state.virtualPendingBase = 0x5fff_0000 | 1 << 63
    let mayRun = board.wake(0)
    #expect(mayRun && redistributor.reachable.isEmpty && board.guarding.heldTables == 0)
  }

  @Test("GICR_VPENDBASER reads as it was written before a vPE is resident, and while it is")
  func vpeReadsBack() throws {
    let board = try Self.withVPE()
    board.write(0, FrameOffset.virtualPending, 0)
    let written = GuardedBoard.pending(1) | GuardedBoard.attributes
    board.write(0, FrameOffset.virtualPending, written)
    #expect(board.value(0, FrameOffset.virtualPending) == written)
    board.write(0, FrameOffset.virtualPending + 4, written >> 32 | 1 << 31, .word)
    #expect(board.value(0, FrameOffset.virtualPending) == written | 1 << 63)
  }

  @Test("A Redistributor that does not answer ends it")
  func silent() {
    #expect(throws: RedistributorSetupError.silent(VirtualAddress(0x812_0000))) {
      _ = try GuardedBoard { board in
        board.aborts = { offset, isWrite in offset >= 0x2_0000 }
      }
    }
  }

  @Test("There are at most so many Redistributors as are held")
  func tooMany() {
    var options = GuardedBoardOptions()
    options.processors = MediatedRedistributors.capacity + 1
    #expect(throws: RedistributorSetupError.tooMany) { _ = try GuardedBoard(options) }
  }

  @Test("A vPE that is resident is evicted")
  func resident() throws {
    var options = GuardedBoardOptions()
    options.hasVirtualLPIs = true
    let board = try GuardedBoard(options) {
      let frame = $0.base(0) + 0x2_0000
      _ = $0.gic.write(.double, 0x5fff_000f, at: frame + 0x70)
      _ = $0.gic.write(.double, 0x5fff_0000 | 1 << 63, at: frame + 0x78)
    }
    #expect(board.gic.redistributors[0].reachable.isEmpty)
  }
}
