// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Testing

@Suite("Register maps of the GIC")
struct RegisterMapTests {
  static let wordOrDouble = AccessWidths.word.union(.double)

  @Test(
    "An ITS register permits the widths of its row, and only at its own offset",
    arguments: [
      (0x0000, .word), (0x0004, .word), (0x0008, wordOrDouble), (0x000c, .word),
      (0x0010, .word), (0x0018, .word), (0x0048, .double), (0x0080, wordOrDouble),
      (0x0084, .word), (0x0088, wordOrDouble), (0x0090, wordOrDouble), (0x0094, .word),
      (0x0100, wordOrDouble), (0x0104, .word), (0x0138, wordOrDouble), (0x013c, .word),
      (0xffd0, .word), (0xffe8, .word), (0xfffc, .word),
      (0x0001, .none), (0x000a, .none), (0x0020, .none), (0x003c, .none), (0x0098, .none),
      (0x00fc, .none), (0x0140, .none), (0xbffc, .none), (0xc000, .none), (0xffcc, .none),
      (0x1_0000, .none),
    ] as [(UInt64, AccessWidths)])
  func its(offset: UInt64, widths: AccessWidths) {
    #expect(ITSRegister.widths(at: offset) == widths)
  }

  @Test("The fields of GITS_TYPER decode the two values that QEMU's boards show")
  func typer() {
    let v3 = GITSTyper(rawValue: 0x1f_0001_efb1)
    #expect(v3.hasPhysicalLPIs && !v3.hasVirtualLPIs && !v3.targetsAreAddresses)
    #expect(v3.translationEntrySize == 12)
    #expect(v3.eventIDBits == 16 && v3.deviceIDBits == 16 && v3.collectionIDBits == 16)
    let v4 = GITSTyper(rawValue: 0x3f_0001_efb3)
    #expect(v4.hasVirtualLPIs && v4.movesVPEsAlone && !v3.movesVPEsAlone)
  }

  @Test("A QDF2400 has entries of 16 bytes, whatever GITS_TYPER says; all else is what it says")
  func correctedTyper() {
    let said: UInt64 = 0x1f_0001_ef71
    #expect(GITSTyper(rawValue: said, of: 0x1070).rawValue == said | 0xf0)
    #expect(GITSTyper(rawValue: said, of: 0x1070).translationEntrySize == 16)
    for other in [0, 0x43b, 0x1071, 0x100_1070] as [UInt64] {
      #expect(GITSTyper(rawValue: said, of: other).rawValue == said)
    }
  }

  @Test("Rows of a map are in order, apart, and inside their frame")
  func order() {
    var end: UInt64 = 0
    for row in ITSRegister.map.indices {
      let register = ITSRegister.map[row]
      #expect(register.offset >= end)
      end = register.offset + register.size * register.count
    }
    #expect(end == 0x1_0000)
    var end2: UInt64 = 0
    for row in RedistributorRegister.map.indices {
      let register = RedistributorRegister.map[row]
      #expect(register.offset >= end2)
      end2 = register.offset + register.size * register.count
    }
    #expect(end2 == 0x2_0080)
  }

  @Test(
    "A Redistributor's register permits the widths of its row, and only at its own offset",
    arguments: [
      (0x0000, .word), (0x0004, .word), (0x0008, wordOrDouble), (0x000c, .word), (0x0010, .word),
      (0x0014, .word), (0x0018, .word), (0x001c, .word), (0x0040, wordOrDouble),
      (0x0070, wordOrDouble), (0x0074, .word), (0x0078, wordOrDouble), (0x00a0, .double),
      (0x00b0, .double), (0x00c0, .word), (0xffe8, .word), (0x2_0070, wordOrDouble),
      (0x2_007c, .word), (0x0020, .none), (0x00a4, .none), (0x0100, .none), (0xc000, .none),
      (0x1_0080, .none), (0x2_0000, .none),
    ] as [(UInt64, AccessWidths)])
  func redistributor(offset: UInt64, widths: AccessWidths) {
    #expect(RedistributorRegister.widths(at: offset) == widths)
  }

  @Test(
    "LPI tables: a byte for each INTID from 8192 on, and a bit for each INTID",
    arguments: [
      (14, 8192, 2048), (16, 57344, 8192), (24, 0xff_e000, 0x20_0000), (1, 8192, 2048),
      (32, 0xffff_e000, 0x2000_0000), (40, 0xffff_e000, 0x2000_0000),
    ] as [(UInt64, UInt64, UInt64)])
  func tables(bits: UInt64, configuration: UInt64, pending: UInt64) {
    let sizes = LPITableSizes(interruptIDBits: bits)
    #expect(sizes.configuration == configuration)
    #expect(sizes.pending == pending)
  }
}
