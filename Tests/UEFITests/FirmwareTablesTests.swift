// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing
import UEFI

/// Tables of a firmware, word by word; memory is the first gigabyte from 0x4000_0000 on.
private struct Tables: FirmwareTableMemory {
  final class Words { var words: [UInt64: UInt64] = [:] }
  let content = Words()
  var open: [AddressRange] = []
  var opened = 0

  mutating func open(_ table: AddressRange) -> Bool {
    guard touchesMemory(table), open.isEmpty else { return false }
    open.append(table)
    opened += 1
    return true
  }
  mutating func close(_ table: AddressRange) { open.removeAll { $0 == table } }
  func touchesMemory(_ range: AddressRange) -> Bool {
    range.last.rawValue >= 0x4000_0000 && range.base.rawValue < 0x8000_0000
  }
  func load(_ address: PhysicalAddress) -> UInt64 {
    precondition(open.contains { $0.contains(address) })
    return content.words[address.rawValue] ?? 0
  }
  func store(_ value: UInt64, at address: PhysicalAddress) {
    precondition(open.contains { $0.contains(address) })
    content.words[address.rawValue] = value
  }
  subscript(_ address: UInt64) -> UInt64 {
    get { content.words[address] ?? 0 }
    nonmutating set { content.words[address] = newValue }
  }
}

@Suite struct FirmwareTablesTests {
  private static let root: UInt64 = 0x4700_0000
  private static let second: UInt64 = 0x4700_1000
  private static let third: UInt64 = 0x4700_2000
  private static let normal: UInt64 = 0b11 << 2 | 1 << 10
  private static let device: UInt64 = 0 << 2 | 1 << 10
  private static let never: UInt64 = 1 << 54

  // 39 bits of 4 KiB pages, unless told otherwise: the root has gigabytes. `granule` is TG0.
  private func geometry(bits: UInt64 = 39, granule: UInt64 = 0b00) throws -> FirmwareGeometry {
    var registers = FirmwareRegimeTests.usual
    registers.translationControl =
      registers.translationControl & ~0xc03f | granule << 14 | (64 - bits)
    registers.tableBase = Self.root
    return try FirmwareRegime(registers).geometry
  }

  private func tables() -> Tables {
    let tables = Tables()
    tables[Self.root] = Self.second | 0b11
    tables[Self.root + 8] = 0x4000_0000 | Self.normal | 1 << 6 | 0b01
    tables[Self.second] = Self.third | 0b11 | 1 << 60
    tables[Self.second + 8] = 0x20_0000 | Self.device | Self.never | 0b01
    tables[Self.third + 8] = 0x1000 | Self.normal | 0b11 | 1 << 6 | Self.never
    return tables
  }

  @Test func checksWithoutAnyChange() throws {
    var memory = tables()
    let before = memory.content.words
    _ = try FirmwareTables.check(try geometry(), in: &memory)
    #expect(memory.content.words == before)
    #expect(memory.open.isEmpty)
  }

  @Test func adaptsLeavesAndTables() throws {
    var memory = tables()
    try FirmwareTables.adapt(try geometry(), in: &memory)
    #expect(memory[Self.root + 8] == 0x4000_0000 | Self.normal | 0b01, "AP[1] is clear")
    #expect(memory[Self.second] == Self.third | 0b11 | 1 << 60 | 1 << 59, "PXNTable")
    #expect(memory[Self.second + 8] == 0x20_0000 | Self.device | Self.never | 1 << 53 | 0b01)
    #expect(memory[Self.third + 8] == 0x1000 | Self.normal | 0b11 | Self.never | 1 << 53)
    #expect(memory[Self.root] == Self.second | 0b11, "what is executed stays so")
    #expect(memory.open.isEmpty)
  }

  /// PXN and PXNTable are RES0 at EL2, which ignores them.
  @Test func whatIsExecutedStaysSoWhateverEL2Ignores() throws {
    var memory = tables()
    memory[Self.root] |= 1 << 59
    memory[Self.root + 8] |= 1 << 53
    try FirmwareTables.adapt(try geometry(), in: &memory)
    #expect(memory[Self.root] == Self.second | 0b11)
    #expect(memory[Self.root + 8] == 0x4000_0000 | Self.normal | 0b01)
  }

