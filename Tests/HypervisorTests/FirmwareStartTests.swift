// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import SimulatedHardware
import Simulation
import Testing
import UEFI

@Suite struct FirmwareStartTests {
  private func start(
    _ board: BoardHardware, _ change: (inout FirmwareStart) -> Void = { _ in }
  ) throws -> BootOutcome {
    var firmware = FirmwareStart()
    change(&firmware)
    return try board.start(from: firmware)
  }

  private func refusal(
    _ options: BoardOptions = BoardOptions(), affinityInfo: [UInt64: UInt64] = [0: 0],
    _ change: (inout FirmwareStart) -> Void
  ) throws -> String {
    let board = try BoardHardware(options)
    board.affinityInfo = affinityInfo
    guard case .refused = try start(board, change) else { return "not refused" }
    #expect(!board.isOff, "the firmware goes on")
    #expect(board.console.isEmpty, "the console is the firmware's")
    #expect(board.translation == nil, "nothing was changed")
    for (index, entry) in FirmwareStart().entries.enumerated() {
      let place = FirmwareStart.root + UInt64(index) * 8
      #expect(board.memory.load(.double, at: place) == entry, "its tables are as they were")
    }
    return board.firmwareText.split(separator: "\r\n").last.map(String.init) ?? ""
  }

  @Test func goesOnAtItsLanding() throws {
    let board = try BoardHardware()
    guard case .host(let start) = try start(board) else {
      Issue.record("not started: \(board.firmwareText)")
      return
    }
    #expect(start.entry.rawValue == FirmwareStart.landing)
    #expect(start.argument == 0)
    #expect(start.regime?.tableBase == FirmwareStart.root)
    #expect(board.firmwareText.contains("ITS at 0x8080000 claimed"))
    #expect(board.console.isEmpty)
    // XN is PXN as well, and what is executed stays so.
    #expect(board.memory.load(.double, at: FirmwareStart.root) == 0x60_0000_0000_0401)
    #expect(board.memory.load(.double, at: FirmwareStart.root + 8) == 0x4000_0405)
    let used = board.memory.load(
      .double, at: FirmwareStart.block + FirmwareOffer.Word.hostUsed.offset)
    #expect(used != 0, "the host's tree is there")
  }

  @Test func keepsItsMemoryFromTheHost() throws {
    let board = try BoardHardware()
    guard case .host = try start(board) else {
      Issue.record("not started: \(board.firmwareText)")
      return
    }
    for address in [BoardHardware.image.base.rawValue, FirmwareStart.memory] {
      #expect(board.hostAddress(address) == nil)
    }
    // What was lent is the host's, and EL2 has it no more.
    for address in [FirmwareStart.block, FirmwareStart.root, FirmwareStart.landing] {
      #expect(board.hostAddress(address) != nil)
      #expect(board.el2(VirtualAddress(0x8000_0000_0000 + address)) == nil)
    }
  }

  /// Flash, from which it runs: Normal to it, and no memory.
  @Test func executesInPlaceWhatTheFirmwareDid() throws {
    let board = try BoardHardware()
    guard case .host = try start(board, { $0.entries[0] = 0x405 }) else {
      Issue.record("not started: \(board.firmwareText)")
      return
    }
    #expect(board.hostMayExecute(0x1000))
    #expect(board.hostMayExecute(FirmwareStart.landing))
    #expect(board.hostAddress(0x808_0000) == nil, "the ITS is EL2's all the same")

    let other = try BoardHardware()
    guard case .host = try start(other) else {
      Issue.record("not started: \(other.firmwareText)")
      return
    }
    #expect(!other.hostMayExecute(0x1000))
  }

  /// On, on its way, and not there to be asked for.
  @Test(arguments: [0, 2, UInt64(bitPattern: -1)])
  func refusesACPUThatRuns(answer: UInt64) throws {
    let text = try refusal(affinityInfo: [0: 0, 1: answer]) { _ in }
    #expect(text.hasSuffix("a CPU is not off, MPIDR_EL1 0x1"))
  }

  /// Firmware knows no such CPU, or has it disabled.
  @Test(arguments: [1, UInt64(bitPattern: -2), UInt64(bitPattern: -8)])
  func startsBesideACPUThatDoesNotRun(answer: UInt64) throws {
    let board = try BoardHardware()
    board.affinityInfo[1] = answer
    guard case .host = try start(board) else {
      Issue.record("not started: \(board.firmwareText)")
      return
    }
  }

