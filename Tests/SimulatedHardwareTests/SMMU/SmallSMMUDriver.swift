// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware

/// Where a small driver has its tables, and the host its pages.
enum SMMUPlace {
  static let commands: UInt64 = 0x4000_0000
  static let events: UInt64 = 0x4001_0000
  static let streams: UInt64 = 0x4002_0000
  static let secondLevel: UInt64 = 0x4003_0000
  static let root: UInt64 = 0x4010_0000
  static let level2: UInt64 = 0x4010_1000
  static let level3: UInt64 = 0x4010_2000
  /// The IPA of the first page that stage 2 maps, one to one.
  static let pages: UInt64 = 0x8000_0000
  static let message: UInt64 = 0x5000_0040
}

/// SMMU_CR0 with everything on: SMMUEN, EVENTQEN and CMDQEN.
let everything: UInt64 = 0b1101

/// Descriptors of stage 2 that permit all: Normal memory, Inner Shareable, accessed.
let page: UInt64 = 0x7ff
let block: UInt64 = 0x7fd
let table: UInt64 = 0b11

/// S2T0SZ 25, SL0 1, Write-Back and Inner Shareable, 4 KiB, 48 bits of output, as STE.DW2 has them.
let stage2Control: UInt64 = 0x53559 << 32
/// S2AA64 and S2R.
let stage2Flags: UInt64 = 1 << 51 | 1 << 58

/// A driver that does all as it should, of words that are written by hand.
struct SmallSMMUDriver {
  let smmu: SimulatedSMMU

  /// An SMMU with its queues, and a linear table of 256 streams of which none is valid.
  init(
    _ configuration: SMMUConfiguration = SMMUConfiguration(), control1: UInt64 = 0xd75,
    enables: Bool = true, memory: PhysicalMemory = PhysicalMemory()
  ) {
    smmu = SimulatedSMMU(configuration, memory: memory)
    write(0x28, control1)
    write(0x2c, 0b0110)
    write64(0x80, SMMUPlace.streams | 1 << 62)
    write(0x88, 8)
    write64(0x90, SMMUPlace.commands | 8)
    write64(0xa0, SMMUPlace.events | 7)
    write(0x50, 0b101)
    if enables { write(0x20, everything) }
  }

  func write(_ offset: UInt64, _ value: UInt64) { _ = smmu.write(.word, value, at: offset) }
  func write64(_ offset: UInt64, _ value: UInt64) { _ = smmu.write(.double, value, at: offset) }
  func read(_ offset: UInt64) -> UInt64 { smmu.read(.word, at: offset) ?? .max }
  func read64(_ offset: UInt64) -> UInt64 { smmu.read(.double, at: offset) ?? .max }

  /// Stores as a CPU, and cleans.
  func put(_ address: UInt64, _ words: UInt64...) {
    for (index, word) in words.enumerated() {
      smmu.memory.store(.double, word, at: address + UInt64(index) * 8)
    }
    smmu.memory.clean(address, size: UInt64(words.count) * 8)
  }

  /// What memory holds.
  func word(_ address: UInt64) -> UInt64 { smmu.memory.load(.double, at: address) }

  /// Posts commands behind those that there are.
  func post(_ commands: (UInt64, UInt64)...) {
    var produced = read(0x98)
    for (word0, word1) in commands {
      put(SMMUPlace.commands + (produced & 0xff) * 16, word0, word1)
      produced = (produced + 1) & 0x1ff
    }
    write(0x98, produced)
  }

  /// Events that were recorded and not taken, which are taken by it.
  func events() -> [SMMUEvent] {
    var events: [SMMUEvent] = []
    var consumed = read(0x100ac)
    while consumed & 0xff != read(0x100a8) & 0xff {
      let place = SMMUPlace.events + (consumed & 0x7f) * 32
      events.append(
        SMMUEvent(word(place), word(place + 8), word(place + 16), word(place + 24)))
      consumed = consumed & 1 << 31 | (consumed + 1) & 0xff
    }
    write(0x100ac, consumed)
    return events
  }

  /// Writes an STE of a linear table.
  func setEntry(_ stream: UInt64, _ words: UInt64...) {
    let place = SMMUPlace.streams + stream * 64
    for index in 0..<8 { put(place + UInt64(index) * 8, index < words.count ? words[index] : 0) }
  }

  /// Has a stream translated by stage 2 with VMID 5, which maps the first four pages one to one.
  func confine(_ stream: UInt64, flags: UInt64 = 0) {
    put(SMMUPlace.root + 2 * 8, SMMUPlace.level2 | table)
    put(SMMUPlace.level2, SMMUPlace.level3 | table)
    for index in 0..<4 as Range<UInt64> {
      put(SMMUPlace.level3 + index * 8, (SMMUPlace.pages + index << 12) | page)
    }
    setEntry(stream, 0xd, 1 << 44, 5 | stage2Control | stage2Flags | flags, SMMUPlace.root)
  }
}

/// CMD_SYNC that CMDQ_CONS alone tells of.
let synchronise: (UInt64, UInt64) = (0x46, 0)
/// CMD_CFGI_STE of a stream.
func invalidateEntry(_ stream: UInt64, leaf: Bool = true) -> (UInt64, UInt64) {
  (0x03 | stream << 32, leaf ? 1 : 0)
}
/// CMD_TLBI_S2_IPA of VMID 5.
func invalidateStage2(_ address: UInt64, leaf: Bool = true) -> (UInt64, UInt64) {
  (0x2a | 5 << 32, address | (leaf ? 1 : 0))
}
/// CMD_TLBI_S12_VMALL of VMID 5.
let invalidateBoth: (UInt64, UInt64) = (0x28 | 5 << 32, 0)
/// CMD_TLBI_NH_ALL of VMID 5.
let invalidateStage1: (UInt64, UInt64) = (0x10 | 5 << 32, 0)
