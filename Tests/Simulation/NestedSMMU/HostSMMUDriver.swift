// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Traps

/// What a host does with an SMMU that it sees, step by step as the specification has it.
package struct HostSMMUDriver {
  /// Where the host has its queues, tables and pages.
  package enum Place {
    package static let commands: UInt64 = 0x4010_0000
    package static let events: UInt64 = 0x4010_1000
    package static let streams: UInt64 = 0x4020_0000
    package static let secondLevel: UInt64 = 0x4021_0000
    package static let context: UInt64 = 0x4030_0000
    package static let table1: UInt64 = 0x4030_1000
    package static let table2: UInt64 = 0x4030_2000
    package static let data: UInt64 = 0x4030_3000
  }

  /// A context of 30 bits of input and ASID 9, which records and aborts.
  package static let contextWord0: UInt64 =
    34 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 1 << 31 | 5 << 32 | 1 << 41 | 1 << 45 | 1 << 46
    | 9 << 48
  /// A page of stage 1 for all, with nG.
  package static let leaf: UInt64 = 1 << 11 | 0x743
  /// What an entry's second doubleword holds for a stage 1: SHCFG, S1CIR, S1COR, S1CSH.
  package static let attributes: UInt64 = 1 << 44 | 0xd4

  package let world: NestedWorld

  package init(_ world: NestedWorld) { self.world = world }

  package func write(_ offset: UInt64, _ value: UInt64) { world.write(.word, offset, value) }
  package func write64(_ offset: UInt64, _ value: UInt64) { world.write(.double, offset, value) }

  package func read(_ offset: UInt64) -> UInt64 {
    if case .value(let value) = world.read(.word, offset) { value } else { .max }
  }

  package func read64(_ offset: UInt64) -> UInt64 {
    if case .value(let value) = world.read(.double, offset) { value } else { .max }
  }

  /// Stores words, and cleans them.
  package func put(_ address: UInt64, _ words: UInt64...) {
    for (index, word) in words.enumerated() { world.store(address + UInt64(index) * 8, word) }
    guard world.hostMapping == .processor else { return }
    world.smmu.memory.clean(address, size: UInt64(words.count) * 8)
  }

  /// Writes CR0 and waits; false where that is not acknowledged within `reads`.
  @discardableResult
  package func control(_ value: UInt64, reads: Int = 1000) -> Bool {
    write(0x20, value)
    for _ in 0..<reads where read(0x24) == value { return true }
    return false
  }

  /// What it leaves in bits that an SMMU without stage 2, messages and ATS ignores.
  private static var rest: UInt64 { 0xa5c3_96f0_5a3c_69ff }

  /// The bits of a command that mean nothing (IHI 0070, 4.2 to 4.7): the VMID too, where there is no stage 2.
  private func ignored(_ word0: UInt64) -> (UInt64, UInt64) {
    let vmid: UInt64 = world.isMediated ? 0xffff << 32 : 0
    return switch word0 & 0xff {
    case 0x03: (0xffff_fb00, ~1)
    case 0x04: (0xffff_fb00, ~0x1f)
    case 0x05: (0x0000_0300, ~1)
    case 0x06: (0xffff_fb00, ~0)
    case 0x10, 0x30: (0xffff_0000_ffff_ff00 | vmid, ~0)
    case 0x11: (0xffff_ff00 | vmid, ~0)
    case 0x12: (0xfe0e_0f00 | vmid, 0xfe)
    case 0x13: (0xffff_0000_fe0e_0f00 | vmid, 0xfe)
    case 0x46 where word0 & 0x3000 == 0: (~0x30ff, ~0)
    default: (0, 0)
    }
  }

  /// From reset to translating by an empty table of 2^`log2` streams, or one of two levels.
  package func start(log2: UInt64 = 8, split: UInt64? = nil) {
    // SMMU_CR1: Inner Shareable and write-back, or nothing of both.
    write(0x28, (world.hostMapping == .processor ? 0xd75 : 0) | Self.rest & 0xffff_f000)
    write(0x2c, 0b0110 | Self.rest & 0xffff_fff0)
    write64(0x80, Place.streams | 1 << 62)
    write(0x88, split.map { log2 | $0 << 6 | 1 << 16 } ?? log2)
    write64(0x90, Place.commands | 1 << 62 | 8)
    write(0x98, 0)
    write(0x9c, 0)
    control(1 << 3)
    send((0x04, 31), (0x30, 0), (0x46, 0))
    write64(0xa0, Place.events | 1 << 62 | 7)
    write(0x100a8, 0)
    write(0x100ac, 0)
    control(1 << 3 | 1 << 2)
    write(0x50, 0)
    write64(0x68, 0)
    write64(0xb0, 0)
    write(0x50, 0b101)
    control(0b1101)
  }

  /// Posts commands behind those that there are.
  package func post(_ commands: (UInt64, UInt64)...) { post(commands) }

  package func post(_ commands: [(UInt64, UInt64)]) {
    var produced = read(0x98)
    for (word0, word1) in commands {
      let ignored = ignored(word0)
      put(
        Place.commands + (produced & 0xff) * 16, word0 | Self.rest & ignored.0,
        word1 | Self.rest & ignored.1)
      produced = (produced + 1) & 0x1ff
    }
    write(0x98, produced)
  }

  /// Waits until all is consumed; how many looks it took, or nil where it does not end.
  @discardableResult
  package func wait(reads: Int = 10_000) -> Int? {
    let produced = read(0x98)
    for look in 1...reads where read(0x9c) & 0x1ff == produced { return look }
    return nil
  }

  /// Posts commands and waits.
  @discardableResult
  package func send(_ commands: (UInt64, UInt64)...) -> Int? {
    post(commands)
    return wait()
  }

  /// Why the queue has stopped; nil where it has not.
  package var stop: SMMUCommandError? {
    guard (read(0x60) ^ read(0x64)) & 1 != 0 else { return nil }
    return SMMUQueuePointer(rawValue: UInt32(truncatingIfNeeded: read(0x9c))).error
  }

  /// Writes an entry of a linear table, and says so.
  package func setEntry(_ stream: UInt64, _ words: UInt64..., invalidates: Bool = true) {
    let place = Place.streams + stream * 64
    for index in 0..<8 { put(place + UInt64(index) * 8, index < words.count ? words[index] : 0) }
    if invalidates { send((0x03 | stream << 32, 1), (0x46, 0)) }
  }

  /// Writes stage 1: its first page comes to `data`, and the second to `target`.
  package func buildStage1(target: UInt64 = Place.data, contextWord0: UInt64 = contextWord0) {
    put(Place.context, contextWord0, Place.table1)
    put(Place.table1, Place.table2 | 0b11)
    put(Place.table2, Place.data | Self.leaf, target | Self.leaf)
  }

  /// Gives a stream the stage 1 that ``buildStage1(target:contextWord0:)`` has written.
  package func attach(_ stream: UInt64) {
    setEntry(stream, 0b1011 | Place.context, Self.attributes)
  }

  /// Takes the events of its queue.
  package func events() -> [SMMUEvent] {
    var events: [SMMUEvent] = []
    var consumed = read(0x100ac)
    while consumed & 0xff != read(0x100a8) & 0xff {
      let place = Place.events + (consumed & 0x7f) * 32
      events.append(
        SMMUEvent(
          world.load(place), world.load(place + 8), world.load(place + 16),
          world.load(place + 24)))
      consumed = consumed & 1 << 31 | (consumed + 1) & 0xff
    }
    write(0x100ac, consumed)
    return events
  }
}
