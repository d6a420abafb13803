// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The registers of an ITS's control frame (GIC Architecture Specification IHI 0069, 12.19).
public enum ITSRegister {
  /// The size in bytes of the control frame; the translation frame follows it.
  public static var frameSize: UInt64 { 0x1_0000 }
  /// GITS_TRANSLATER from the start of the control frame: the doorbell of devices.
  public static var translater: UInt64 { 0x1_0040 }

  /// GITS_CTLR.
  public static var control: RegisterLayout { RegisterLayout(0x0000, size: 4, .word, .readWrite) }
  /// GITS_IIDR.
  public static var implementer: RegisterLayout {
    RegisterLayout(0x0004, size: 4, .word, .readOnly)
  }
  /// GITS_TYPER.
  public static var type: RegisterLayout {
    RegisterLayout(0x0008, size: 8, .word.union(.double), .readOnly)
  }
  /// GITS_MPAMIDR.
  public static var mpamIdentification: RegisterLayout {
    RegisterLayout(0x0010, size: 4, .word, .readOnly)
  }
  /// GITS_PARTIDR.
  public static var partition: RegisterLayout {
    RegisterLayout(0x0014, size: 4, .word, .readWrite)
  }
  /// GITS_MPIDR.
  public static var affinity: RegisterLayout { RegisterLayout(0x0018, size: 4, .word, .readOnly) }
  /// GITS_STATUSR.
  public static var status: RegisterLayout { RegisterLayout(0x0040, size: 4, .word, .readWrite) }
  /// GITS_UMSIR.
  public static var unmappedMSI: RegisterLayout {
    RegisterLayout(0x0048, size: 8, .double, .readOnly)
  }
  /// GITS_CBASER.
  public static var commandBase: RegisterLayout {
    RegisterLayout(0x0080, size: 8, .word.union(.double), .readWrite)
  }
  /// GITS_CWRITER.
  public static var commandWrite: RegisterLayout {
    RegisterLayout(0x0088, size: 8, .word.union(.double), .readWrite)
  }
  /// GITS_CREADR.
  public static var commandRead: RegisterLayout {
    RegisterLayout(0x0090, size: 8, .word.union(.double), .readOnly)
  }
  /// GITS_BASER0 to GITS_BASER7.
  public static var tableBases: RegisterLayout {
    RegisterLayout(0x0100, size: 8, count: 8, .word.union(.double), .readWrite)
  }
  /// The identification registers, GITS_PIDR2 among them.
  public static var identification: RegisterLayout {
    RegisterLayout(0xffd0, size: 4, count: 12, .word, .readOnly)
  }
  /// The offset of GITS_PIDR2.
  public static var peripheralID2: UInt64 { 0xffe8 }

  /// Every row, by offset; what lies between is reserved or implementation defined.
  public static var map: InlineArray<13, RegisterLayout> {
    [
      control, implementer, type, mpamIdentification, partition, affinity, status, unmappedMSI,
      commandBase, commandWrite, commandRead, tableBases, identification,
    ]
  }

  /// The widths that the architecture permits at `offset` in the control frame; none where there
  /// is no architected register.
  public static func widths(at offset: UInt64) -> AccessWidths {
    let map = Self.map
    for row in map.indices {
      let widths = map[row].widths(at: offset)
      if widths != .none { return widths }
    }
    return .none
  }
}
