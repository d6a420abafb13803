// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
import Testing

/// What tests run over.
enum Every {
  static let opcodes: [ITSOpcode] = (0...255).compactMap { ITSOpcode(rawValue: UInt8($0)) }
}

@Suite("Commands of an ITS")
struct CommandTests {
  static func words(_ command: ITSCommand) -> [UInt64] { (0..<4).map { command.words[$0] } }

  /// Each builder, with the doublewords that the architecture's tables of fields give.
  static let built: [(String, ITSCommand, [UInt64])] = [
    (
      "MAPD", .mapd(0xdead_beef, table: 0x000f_edcb_a987_6500, eventIDBits: 32),
      [0xdead_beef_0000_0008, 31, 0x800f_edcb_a987_6500, 0]
    ),
    ("MAPD, V=0", .unmapd(0xdead_beef), [0xdead_beef_0000_0008, 0, 0, 0]),
    (
      "MAPC", .mapc(0xabcd, target: 0xf_1234_5678), [0x09, 0, 0x800f_1234_5678_abcd, 0]
    ),
    ("MAPC, V=0", .unmapc(0xabcd), [0x09, 0, 0xabcd, 0]),
    (
      "MAPTI", .mapti(7, 0x8765_4321, interrupt: 0xfedc_ba98, collectionID: 0x1234),
      [0x7_0000_000a, 0xfedc_ba98_8765_4321, 0x1234, 0]
    ),
    ("MAPI", .mapi(7, 0x8765_4321, collectionID: 0x1234), [0x7_0000_000b, 0x8765_4321, 0x1234, 0]),
    ("MOVI", .movi(7, 0x8765_4321, collectionID: 0x1234), [0x7_0000_0001, 0x8765_4321, 0x1234, 0]),
    ("INT", .event(.int, .max, .max), [0xffff_ffff_0000_0003, 0xffff_ffff, 0, 0]),
    ("CLEAR", .event(.clear, 1, 2), [0x1_0000_0004, 2, 0, 0]),
    ("INV", .event(.inv, 1, 2), [0x1_0000_000c, 2, 0, 0]),
    ("DISCARD", .event(.discard, 1, 2), [0x1_0000_000f, 2, 0, 0]),
    ("INVALL", .invall(0xffff), [0x0d, 0, 0xffff, 0]),
    ("SYNC", .sync(target: 0xf_ffff_ffff), [0x05, 0, 0x000f_ffff_ffff_0000, 0]),
    ("MOVALL", .movall(from: 1, to: 2), [0x0e, 0, 0x1_0000, 0x2_0000]),
  ]

  @Test("A builder puts each field where the architecture has it, and sets no reserved bit")
  func builders() {
    for (name, command, words) in Self.built {
      #expect(Self.words(command) == words, "\(name)")
      guard let opcode = command.opcode else {
        Issue.record("\(name) has no opcode")
        continue
      }
      #expect(command.rebuilt(as: opcode) == command, "\(name)")
    }
  }

  @Test("The fields read back what a builder was given")
  func roundTrip() {
    let mapd = ITSCommand.mapd(0xdead_beef, table: 0x000f_edcb_a987_6500, eventIDBits: 9)
    #expect(mapd.opcode == .mapd && mapd.isValid && mapd.deviceID == 0xdead_beef)
    #expect(mapd.translationTable == 0x000f_edcb_a987_6500 && mapd.eventIDBitsMinusOne == 8)
    let mapc = ITSCommand.mapc(0xabcd, target: 0xf_1234_5678)
    #expect(mapc.opcode == .mapc && mapc.isValid && mapc.collectionID == 0xabcd)
    #expect(mapc.target == 0xf_1234_5678)
    #expect(!ITSCommand.unmapc(1).isValid && !ITSCommand.unmapd(1).isValid)
    let mapti = ITSCommand.mapti(7, 0x8765_4321, interrupt: 0xfedc_ba98, collectionID: 0x1234)
    #expect(mapti.eventID == 0x8765_4321 && mapti.physicalID == 0xfedc_ba98)
    #expect(mapti.collectionID == 0x1234)
    let movall = ITSCommand.movall(from: 0xf_0000_0001, to: 0xe_0000_0002)
    #expect(movall.target == 0xf_0000_0001 && movall.secondTarget == 0xe_0000_0002)
  }

