// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The host's driver of an SMMU that it sees: a table of 256 streams, one context, and four tables of stage 1
/// (IHI 0070, 3.5, 5.2 and 5.4).
///
/// Stage 1 has memory at its own addresses, and two pages where no memory is: the first of all, which is
/// ``data``, and the one behind it, which a test says.
struct SMMUDriver {
  private enum Offset {
    static let control0: UInt64 = 0x20
    static let acknowledged: UInt64 = 0x24
    static let control1: UInt64 = 0x28
    static let control2: UInt64 = 0x2c
    static let interrupts: UInt64 = 0x50
    static let error: UInt64 = 0x60
    static let errorAcknowledged: UInt64 = 0x64
    static let streamBase: UInt64 = 0x80
    static let streamShape: UInt64 = 0x88
    static let commandBase: UInt64 = 0x90
    static let commandProduced: UInt64 = 0x98
    static let commandConsumed: UInt64 = 0x9c
    static let eventBase: UInt64 = 0xa0
    static let eventProduced: UInt64 = 0x1_00a8
    static let eventConsumed: UInt64 = 0x1_00ac
  }

  private static func at(_ offset: UInt64) -> UInt64 { Arena.handover + offset }
  private static var streams: UInt64 { at(0) }
  private static var commands: UInt64 { at(0x4000) }
  private static var events: UInt64 { at(0x5000) }
  /// The context.
  static var context: UInt64 { at(0x6000) }
  private static func table(_ level: UInt64) -> UInt64 { at(0x6000 + level * 0x1000) }
  /// What the first page of stage 1 is.
  static var data: UInt64 { at(0xa000) }
  /// The second page of stage 1.
  static let second: UInt64 = 0x1000
  /// A page that stage 1 has not.
  static let unmapped: UInt64 = 0x5000

  /// 39 bits of input, EL0's and EL1's, with an ASID; it records faults and aborts.
  private static let contextWord: UInt64 =
    25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 1 << 31 | 5 << 32 | 1 << 41 | 1 << 45 | 1 << 46
    | 9 << 48
  private static let block: UInt64 = 1 << 11 | 0x741
  private static let page: UInt64 = 1 << 11 | 0x743
  /// Of a stage 2: Normal memory that may be read and written.
  private static let block2: UInt64 = 0x7fd
  private static let page2: UInt64 = 0x7ff
  /// 39 bits of input from level 1, 4 KiB tables, Write-Back and Inner Shareable; faults are recorded.
  private static let regime2: UInt64 =
    25 << 32 | 1 << 38 | 1 << 40 | 1 << 42 | 3 << 44 | 4 << 48 | 1 << 51 | 1 << 58
  /// SHCFG, S1CSH, S1COR, S1CIR.
  private static let attributes: UInt64 = 1 << 44 | 0xd4
  /// V and Config of an entry.
  static let stage1: UInt64 = 0b1011
  static let stage2: UInt64 = 0b1101
  static let bypass: UInt64 = 0b1001

  func read(_ offset: UInt64) -> UInt64 { load32(Board.smmu + offset) }
  func write(_ offset: UInt64, _ value: UInt64) { store32(Board.smmu + offset, value) }

  /// Waits until a register reads so; false where it does not.
  private func wait(_ offset: UInt64, mask: UInt64 = 0xffff_ffff, for value: UInt64) -> Bool {
    for _ in 0..<10_000 where read(offset) & mask == value { return true }
    return false
  }

  private func control(_ value: UInt64) -> Bool {
    write(Offset.control0, value)
    return wait(Offset.acknowledged, for: value)
  }

  /// From whatever it was to translating by an empty table; false where it does not get there.
  func start(commands queue: UInt64 = commands, events: UInt64 = events) -> Bool {
    guard stop() else { return false }
    el1_zero(Arena.handover, Arena.page)
    write(Offset.control1, 0xd75)
    write(Offset.control2, 0b110)
    store64(Board.smmu + Offset.streamBase, Self.streams | 1 << 62)
    write(Offset.streamShape, 8)
    store64(Board.smmu + Offset.commandBase, queue | 1 << 62 | 8)
    write(Offset.commandProduced, 0)
    write(Offset.commandConsumed, 0)
    store64(Board.smmu + Offset.eventBase, events | 1 << 62 | 7)
    write(Offset.eventProduced, 0)
    write(Offset.eventConsumed, 0)
    write(Offset.errorAcknowledged, read(Offset.error))
    return control(1 << 3) && send(0x04, 31) && send(0x30) && control(1 << 3 | 1 << 2)
      && control(0b1101)
  }

