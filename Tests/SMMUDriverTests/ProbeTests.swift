// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SMMUDriver
import Testing

@Suite("Looking at SMMUs")
struct ProbeTests {
  /// What a register says instead, and what becomes of it.
  struct Case: Sendable {
    let register: SMMURegister
    let change: @Sendable (UInt64) -> UInt64
    let refusal: SMMUSetupError
  }

  static let cases: [Case] = [
    Case(register: .identification0, change: { $0 & ~1 }, refusal: .noStage2(unit: 1)),
    Case(register: .identification0, change: { $0 & ~8 }, refusal: .noAArch64Tables(unit: 1)),
    Case(register: .identification0, change: { $0 & ~16 }, refusal: .notCoherent(unit: 1)),
    Case(
      register: .identification0, change: { $0 | 3 << 21 }, refusal: .bigEndianTables(unit: 1)),
    Case(
      register: .identification0, change: { $0 & ~(3 << 21) | 1 << 21 },
      refusal: .bigEndianTables(unit: 1)),
    Case(
      register: .identification0, change: { $0 & ~(3 << 24) | 2 << 24 },
      refusal: .alwaysStalls(unit: 1)),
    Case(
      register: .identification0, change: { $0 | 3 << 24 }, refusal: .alwaysStalls(unit: 1)),
    Case(
      register: .identification0, change: { $0 & ~(1 << 18) }, refusal: .vmidTooWide(unit: 1)),
    Case(register: .identification1, change: { $0 | 1 << 30 }, refusal: .presetTables(unit: 1)),
    Case(register: .identification1, change: { $0 | 1 << 29 }, refusal: .presetQueues(unit: 1)),
    // F-03: their registers lie outside its own.
    Case(
      register: .identification1, change: { $0 | 1 << 31 }, refusal: .moreCommandQueues(unit: 1)),
    Case(register: .identification1, change: { $0 | 1 << 28 }, refusal: .relativeBases(unit: 1)),
    Case(
      register: .identification1, change: { $0 & ~(31 << 21) | 1 << 21 },
      refusal: .commandQueueTooSmall(unit: 1, log2: 1)),
    Case(register: .identification5, change: { $0 & ~16 }, refusal: .noGranule4K(unit: 1)),
    Case(register: .identification5, change: { $0 | 7 }, refusal: .unknownAddressSize(unit: 1)),
    Case(
      register: .identification5, change: { $0 & ~7 },
      refusal: .unreachable(unit: 1, PhysicalAddress(0x1_410f_f000))),
    Case(
      register: .implementer, change: { _ in 0x483 << 20 | 1 << 16 | 0x43b },
      refusal: .unsoundRevision(unit: 1, product: 0x483)),
    Case(
      register: .implementer, change: { _ in 0x487 << 20 | 0 << 16 | 1 << 12 | 0x43b },
      refusal: .unsoundRevision(unit: 1, product: 0x487)),
    Case(
      register: .implementer, change: { _ in 0x487 << 20 | 1 << 16 | 0 << 12 | 0x43b },
      refusal: .unsoundRevision(unit: 1, product: 0x487)),
  ]

  static func probe(_ units: [FakeSMMU], _ setups: [SMMUSetup], _ vmid: UInt16 = 0x100) throws {
    let board = DrivenBoard(1)
    _ = try SMMUGroup(
      setups.span, bits: 40, vmid: VMID(vmid),
      machine: FakeMachine(
        memory: FakeMemory(machine: board.machine), registers: FakeRegisters(units: units)))
  }

  @Test("What an SMMU lacks is refused with its reason and its number", arguments: cases.indices)
  func refusals(index: Int) {
    let board = DrivenBoard(2)
    let item = Self.cases[index]
    let unit = board.units[1]
    unit.registers[item.register] = item.change(unit[item.register])
    // The second arena lies above 4 GiB.
    let setups = [
      board.setups[0],
      SMMUSetup(frame: unit.frame, arena: pageRange(0x14_1000, 0x100)),
    ]
    #expect(throws: item.refusal) { try Self.probe(board.units, setups) }
    #expect(board.units.allSatisfy { $0.writes.isEmpty })
    #expect(item.refusal.unit == 1)
  }

  @Test("A stage 1 for the host takes one, and a stream table of two levels")
  func nested() throws {
    for (bit, refusal) in [
      (1, SMMUSetupError.noStage1(unit: 0)), (27, .noTwoLevelTables(unit: 0)),
    ] {
      let board = DrivenBoard(1)
      let registers = FakeMachine(
        memory: FakeMemory(machine: board.machine), registers: FakeRegisters(units: board.units))
      _ = try SMMUGroup(board.setups.span, bits: 40, policy: .nested, machine: registers)
      board.units[0].registers[.identification0] = board.units[0][.identification0] & ~(1 << bit)
      #expect(throws: refusal) {
        _ = try SMMUGroup(board.setups.span, bits: 40, policy: .nested, machine: registers)
      }
      // Without it that is no matter.
      _ = try SMMUGroup(board.setups.span, bits: 40, machine: registers)
    }
  }

  @Test("Without the change the same SMMUs are driven, and nothing was written")
  func accepted() throws {
    let board = DrivenBoard(2)
    let setups = [
      board.setups[0],
      SMMUSetup(frame: board.units[1].frame, arena: pageRange(0x14_1000, 0x100)),
    ]
    try Self.probe(board.units, setups)
    #expect(board.units.allSatisfy { $0.writes.isEmpty })
  }

  @Test(
    "Later revisions are driven",
    arguments: [0x4832_043b, 0x4871_143b, 0x4872_043b, 0x4830_0001] as [UInt64])
  func revisions(identity: UInt64) throws {
    let board = DrivenBoard(1)
    board.units[0].registers[.implementer] = identity
    try Self.probe(board.units, board.setups)
  }

  @Test("None, too many, two at one place, or a silent one")
  func boards() {
    let board = DrivenBoard(17)
    #expect(throws: SMMUSetupError.noUnits) { try Self.probe([], []) }
    #expect(throws: SMMUSetupError.tooManyUnits) { try Self.probe(board.units, board.setups) }
    let twice = [board.setups[0], board.setups[0]]
    #expect(throws: SMMUSetupError.unitTwice(unit: 1)) { try Self.probe(board.units, twice) }
    board.units[0].writesLeft = 0
    #expect(throws: SMMUSetupError.silent(unit: 0, offset: 0x18)) {
      try Self.probe(board.units, [board.setups[0]])
    }
  }

  @Test("All do without what one of them can't address")
  func limits() throws {
    let board = DrivenBoard(2)
    board.units[1].registers[.identification5] = 1 | 1 << 4
    let group = try board.group(bits: 48)
    let limit = group.pageLimit
    #expect(limit == 1 << 24)
    let narrow = try DrivenBoard(1).group(bits: 40)
    let host = narrow.pageLimit
    #expect(host == 1 << 28)
  }

  @Test("Every reason has a number of its own, and words")
  func reasons() {
    let all =
      Self.cases.map(\.refusal) + [
        .noUnits, .tooManyUnits, .unitTwice(unit: 0), .silent(unit: 0, offset: 0),
        .outOfMemory(unit: 0), .notAcknowledged(unit: 0, offset: 0), .refused(unit: 0, offset: 0),
        .serviceFailure(unit: 0), .commandsNotConfirmed(unit: 0), .noStage1(unit: 0),
        .noTwoLevelTables(unit: 0),
      ]
    var words: [UInt16: String] = [:]
    for error in all { words[error.reason] = error.text.description }
    #expect(words.keys.sorted() == Array(1...26))
    #expect(Set(words.values).count == 26)
  }
}