  @Test("Arguments that are too wide don't reach another field")
  func confinement() {
    #expect(Self.words(.mapd(0, table: .max, eventIDBits: .max))[1] == 0x1e)
    #expect(Self.words(.mapd(0, table: .max, eventIDBits: 1))[2] == 0x800f_ffff_ffff_ff00)
    #expect(Self.words(.mapd(0, table: 0, eventIDBits: 0))[1] == 0x1f)
    #expect(Self.words(.mapc(0, target: .max))[2] == 0x800f_ffff_ffff_0000)
    #expect(Self.words(.movall(from: .max, to: .max))[3] == 0x000f_ffff_ffff_0000)
  }

  @Test("The fields of VMAPP decode as GICv4.1 has them")
  func vmapp() {
    let command = ITSCommand(
      0x0001_2345_6789_0129, 0xabcd_0000_2001, 0x8000_0000_0003_0000, 0x000f_edcb_a987_000f)
    #expect(command.opcode == .vmapp && command.isValid && command.allocates)
    #expect(command.configurationTable == 0x0001_2345_6789_0000)
    #expect(command.vpeID == 0xabcd && command.target == 3)
    #expect(command.pendingTable == 0x000f_edcb_a987_0000)
    #expect(command.virtualIDBitsMinusOne == 15)
    #expect(command.rebuilt(as: .vmapp, hasGICv41: true) == command)
    #expect(command.rebuilt(as: .vmapp) != command)
  }

  @Test("21 numbers are commands, all others are reserved; virtual ones have bit 5 set")
  func opcodes() {
    let known = (0...255).compactMap { ITSOpcode(rawValue: UInt8($0)) }
    #expect(known.count == 21)
    #expect(known.filter(\.isVirtual).count == 9)
    #expect(known.allSatisfy { $0.isVirtual == ($0.rawValue >= 0x20) })
    #expect(ITSCommand(0xffff_ffff_ffff_ff08).opcode == .mapd)
    #expect(ITSCommand(0x108).number == 0x08)
    #expect(ITSCommand(0).opcode == nil)
  }

  @Test(
    "F-21: a command that is rebuilt keeps each bit of a field, and no other",
    arguments: Every.opcodes)
  func rebuilt(opcode: ITSOpcode) {
    for hasGICv41 in [false, true] {
      let fields = ITSCommand.fields(of: opcode, hasGICv41: hasGICv41)
      for word in 0..<4 {
        for bit in 0..<64 as Range<UInt64> {
          var words = [UInt64(opcode.rawValue), 0, 0, 0]
          words[word] |= 1 << bit
          let command = ITSCommand(words[0], words[1], words[2], words[3])
          let isField = fields.words[word] >> bit & 1 != 0
          let rebuilt = command.rebuilt(as: opcode, hasGICv41: hasGICv41)
          #expect(rebuilt == (isField ? command : ITSCommand(UInt64(opcode.rawValue))))
        }
      }
    }
  }

  /// How many bits the fields of each command have in all, counted in the architecture's tables.
  static let widths: [(ITSOpcode, Int, Int)] = [
    (.movi, 88, 88), (.int, 72, 72), (.clear, 72, 72), (.sync, 44, 44), (.mapd, 90, 90),
    (.mapc, 61, 61), (.mapti, 120, 120), (.mapi, 88, 88), (.inv, 72, 72), (.invall, 24, 24),
    (.movall, 80, 80), (.discard, 72, 72), (.vmovi, 121, 121), (.vmovp, 92, 125), (.vsgi, 35, 35),
    (.vsync, 24, 24), (.vmapp, 102, 172), (.vmapti, 152, 152), (.vmapi, 120, 120),
    (.vinvall, 24, 24), (.invdb, 24, 24),
  ]

  @Test("The fields of a command have as many bits as in the architecture")
  func fieldWidths() {
    #expect(Self.widths.count == Every.opcodes.count)
    for (opcode, plain, later) in Self.widths {
      for (hasGICv41, width) in [(false, plain), (true, later)] {
        let fields = ITSCommand.fields(of: opcode, hasGICv41: hasGICv41)
        let bits = (0..<4).map { fields.words[$0].nonzeroBitCount }.reduce(0, +)
        #expect(bits == width, "\(opcode)")
      }
    }
  }
}
