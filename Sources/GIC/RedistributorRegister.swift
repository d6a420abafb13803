// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The registers of a Redistributor's RD frame that concern LPIs (IHI 0069, 12.10).
public enum RedistributorRegister {
  /// The size in bytes of one frame; RD, SGI and, with GICv4, VLPI and a reserved frame follow.
  public static var frameSize: UInt64 { 0x1_0000 }

  /// GICR_CTLR.
  public static var control: RegisterLayout { RegisterLayout(0x0000, size: 4, .word, .readWrite) }
  /// GICR_TYPER.
  public static var type: RegisterLayout {
    RegisterLayout(0x0008, size: 8, .word.union(.double), .readOnly)
  }
  /// GICR_SETLPIR.
  public static var setLPI: RegisterLayout { RegisterLayout(0x0040, size: 8, .double, .writeOnly) }
  /// GICR_CLRLPIR.
  public static var clearLPI: RegisterLayout {
    RegisterLayout(0x0048, size: 8, .double, .writeOnly)
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

  /// Every row, by offset.
  public static var map: InlineArray<9, RegisterLayout> {
    [
      control, type, setLPI, clearLPI, configurationBase, pendingBase, invalidateLPI,
      invalidateAll, synchronization,
    ]
  }
}
