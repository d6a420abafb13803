// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// GITS_TYPER: what an ITS implements (IHI 0069, 12.19.15).
public struct GITSTyper: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// What is true of an ITS with these GITS_TYPER and GITS_IIDR.
  ///
  /// Qualcomm's QDF2400 says that entries of translation tables have 8 bytes, and writes 16 (its erratum E0065).
  public init(rawValue: UInt64, of implementer: UInt64) {
    self.rawValue = implementer == 0x0000_1070 ? rawValue | 0xf << 4 : rawValue
  }

  /// Physical, bit [0].
  public var hasPhysicalLPIs: Bool { rawValue & 1 != 0 }
  /// Virtual, bit [1].
  public var hasVirtualLPIs: Bool { rawValue & 1 << 1 != 0 }
  /// ITT_entry_size, bits [7:4] plus one: the bytes of an entry of a translation table.
  public var translationEntrySize: UInt64 { (rawValue >> 4 & 0xf) + 1 }
  /// ID_bits, bits [12:8] plus one: the bits of an EventID.
  public var eventIDBits: UInt64 { (rawValue >> 8 & 0x1f) + 1 }
  /// Devbits, bits [17:13] plus one: the bits of a DeviceID.
  public var deviceIDBits: UInt64 { (rawValue >> 13 & 0x1f) + 1 }
  /// PTA, bit [19]: a target is the address of a Redistributor, not a processor number.
  public var targetsAreAddresses: Bool { rawValue & 1 << 19 != 0 }
  /// HCC, bits [31:24]: how many collections the ITS holds without memory.
  public var hardwareCollections: UInt64 { rawValue >> 24 & 0xff }
  /// CIL, bit [36], and CIDbits, bits [35:32] plus one: the bits of a collection ID; 16 without CIL.
  public var collectionIDBits: UInt64 { rawValue & 1 << 36 != 0 ? (rawValue >> 32 & 0xf) + 1 : 16 }
  /// VMOVP, bit [37]: one ITS moves a vPE for all of them.
  public var movesVPEsAlone: Bool { rawValue & 1 << 37 != 0 }
  /// VSGI, bit [39], VMAPP, bit [40], and SVPET, bits [42:41]: features of GICv4.1.
  public var hasGICv41: Bool { rawValue & 0b1111 << 39 != 0 }

  /// The value with DeviceIDs of fewer bits: no more than 1 << `bits`.
  public func with(deviceIDBits bits: UInt64) -> GITSTyper {
    GITSTyper(rawValue: rawValue & ~(0x1f << 13) | ((bits &- 1) & 0x1f) << 13)
  }
  /// The value with collection IDs of `bits` bits, 1 to 16.
  public func with(collectionIDBits bits: UInt64) -> GITSTyper {
    GITSTyper(rawValue: rawValue & ~(0xf << 32) | 1 << 36 | ((bits &- 1) & 0xf) << 32)
  }

  /// The value without what concerns virtual interrupts: Virtual, VMOVP, VSGI, VMAPP, SVPET, nID.
  public var withoutVirtualLPIs: GITSTyper {
    GITSTyper(rawValue: rawValue & ~(1 << 1 | 1 << 37 | 0b1_1111 << 39))
  }
}
