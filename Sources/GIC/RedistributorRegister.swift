// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The registers of a Redistributor's RD frame and, with GICv4, of its VLPI frame, by their offset from
/// the RD frame (IHI 0069, 12.10 and 12.11).
public enum RedistributorRegister {
  /// The size in bytes of one frame; RD, SGI and, with GICv4, VLPI and a reserved frame follow.
  public static var frameSize: UInt64 { 0x1_0000 }
  /// Where the VLPI frame begins.
  public static var virtualFrame: UInt64 { 2 * frameSize }

  /// GICR_CTLR.
  public static var control: RegisterLayout { RegisterLayout(0x0000, size: 4, .word, .readWrite) }
  /// GICR_IIDR.
  public static var implementer: RegisterLayout {
    RegisterLayout(0x0004, size: 4, .word, .readOnly)
  }
  /// GICR_TYPER.
  public static var type: RegisterLayout {
    RegisterLayout(0x0008, size: 8, .word.union(.double), .readOnly)
  }
  /// GICR_STATUSR.
  public static var status: RegisterLayout { RegisterLayout(0x0010, size: 4, .word, .readWrite) }
  /// GICR_WAKER.
  public static var waker: RegisterLayout { RegisterLayout(0x0014, size: 4, .word, .readWrite) }
  /// GICR_MPAMIDR.
  public static var mpamIdentification: RegisterLayout {
    RegisterLayout(0x0018, size: 4, .word, .readOnly)
  }
  /// GICR_PARTIDR.
  public static var partition: RegisterLayout {
    RegisterLayout(0x001c, size: 4, .word, .readWrite)
  }
  /// GICR_SETLPIR.
  public static var setLPI: RegisterLayout {
    RegisterLayout(0x0040, size: 8, .word.union(.double), .writeOnly)
  }
  /// GICR_CLRLPIR.
  public static var clearLPI: RegisterLayout {
    RegisterLayout(0x0048, size: 8, .word.union(.double), .writeOnly)
  }
  /// GICR_PROPBASER.
  public static var configurationBase: RegisterLayout {
    RegisterLayout(0x0070, size: 8, .word.union(.double), .readWrite)
  }
  /// GICR_PENDBASER.
  public static var pendingBase: RegisterLayout {
    RegisterLayout(0x0078, size: 8, .word.union(.double), .readWrite)
  }
  /// GICR_INVLPIR.
  public static var invalidateLPI: RegisterLayout {
    RegisterLayout(0x00a0, size: 8, .double, .writeOnly)
  }
  /// GICR_INVALLR.
  public static var invalidateAll: RegisterLayout {
    RegisterLayout(0x00b0, size: 8, .double, .writeOnly)
  }
  /// GICR_SYNCR.
  public static var synchronization: RegisterLayout {
    RegisterLayout(0x00c0, size: 4, .word, .readOnly)
  }

  /// The identification registers, GICR_PIDR2 among them.
  public static var identification: RegisterLayout {
    RegisterLayout(0xffd0, size: 4, count: 12, .word, .readOnly)
  }
  /// GICR_VPROPBASER, in the VLPI frame.
  public static var virtualConfigurationBase: RegisterLayout {
    RegisterLayout(virtualFrame + 0x0070, size: 8, .word.union(.double), .readWrite)
  }
  /// GICR_VPENDBASER, in the VLPI frame.
  public static var virtualPendingBase: RegisterLayout {
    RegisterLayout(virtualFrame + 0x0078, size: 8, .word.union(.double), .readWrite)
  }

  /// Every row, by offset; what lies between is reserved or implementation defined.
  public static var map: InlineArray<17, RegisterLayout> {
    [
      control, implementer, type, status, waker, mpamIdentification, partition, setLPI, clearLPI,
      configurationBase, pendingBase, invalidateLPI, invalidateAll, synchronization,
      identification, virtualConfigurationBase, virtualPendingBase,
    ]
  }

  /// The widths that the architecture permits at `offset` from the RD frame; none where there is no
  /// architected register of one of the two frames.
  public static func widths(at offset: UInt64) -> AccessWidths {
    let map = Self.map
    for row in map.indices {
      let widths = map[row].widths(at: offset)
      if widths != .none { return widths }
    }
    return .none
  }
}
