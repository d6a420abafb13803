// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import Simulation
import Testing

@Suite("Taking SMMUs over")
struct TakeoverTests {
  @Test("Abort, stop, tables and queues, forget, translate: in that order, each waited for")
  func order() throws {
    let board = DrivenBoard(1)
    var pool = board.pool()
    var group = try board.group()
    try group.begin(&pool)
    let unit = board.units[0]
    let written = unit.writes.map { "\($0.register.name)" }
    #expect(
      written == [
        "SMMU_GBPA", "SMMU_CR0", "SMMU_IRQ_CTRL", "SMMU_CR1", "SMMU_CR2", "SMMU_STRTAB_BASE",
        "SMMU_STRTAB_BASE_CFG", "SMMU_CMDQ_BASE", "SMMU_CMDQ_PROD", "SMMU_CMDQ_CONS",
        "SMMU_EVENTQ_BASE", "SMMU_EVENTQ_PROD", "SMMU_EVENTQ_CONS", "SMMU_GERRORN", "SMMU_CR0",
        "SMMU_CMDQ_PROD", "SMMU_CR0", "SMMU_CR0",
      ])
    #expect(unit.writes[0].value == 1 << 31 | 1 << 20)
    #expect(
      unit.commands == [
        .invalidateConfiguration, .invalidateAll, .synchronise,
      ])
    #expect(
      unit.writes.filter { $0.register == .control0 }.map(\.value) == [0, 0b1000, 0b1100, 0b1101])
    #expect(unit[.control1] == 0xd75 && unit[.control2] == 0b110)
    #expect(unit.aborts)
    let phase = group.phase
    #expect(phase == .confining)
  }

  @Test("With ATS, what says that it is translated is looked up before anything passes")
  func ats() throws {
    let board = DrivenBoard(1)
    board.units[0].registers[.identification0]? |= 1 << 10
    var pool = board.pool()
    var group = try board.group()
    try group.begin(&pool)
    #expect(
      board.units[0].writes.filter { $0.register == .control0 }.map(\.value)
        == [0, 0b1000, 0b1_1100, 0b1_1101])
  }

  @Test("With MSIs of its own, it is told no address, and not before they are off")
  func messages() throws {
    let board = DrivenBoard(1)
    let unit = board.units[0]
    unit.registers[.identification0]? |= 1 << 13
    unit.registers[.eventQueueInterrupt0] = 0x4444_0000
    unit.registers[.globalErrorInterrupt0] = 0x4444_1000
    var pool = board.pool()
    var group = try board.group()
    try group.begin(&pool)
    #expect(unit[.eventQueueInterrupt0] == 0 && unit[.globalErrorInterrupt0] == 0)
    let off = try #require(unit.writes.firstIndex { $0.register == .interruptControl })
    let cleared = try #require(unit.writes.firstIndex { $0.register == .eventQueueInterrupt0 })
    #expect(off < cleared && unit[.interruptControl] == 0)
  }

  @Test("Every stream is translated by stage 2 alone, by the one table")
  func entries() throws {
    for isTwoLevel in [true, false] {
      let board = DrivenBoard(2, arenaPages: 0x100)
      if !isTwoLevel {
        for unit in board.units {
          unit.registers[.identification0]? &= ~(3 << 27)
          unit.registers[.identification1] = 19 << 21 | 19 << 16 | 10
        }
      }
      var pool = board.pool()
      var group = try board.group()
      try group.begin(&pool)
      let table = group.table
      let root = try #require(table).root
      for unit in board.units {
        let shape = StreamTableShape(rawValue: UInt32(unit[.streamTableBaseConfiguration]))
        let log2: UInt32 = isTwoLevel ? 16 : 10
        #expect(shape.isTwoLevel == isTwoLevel)
        for stream in 0..<UInt32(1) << log2 {
          let entry = try #require(unit.entry(of: stream))
          guard entry.isValid, entry.configuration == .stage2, entry.stage2Table == root.rawValue,
            entry.translationService == StreamTableEntry.TranslationService.none,
            !entry.stallsStage2, entry.recordsStage2, entry.hasAArch64Stage2,
            !entry.hasBigEndianStage2, entry.shareability == 1, entry.vmid == VMID(0)
          else {
            Issue.record("stream \(stream): \(entry)")
            break
          }
        }
        #expect(unit.entry(of: 1 << log2) == nil)
        let entry = try #require(unit.entry(of: 0))
        // 40 bits from level 1, Write-Back, Inner Shareable, 4 KiB, and 44 bits of output.
        #expect(entry.stage2Control == 24 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 4 << 16)
      }
    }
  }

  @Test("A walk of 48 bits starts at level 0")
  func levels() throws {
    let board = DrivenBoard(1)
    board.units[0].registers[.identification5] = 5 | 1 << 4
    var pool = board.pool()
    var group = try board.group(bits: 52)
    try group.begin(&pool)
    let entry = try #require(board.units[0].entry(of: 7))
    #expect(entry.stage2InputSize == 16 && entry.stage2StartLevel == 2)
    #expect(entry.stage2OutputSize == .bits48)
  }

  @Test(
    "A stream that nobody may use has no valid entry, among others as by itself",
    arguments: [true, false])
  func denied(isTwoLevel: Bool) throws {
    var streams = PermittedStreams()
    let isAdded = [(8, 15), (100, 100), (256, 1023)].allSatisfy {
      streams.permit(StreamID(UInt32($0.0))...StreamID(UInt32($0.1)))
    }
    #expect(isAdded)
    let board = DrivenBoard(1, streams: streams, arenaPages: 0x40)
    if !isTwoLevel { board.units[0].registers[.identification0]? &= ~(3 << 27) }
    var pool = board.pool()
    var group = try board.group()
    try group.begin(&pool)
    for stream in UInt32(0)..<1024 {
      let isPermitted = (8...15).contains(stream) || stream == 100 || stream >= 256
      let entry = try #require(board.units[0].entry(of: stream))
      #expect(entry.isValid == isPermitted)
      #expect(!isPermitted || entry.configuration == .stage2)
    }
    #expect(board.units[0].entry(of: 1024) == nil)
  }

  @Test("All SMMUs abort before one of them translates")
  func several() throws {
    let board = DrivenBoard(3)
    var pool = board.pool()
    var group = try board.group()
    // The last fails at its last step: the others have been enabled by then.
    board.units[2].writesLeft = 18
    #expect(throws: IOMMUError.self) { try group.begin(&pool) }
    #expect(board.units[2].writes.count == 18)
    for unit in board.units[0...1] {
      #expect(unit.writes.contains { $0.register == .control0 && $0.value & 1 == 1 })
      #expect(!unit.isEnabled && !unit.aborts)
    }
    let phase = group.phase
    #expect(phase == .quarantined)
  }

  /// What the registers that a failure must put back hold.
  static func state(_ unit: FakeSMMU) -> [UInt64] {
    [
      unit[.control0], unit[.control1], unit[.control2], unit[.globalBypass],
      unit[.streamTableBase], unit[.streamTableBaseConfiguration], unit[.commandQueueBase],
      unit[.eventQueueBase], unit[.interruptControl],
    ]
  }

  @Test(
    "A register that does not take what is written has everything put back",
    arguments: [
      SMMURegister.streamTableBase, .streamTableBaseConfiguration, .commandQueueBase,
      .eventQueueBase, .commandQueueProduced,
    ])
  func undone(register: SMMURegister) throws {
    let board = DrivenBoard(2)
    for unit in board.units {
      unit.registers[.control1] = 0x3f
      unit.registers[.streamTableBase] = 0x4_0000
      unit.registers[.globalBypass] = 0x3000
    }
    let unit = board.units[1]
    unit.registers[register] = 0x123_4000
    unit.stuck = [register]
    let before = board.units.map(Self.state)
    var pool = board.pool()
    var group = try board.group()
    #expect(throws: IOMMUError.self) { try group.begin(&pool) }
    let refusal = group.refusal
    #expect(
      refusal == .refused(unit: 1, offset: register.offset)
        || refusal == .commandsNotConfirmed(unit: 1))
    #expect(board.units.map(Self.state) == before)
    let phase = group.phase
    #expect(phase == .off)
    // Once it obeys it is driven.
    unit.stuck = []
    try group.begin(&pool)
    let again = group.phase
    #expect(again == .confining)
  }

  @Test("An SMMU that carries out no command is given back as well")
  func noCommands() throws {
    let board = DrivenBoard(1)
    board.units[0].consumes = false
    let before = Self.state(board.units[0])
    var pool = board.pool()
    var group = try board.group()
    #expect(throws: IOMMUError.unsupported(reason: 23)) { try group.begin(&pool) }
    let refusal = group.refusal
    #expect(refusal == .commandsNotConfirmed(unit: 0))
    #expect(Self.state(board.units[0]) == before)
  }

  @Test("One that acknowledges nothing is quarantined: it aborts")
  func unacknowledged() throws {
    let board = DrivenBoard(1)
    board.units[0].stuck = [.control0Acknowledged]
    board.units[0].registers[.control0Acknowledged] = 0b1000
    var pool = board.pool()
    var group = try board.group()
    #expect(throws: IOMMUError.self) { try group.begin(&pool) }
    let refusal = group.refusal
    #expect(refusal == .notAcknowledged(unit: 0, offset: 0x24))
    let phase = group.phase
    #expect(phase == .quarantined && board.units[0].aborts && !board.units[0].isEnabled)
    #expect(throws: IOMMUError.wrongPhase) { try group.begin(&pool) }
  }

  @Test(
    "Wherever an SMMU that firmware left translating falls silent, it never lets all pass",
    arguments: 0...18)
  func firmware(writes: Int) throws {
    let board = DrivenBoard(1, control: 0b1101)
    let unit = board.units[0]
    var pool = board.pool()
    var group = try board.group()
    unit.writesLeft = writes == 18 ? nil : writes
    if writes == 18 {
      try group.begin(&pool)
    } else {
      #expect(throws: IOMMUError.self) { try group.begin(&pool) }
      #expect(unit.writes.count == writes)
    }
    #expect(!unit.hasOpened)
    let phase = group.phase
    if writes == 18 { #expect(phase == .confining) } else { #expect(phase != .confining) }
  }

  @Test("One that firmware left translating is not given back: it aborts")
  func firmwareQuarantined() throws {
    let board = DrivenBoard(2, control: 0b1101)
    board.units[1].stuck = [.commandQueueBase]
    var pool = board.pool()
    var group = try board.group()
    #expect(throws: IOMMUError.self) { try group.begin(&pool) }
    for unit in board.units { #expect(unit.aborts && !unit.isEnabled && !unit.hasOpened) }
    let phase = group.phase
    #expect(phase == .quarantined)
  }

  @Test("An arena or a pool that is too small is refused before a register is written")
  func memory() throws {
    let board = DrivenBoard(2, arenaPages: 3)
    var pool = board.pool()
    var group = try board.group()
    #expect(throws: IOMMUError.self) { try group.begin(&pool) }
    let refusal = group.refusal
    #expect(refusal == .outOfMemory(unit: 0))
    #expect(board.units.allSatisfy { $0.writes.isEmpty })

    let other = DrivenBoard(1)
    var none = PagePool(
      pages: pageRange(0x40000, 1), memory: SimulatedMemory(machine: other.machine))
    var second = try other.group()
    #expect(throws: IOMMUError.self) { try second.begin(&none) }
    #expect(other.units[0].writes.isEmpty)
  }
}
