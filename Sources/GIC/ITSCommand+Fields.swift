// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension ITSCommand {
  /// The bits that belong to a field of the command; all others are RES0 (IHI 0069, 5.3).
  ///
  /// `hasGICv41` adds the fields that GICv4.1 gives to VMAPP and VMOVP. RDbase has 36 bits where
  /// GITS_TYPER.PTA is set, `targetsAreAddresses`, and else the 16 of a processor number.
  @inline(__always)
  public static func fields(
    of opcode: ITSOpcode, hasGICv41: Bool = false, targetsAreAddresses: Bool = true
  ) -> ITSCommand {
    let number: UInt64 = 0xff
    let deviceAndNumber: UInt64 = 0xffff_ffff_0000_00ff
    let event: UInt64 = 0xffff_ffff
    let vpe: UInt64 = 0xffff << 32
    let target: UInt64 = targetsAreAddresses ? 0x000f_ffff_ffff_0000 : 0xffff_0000
    let table: UInt64 = 0x000f_ffff_ffff_0000
    let valid: UInt64 = 1 << 63
    return switch opcode {
    case .movi, .mapi: ITSCommand(deviceAndNumber, event, 0xffff, 0)
    case .int, .clear, .inv, .discard: ITSCommand(deviceAndNumber, event, 0, 0)
    case .sync: ITSCommand(number, 0, target, 0)
    case .mapd: ITSCommand(deviceAndNumber, 0x1f, 0x000f_ffff_ffff_ff00 | valid, 0)
    case .mapc: ITSCommand(number, 0, 0xffff | target | valid, 0)
    case .mapti: ITSCommand(deviceAndNumber, .max, 0xffff, 0)
    case .invall: ITSCommand(number, 0, 0xffff, 0)
    case .movall: ITSCommand(number, 0, target, target)
    case .vmovi: ITSCommand(deviceAndNumber, event | vpe, 0xffff_ffff_0000_0001, 0)
    case .vmovp:
      hasGICv41
        ? ITSCommand(number | 0xffff << 32, 0xffff | vpe, target | valid, event)
        : ITSCommand(number | 0xffff << 32, 0xffff | vpe, target, 0)
    case .vsgi: ITSCommand(number | 0b111 << 8 | 0xf << 20 | 0xf << 32, vpe, 0, 0)
    case .vsync, .vinvall, .invdb: ITSCommand(number, vpe, 0, 0)
    case .vmapp:
      hasGICv41
        ? ITSCommand(number | 0b11 << 8 | table, event | vpe, target | valid, table | 0x1f)
        : ITSCommand(number, vpe, target | valid, table | 0x1f)
    case .vmapti: ITSCommand(deviceAndNumber, event | vpe, .max, 0)
    case .vmapi: ITSCommand(deviceAndNumber, event | vpe, 0xffff_ffff << 32, 0)
    }
  }

  /// The command with its fields alone: an ITS ignores all other bits, and software may leave anything there.
  @inline(__always)
  public func rebuilt(
    as opcode: ITSOpcode, hasGICv41: Bool = false, targetsAreAddresses: Bool = true
  ) -> ITSCommand {
    let fields = Self.fields(
      of: opcode, hasGICv41: hasGICv41, targetsAreAddresses: targetsAreAddresses)
    return ITSCommand(
      word0 & fields.word0, word1 & fields.word1, word2 & fields.word2, word3 & fields.word3)
  }
}