  @Test func refusesRegistersThatEL1HasNot() throws {
    let text = try refusal { $0.registers.configuration |= 1 << 34 }
    #expect(text.hasSuffix("the firmware cannot go on at EL1: HCR_EL2.E2H is set"))
  }

  @Test func refusesATableOutsideMemory() throws {
    let text = try refusal { $0.entries.append(0x900_0003) }
    #expect(text.hasSuffix("a table of its translation is not in memory, at 0x9000000"))
  }

  /// What it says of its tables must not have EL2 write to itself.
  @Test(arguments: [BoardHardware.image.base.rawValue, FirmwareStart.memory])
  func refusesATableInEL2sMemory(address: UInt64) throws {
    let text = try refusal { $0.entries.append(address | 0b11) }
    #expect(text.contains("a table of its translation is not in memory"))
  }

  @Test func refusesAnUnknownOption() throws {
    #expect(try refusal { $0.options = "portcullis.smu=off" }.hasSuffix("an option is not known"))
  }

  @Test func takesItsOptions() throws {
    let board = try BoardHardware()
    guard case .host = try start(board, { $0.options = "quiet portcullis.log=error" }) else {
      Issue.record("not started: \(board.firmwareText)")
      return
    }
    #expect(!board.firmwareText.contains("claimed"))
  }

  @Test(arguments: [BoardHardware.image.base.rawValue, FirmwareStart.block])
  func refusesMemoryThatIsTaken(base: UInt64) throws {
    let text = try refusal { $0.words[.memoryBase] = base }
    #expect(text.hasSuffix("no room for EL2's stacks and tables"))
  }

  /// Memory that is nobody's by the tree is the firmware's still.
  @Test func measuresWithoutMemory() throws {
    let board = try BoardHardware()
    guard case .host = try start(board, { $0.options = "portcullis.bench" }) else {
      Issue.record("not started: \(board.firmwareText)")
      return
    }
    #expect(board.spare == .nothing)
  }

  /// A device reads tables in it, by addresses of which it ignores the low bits.
  @Test func refusesMemoryThatIsNotAligned() throws {
    let text = try refusal { $0.words[.memoryBase] = FirmwareStart.memory + 0x1000 }
    #expect(text.hasSuffix("no room for EL2's stacks and tables"))
  }

  @Test func refusesTooLittleMemory() throws {
    let text = try refusal { $0.words[.memorySize] = 0x1000 }
    #expect(text.hasSuffix("no room for EL2's stacks and tables"))
  }

  @Test(
    arguments: [
      (.mapSize, 1 << 40), (.descriptionOffset, 0x1000), (.hostSize, 0),
      (.descriptionSize, 1 << 63),
      (.memorySize, 0),
    ] as [(FirmwareOffer.Word, UInt64)])
  func refusesPartsOutsideTheBlock(word: FirmwareOffer.Word, value: UInt64) throws {
    let board = try BoardHardware()
    guard case .refused = try start(board, { $0.words[word] = value }) else {
      Issue.record("not refused")
      return
    }
    #expect(!board.isOff)
  }

  @Test func refusesAMapThatCannotBeRead() throws {
    #expect(try refusal { $0.words[.descriptorSize] = 8 }.contains("memory map cannot be read"))
    let text = try refusal { firmware in
      firmware.map = (0..<65).map { (7, 0x4000_0000 + $0 << 16, 1) }
    }
    #expect(text.contains("memory map cannot be read"))
  }

  /// A fault at each step: behind the plan hardware changes, and a host that is not confined is never entered.
  @Test func endsItAllBehindThePlan() throws {
    let whole = try BoardHardware()
    _ = try start(whole)
    var outcomes = (refused: 0, ended: 0)
    let count = whole.registerAccesses
    for access in stride(from: 0, to: count, by: max(1, count / 24)) {
      let board = try BoardHardware()
      board.abortedAccess = access
      switch try start(board) {
      case .refused:
        #expect(!board.isOff && board.translation == nil, "access \(access)")
        outcomes.refused += 1
      case .ended:
        #expect(board.isOff, "access \(access)")
        #expect(board.console.contains("not started: "), "nobody prints what is in memory")
        outcomes.ended += 1
      case .host: #expect(board.translation != nil)
      }
    }
    #expect(outcomes.refused > 0)
    #expect(outcomes.ended > 0)
  }
}
