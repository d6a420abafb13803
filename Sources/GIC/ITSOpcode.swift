// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The commands of an ITS, by the number in bits [7:0] of their first doubleword (IHI 0069, 5.3).
public enum ITSOpcode: UInt8, Hashable, Sendable {
  /// Moves an event to another collection.
  case movi = 0x01
  /// Makes an event's interrupt pending.
  case int = 0x03
  /// Makes an event's interrupt not pending.
  case clear = 0x04
  /// Waits until what earlier commands did to a Redistributor is there.
  case sync = 0x05
  /// Maps a device to an Interrupt Translation Table, or unmaps it.
  case mapd = 0x08
  /// Maps a collection to a Redistributor, or unmaps it.
  case mapc = 0x09
  /// Maps an event to an interrupt and a collection.
  case mapti = 0x0a
  /// Maps an event to the interrupt of the same number.
  case mapi = 0x0b
  /// Makes a Redistributor read an interrupt's configuration anew.
  case inv = 0x0c
  /// Makes a Redistributor read the configuration of all interrupts anew.
  case invall = 0x0d
  /// Moves all pending interrupts to another Redistributor.
  case movall = 0x0e
  /// Unmaps an event.
  case discard = 0x0f
  /// GICv4: moves an event to another vPE.
  case vmovi = 0x21
  /// GICv4: moves a vPE to another Redistributor.
  case vmovp = 0x22
  /// GICv4.1: configures a virtual SGI.
  case vsgi = 0x23
  /// GICv4: waits until what earlier commands did to a vPE is there.
  case vsync = 0x25
  /// GICv4: maps a vPE, or unmaps it.
  case vmapp = 0x29
  /// GICv4: maps an event to a virtual interrupt of a vPE.
  case vmapti = 0x2a
  /// GICv4: maps an event to the virtual interrupt of the same number.
  case vmapi = 0x2b
  /// GICv4: makes the configuration of all interrupts of a vPE be read anew.
  case vinvall = 0x2d
  /// GICv4.1: makes the configuration of a vPE's default doorbell be read anew.
  case invdb = 0x2e

  /// Whether the command concerns virtual interrupts; these have bit 5 set.
  public var isVirtual: Bool { rawValue & 1 << 5 != 0 }

  /// The name in the specification.
  public var name: StaticString {
    switch self {
    case .movi: "MOVI"
    case .int: "INT"
    case .clear: "CLEAR"
    case .sync: "SYNC"
    case .mapd: "MAPD"
    case .mapc: "MAPC"
    case .mapti: "MAPTI"
    case .mapi: "MAPI"
    case .inv: "INV"
    case .invall: "INVALL"
    case .movall: "MOVALL"
    case .discard: "DISCARD"
    case .vmovi: "VMOVI"
    case .vmovp: "VMOVP"
    case .vsgi: "VSGI"
    case .vsync: "VSYNC"
    case .vmapp: "VMAPP"
    case .vmapti: "VMAPTI"
    case .vmapi: "VMAPI"
    case .vinvall: "VINVALL"
    case .invdb: "INVDB"
    }
  }
}
