// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// Stage 2: the table and how it is walked (IHI 0070, 5.2). The fields from S2T0SZ to S2PS are laid out
// as VTCR_EL2 of a CPU has them.
extension StreamTableEntry {
  /// S2VMID, DW2[15:0].
  public var vmid: VMID {
    get { VMID(UInt16(truncatingIfNeeded: word2)) }
    set { word2.set(15, 0, UInt64(newValue.rawValue)) }
  }
  /// S2T0SZ: 64 less the bits of an input address, DW2[37:32].
  public var stage2InputSize: UInt64 {
    get { word2.bits(37, 32) }
    set { word2.set(37, 32, newValue) }
  }
  /// S2SL0: with 4 KiB tables 0 is level 2, 1 is level 1, 2 is level 0, DW2[39:38].
  public var stage2StartLevel: UInt64 {
    get { word2.bits(39, 38) }
    set { word2.set(39, 38, newValue) }
  }
  /// S2IR0, DW2[41:40].
  public var stage2Inner: UInt64 {
    get { word2.bits(41, 40) }
    set { word2.set(41, 40, newValue) }
  }
  /// S2OR0, DW2[43:42].
  public var stage2Outer: UInt64 {
    get { word2.bits(43, 42) }
    set { word2.set(43, 42, newValue) }
  }
  /// S2SH0, DW2[45:44].
  public var stage2Shareability: UInt64 {
    get { word2.bits(45, 44) }
    set { word2.set(45, 44, newValue) }
  }
  /// S2TG: 0 is 4 KiB, 1 is 64 KiB, 2 is 16 KiB, DW2[47:46].
  public var stage2Granule: UInt64 {
    get { word2.bits(47, 46) }
    set { word2.set(47, 46, newValue) }
  }
  /// S2PS, DW2[50:48]: the size of output addresses; nil for a reserved value.
  public var stage2OutputSize: SMMUAddressSize? {
    SMMUAddressSize(rawValue: UInt8(truncatingIfNeeded: word2.bits(50, 48)))
  }
  /// All fields from S2T0SZ to S2PS, DW2[50:32], as bits [18:0] of VTCR_EL2 have them.
  public var stage2Control: UInt64 {
    get { word2.bits(50, 32) }
    set { word2.set(50, 32, newValue) }
  }
  /// S2AA64, DW2[51].
  public var hasAArch64Stage2: Bool {
    get { word2.bit(51) }
    set { word2.set(51, newValue) }
  }
  /// S2ENDI, DW2[52].
  public var hasBigEndianStage2: Bool {
    get { word2.bit(52) }
    set { word2.set(52, newValue) }
  }
  /// S2AFFD, DW2[53].
  public var ignoresAccessFlag: Bool {
    get { word2.bit(53) }
    set { word2.set(53, newValue) }
  }
  /// S2PTW: a walk of stage 1 that lands on Device memory faults, DW2[54].
  public var protectsWalks: Bool {
    get { word2.bit(54) }
    set { word2.set(54, newValue) }
  }
  /// S2HD, DW2[55].
  public var updatesDirtyState: Bool {
    get { word2.bit(55) }
    set { word2.set(55, newValue) }
  }
  /// S2HA, DW2[56].
  public var updatesAccessFlag: Bool {
    get { word2.bit(56) }
    set { word2.set(56, newValue) }
  }
  /// S2S: a fault stalls, DW2[57].
  public var stallsStage2: Bool {
    get { word2.bit(57) }
    set { word2.set(57, newValue) }
  }
  /// S2R: a fault that terminates is recorded, DW2[58].
  public var recordsStage2: Bool {
    get { word2.bit(58) }
    set { word2.set(58, newValue) }
  }
  /// S2TTB, DW3[51:4], as an address.
  public var stage2Table: UInt64 {
    get { word3.masked(51, 4) }
    set { word3.setMasked(51, 4, newValue) }
  }
  /// S2FWB, DW1[25].
  public var forcesWriteBack: Bool {
    get { word1.bit(25) }
    set { word1.set(25, newValue) }
  }

  /// A stream that stage 2 alone translates, in 4 KiB tables of AArch64: faults terminate and are
  /// recorded, ATS is off, and memory attributes are as they come.
  ///
  /// - Parameter control: the fields from S2T0SZ to S2PS, see ``stage2Control``.
  public static func stage2(table: UInt64, vmid: VMID, control: UInt64) -> Self {
    var entry = Self()
    entry.isValid = true
    entry.configure(.stage2)
    entry.shareability = 1
    entry.vmid = vmid
    entry.stage2Control = control
    entry.hasAArch64Stage2 = true
    entry.protectsWalks = true
    entry.recordsStage2 = true
    entry.stage2Table = table
    return entry
  }
}