  @Test func findsWhatIsExecutedInPlace() throws {
    var memory = tables()
    memory[Self.second + 16] = 0x40_0000 | Self.normal | 0b01
    memory[Self.second + 24] = 0x60_0000 | Self.normal | 0b01
    memory[Self.second + 32] = 0x80_0000 | Self.normal | Self.never | 0b01
    memory[Self.second + 40] = 0xa0_0000 | Self.device | 0b01
    let executed = try FirmwareTables.check(try geometry(), in: &memory)
    #expect(executed.count == 1)
    #expect(executed[0] == AddressRange(base: PhysicalAddress(0x40_0000), size: 0x40_0000))
  }

  /// The address of a block has bits below its size that are no address.
  @Test(
    arguments: [(0b00, 39, 30), (0b10, 36, 25), (0b01, 42, 29)] as [(UInt64, UInt64, UInt64)])
  func knowsTheSizeOfABlock(granule: UInt64, bits: UInt64, shift: UInt64) throws {
    var memory = Tables()
    memory[Self.root] = 3 << 38 | 1 << 16 | Self.normal | 0b01
    let executed = try FirmwareTables.check(
      try geometry(bits: bits, granule: granule), in: &memory)
    #expect(executed.count == 1)
    #expect(executed[0] == AddressRange(base: PhysicalAddress(3 << 38), size: 1 << shift))
  }

  @Test func leavesAloneWhatIsNotValid() throws {
    var memory = Tables()
    memory[Self.root] = 0x900_0000 | 0b10
    memory[Self.root + 8] = Self.normal | Self.never
    memory[Self.root + 16] = 0x4_0000_0000 | Self.normal
    let before = memory.content.words
    #expect(try FirmwareTables.check(try geometry(), in: &memory).isEmpty)
    try FirmwareTables.adapt(try geometry(), in: &memory)
    #expect(memory.content.words == before)
  }

  @Test func refusesMoreThanFewOfThose() throws {
    var memory = tables()
    for index in 1...9 as ClosedRange<UInt64> {
      memory[Self.second + 32 * index] = index << 24 | Self.normal | 0b01
    }
    #expect(throws: FirmwareRefusal.tooManyExecuted(limit: 8)) {
      _ = try FirmwareTables.check(try geometry(), in: &memory)
    }
  }

  @Test func refusesATableThatIsNoMemory() throws {
    var memory = tables()
    memory[Self.root + 16] = 0x900_0000 | 0b11
    #expect(throws: FirmwareRefusal.tableOutsideMemory(PhysicalAddress(0x900_0000))) {
      _ = try FirmwareTables.check(try geometry(), in: &memory)
    }
  }

  /// A table that leads to itself is one more table each time, as deep as a walk goes.
  @Test func endsWhereTablesLeadToThemselves() throws {
    var memory = Tables()
    for index in 0..<512 as Range<UInt64> { memory[Self.root + 8 * index] = Self.root | 0b11 }
    #expect(throws: FirmwareRefusal.tooManyTables(limit: FirmwareTables.limit)) {
      _ = try FirmwareTables.check(try geometry(bits: 48), in: &memory)
    }
    #expect(memory.opened > FirmwareTables.limit)
  }

  @Test(arguments: [(48, 512), (40, 2), (39, 512), (30, 512), (25, 16)] as [(UInt64, UInt64)])
  func knowsTheFirstTable(bits: UInt64, entries: UInt64) throws {
    // The last entry of it is looked at, and no entry behind.
    var memory = Tables()
    memory[Self.root + 8 * (entries - 1)] = 0x900_0000 | 0b11
    #expect(throws: FirmwareRefusal.tableOutsideMemory(PhysicalAddress(0x900_0000))) {
      _ = try FirmwareTables.check(try geometry(bits: bits), in: &memory)
    }
    memory = Tables()
    memory[Self.root + 8 * entries] = 0x900_0000 | 0b11
    _ = try FirmwareTables.check(try geometry(bits: bits), in: &memory)
  }
}