  /// Switches it off: devices pass stage 1.
  func stop() -> Bool { control(0) }

  /// Rings for a command and a SYNC; false where they are not carried out.
  func send(_ word0: UInt64, _ word1: UInt64 = 0) -> Bool {
    var produced = read(Offset.commandProduced)
    put(word0, word1, &produced)
    put(0x46, 0, &produced)
    el1_barrier()
    write(Offset.commandProduced, produced)
    return wait(Offset.commandConsumed, mask: 0x1ff, for: produced)
  }

  private func put(_ word0: UInt64, _ word1: UInt64, _ produced: inout UInt64) {
    let place = Self.commands + (produced & 0xff) * 16
    el1_store64(place, word0)
    el1_store64(place + 8, word1)
    produced = (produced + 1) & 0x1ff
  }

  /// Gives a stream an entry with contexts at `context`; false where that is not done.
  func attach(
    _ stream: UInt32, configuration: UInt64 = stage1, context: UInt64 = context
  ) -> Bool {
    let place = Self.streams + UInt64(stream) * 64
    el1_store64(place + 8, Self.attributes)
    el1_store64(place, configuration | context)
    el1_barrier()
    return send(0x03 | UInt64(stream) << 32, 1)
  }

  /// Gives a stream an entry with a stage 2, of which the second page is `target`; false where that is not done.
  func attachStage2(_ stream: UInt32, target: UInt64) -> Bool {
    el1_store64(Self.table(1), Self.table(2) | 0b11)
    el1_store64(Self.table(1) + 8, Board.memory | Self.block2)
    el1_store64(Self.table(2), Self.table(3) | 0b11)
    el1_store64(Self.table(3) + 8, target | Self.page2)
    let place = Self.streams + UInt64(stream) * 64
    el1_store64(place + 16, Self.regime2)
    el1_store64(place + 24, Self.table(1))
    return attach(stream, configuration: Self.stage2, context: 0)
  }

  /// Builds stage 1, of which the second page is `target`, and has the SMMU forget what it knew.
  func build(target: UInt64) -> Bool {
    el1_store64(Self.context, Self.contextWord)
    el1_store64(Self.context + 8, Self.table(1))
    el1_store64(Self.table(1), Self.table(2) | 0b11)
    el1_store64(Self.table(1) + 8, Board.memory | Self.block)
    el1_store64(Self.table(2), Self.table(3) | 0b11)
    el1_store64(Self.table(3), Self.data | Self.page)
    el1_store64(Self.table(3) + 8, target | Self.page)
    el1_barrier()
    return send(0x30)
  }

  /// The first doublewords of the oldest event that was not taken; nil where there is none.
  func takeEvent() -> (word0: UInt64, word1: UInt64, address: UInt64)? {
    let consumed = read(Offset.eventConsumed)
    guard read(Offset.eventProduced) & 0xff != consumed & 0xff else { return nil }
    let place = Self.events + (consumed & 0x7f) * 32
    el1_barrier()
    let event = (el1_load64(place), el1_load64(place + 8), el1_load64(place + 16))
    write(Offset.eventConsumed, (consumed + 1) & 0xff)
    return (event.0, event.1, event.2)
  }

  /// Whether events had nowhere to go.
  var hasLostEvents: Bool {
    _ = read(Offset.eventProduced)
    return (read(Offset.error) ^ read(Offset.errorAcknowledged)) >> 2 & 1 == 1
  }

  /// Whether the queue has stopped, and by which error; 0 where it has not.
  var error: UInt64 {
    guard (read(Offset.error) ^ read(Offset.errorAcknowledged)) & 1 == 1 else { return 0 }
    return read(Offset.commandConsumed) >> 24 & 0x7f
  }
}
