// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// One entry of a command queue: four little-endian doublewords (IHI 0069, 5.3).
///
/// Which fields mean something depends on the command; a field of another command reads whatever
/// its bits are.
public struct ITSCommand: Equatable, Sendable {
  /// The bytes of a command.
  public static var size: UInt64 { 32 }

  /// DW0.
  public var word0: UInt64
  /// DW1.
  public var word1: UInt64
  /// DW2.
  public var word2: UInt64
  /// DW3.
  public var word3: UInt64

  /// Takes four doublewords.
  @inline(__always)
  public init(_ word0: UInt64, _ word1: UInt64 = 0, _ word2: UInt64 = 0, _ word3: UInt64 = 0) {
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
  }

  /// The doublewords, in order.
  public var words: InlineArray<4, UInt64> { [word0, word1, word2, word3] }

  /// The number of the command, DW0[7:0].
  @inline(__always)
  public var number: UInt8 { UInt8(truncatingIfNeeded: word0) }
  /// The command; nil for a number that the architecture reserves.
  @inline(__always)
  public var opcode: ITSOpcode? { ITSOpcode(rawValue: number) }
}

// The fields, by where they are and not by command: many commands share one.
extension ITSCommand {
  /// DeviceID, DW0[63:32].
  @inline(__always)
  public var deviceID: UInt32 { UInt32(truncatingIfNeeded: word0 >> 32) }
  /// EventID, DW1[31:0].
  @inline(__always)
  public var eventID: UInt32 { UInt32(truncatingIfNeeded: word1) }
  /// pINTID, DW1[63:32] of MAPTI.
  @inline(__always)
  public var physicalID: UInt32 { UInt32(truncatingIfNeeded: word1 >> 32) }
  /// vPEID, DW1[47:32] of the GICv4 commands.
  @inline(__always)
  public var vpeID: UInt16 { UInt16(truncatingIfNeeded: word1 >> 32) }
  /// Size, DW1[4:0] of MAPD: the bits of an EventID, minus one.
  @inline(__always)
  public var eventIDBitsMinusOne: UInt64 { word1 & 0x1f }
  /// ICID, DW2[15:0].
  @inline(__always)
  public var collectionID: UInt16 { UInt16(truncatingIfNeeded: word2) }
  /// ITT_addr, DW2[51:8] of MAPD, as an address.
  @inline(__always)
  public var translationTable: UInt64 { word2 & 0x000f_ffff_ffff_ff00 }
  /// V, DW2[63] of MAPD, MAPC and VMAPP.
  @inline(__always)
  public var isValid: Bool { word2 & 1 << 63 != 0 }
  /// RDbase, DW2[51:16]: a processor number, or an address without its low 16 bits.
  @inline(__always)
  public var target: UInt64 { word2 >> 16 & 0xf_ffff_ffff }
  /// RDbase2, DW3[51:16] of MOVALL.
  @inline(__always)
  public var secondTarget: UInt64 { word3 >> 16 & 0xf_ffff_ffff }
  /// VPT_addr, DW3[51:16] of VMAPP, as an address.
  @inline(__always)
  public var pendingTable: UInt64 { word3 & Self.tableAddress }
  private static var tableAddress: UInt64 { 0x000f_ffff_ffff_0000 }
  /// The same VMAPP with another table.
  public func at(pendingTable base: PhysicalAddress) -> ITSCommand {
    ITSCommand(
      word0, word1, word2, word3 & ~Self.tableAddress | base.rawValue & Self.tableAddress)
  }
  /// VPT_size, DW3[4:0] of VMAPP: the bits of a vINTID, minus one.
  @inline(__always)
  public var virtualIDBitsMinusOne: UInt64 { word3 & 0x1f }
  /// VCONF_addr, DW0[51:16] of VMAPP (GICv4.1), as an address.
  @inline(__always)
  public var configurationTable: UInt64 { word0 & 0x000f_ffff_ffff_0000 }
  /// Alloc, DW0[8] of VMAPP (GICv4.1).
  @inline(__always)
  public var allocates: Bool { word0 & 1 << 8 != 0 }
}

// The fields of the GICv4 commands that map events.
extension ITSCommand {
  /// vINTID, DW2[31:0] of VMAPTI.
  @inline(__always)
  public var virtualID: UInt32 { UInt32(truncatingIfNeeded: word2) }
  /// Dbell_pINTID, DW2[63:32] of VMAPTI, VMAPI and VMOVI.
  @inline(__always)
  public var doorbellID: UInt32 { UInt32(truncatingIfNeeded: word2 >> 32) }
  /// D, DW2[0] of VMOVI: the doorbell changes as well.
  @inline(__always)
  public var hasDoorbell: Bool { word2 & 1 != 0 }
}

// What software writes into a queue.
extension ITSCommand {
  private static func word0(_ opcode: ITSOpcode, _ deviceID: UInt32 = 0) -> UInt64 {
    UInt64(opcode.rawValue) | UInt64(deviceID) << 32
  }

  /// MAPD with V set: maps a device to a table of `1 << eventIDBits` entries at `table`.
  public static func mapd(_ deviceID: UInt32, table: UInt64, eventIDBits: UInt64) -> ITSCommand {
    ITSCommand(
      word0(.mapd, deviceID), (eventIDBits &- 1) & 0x1f, table & 0x000f_ffff_ffff_ff00 | 1 << 63)
  }
  /// MAPD with V clear: unmaps a device.
  public static func unmapd(_ deviceID: UInt32) -> ITSCommand { ITSCommand(word0(.mapd, deviceID)) }
  /// MAPC with V set.
  public static func mapc(_ collectionID: UInt16, target: UInt64) -> ITSCommand {
    ITSCommand(word0(.mapc), 0, UInt64(collectionID) | (target & 0xf_ffff_ffff) << 16 | 1 << 63)
  }
  /// MAPC with V clear.
  public static func unmapc(_ collectionID: UInt16) -> ITSCommand {
    ITSCommand(word0(.mapc), 0, UInt64(collectionID))
  }
  /// MAPTI.
  public static func mapti(
    _ deviceID: UInt32, _ eventID: UInt32, interrupt: UInt32, collectionID: UInt16
  ) -> ITSCommand {
    ITSCommand(
      word0(.mapti, deviceID), UInt64(eventID) | UInt64(interrupt) << 32, UInt64(collectionID))
  }
  /// MAPI.
  public static func mapi(_ deviceID: UInt32, _ eventID: UInt32, collectionID: UInt16) -> ITSCommand
  {
    ITSCommand(word0(.mapi, deviceID), UInt64(eventID), UInt64(collectionID))
  }
  /// MOVI.
  public static func movi(_ deviceID: UInt32, _ eventID: UInt32, collectionID: UInt16) -> ITSCommand
  {
    ITSCommand(word0(.movi, deviceID), UInt64(eventID), UInt64(collectionID))
  }
  /// DISCARD, INT, CLEAR or INV of an event.
  public static func event(
    _ opcode: ITSOpcode, _ deviceID: UInt32, _ eventID: UInt32
  ) -> ITSCommand {
    ITSCommand(word0(opcode, deviceID), UInt64(eventID))
  }
  /// VMAPP with V clear.
  public static func unvmapp(_ vpeID: UInt16) -> ITSCommand {
    ITSCommand(word0(.vmapp), UInt64(vpeID) << 32)
  }
  /// VMAPP with V set (GICv4.0); a table for vINTIDs of `virtualIDBits` bits at `pendingTable`.
  public static func vmapp(
    _ vpeID: UInt16, target: UInt64, pendingTable: UInt64, virtualIDBits: UInt64
  ) -> ITSCommand {
    ITSCommand(
      word0(.vmapp), UInt64(vpeID) << 32, (target & 0xf_ffff_ffff) << 16 | 1 << 63,
      pendingTable & Self.tableAddress | (virtualIDBits &- 1) & 0x1f)
  }
  /// VSYNC.
  public static func vsync(_ vpeID: UInt16) -> ITSCommand {
    ITSCommand(word0(.vsync), UInt64(vpeID) << 32)
  }

  /// INVALL.
  public static func invall(_ collectionID: UInt16) -> ITSCommand {
    ITSCommand(word0(.invall), 0, UInt64(collectionID))
  }
  /// SYNC.
  public static func sync(target: UInt64) -> ITSCommand {
    ITSCommand(word0(.sync), 0, (target & 0xf_ffff_ffff) << 16)
  }
  /// MOVALL.
  public static func movall(from target: UInt64, to second: UInt64) -> ITSCommand {
    ITSCommand(word0(.movall), 0, (target & 0xf_ffff_ffff) << 16, (second & 0xf_ffff_ffff) << 16)
  }
}
