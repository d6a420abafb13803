// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The registers of EL2 by which firmware runs there, with HCR_EL2.E2H clear.
public struct FirmwareRegisters: Equatable, Sendable {
  /// TTBR0_EL2.
  public var tableBase: UInt64
  /// TCR_EL2.
  public var translationControl: UInt64
  /// MAIR_EL2.
  public var memoryAttributes: UInt64
  /// SCTLR_EL2.
  public var systemControl: UInt64
  /// HCR_EL2.
  public var configuration: UInt64
  /// CNTHP_CTL_EL2.
  public var timerControl: UInt64
  /// SPSel.
  public var stackSelect: UInt64
  /// TCR2_EL2; zero where the CPU has none.
  public var extendedTranslation: UInt64
  /// SCTLR2_EL2; zero where the CPU has none.
  public var extendedControl: UInt64
  /// GCSCR_EL2; zero where the CPU has none.
  public var guardedStacks: UInt64

  /// Collects the registers.
  public init(
    tableBase: UInt64, translationControl: UInt64, memoryAttributes: UInt64,
    systemControl: UInt64, configuration: UInt64, timerControl: UInt64, stackSelect: UInt64,
    extendedTranslation: UInt64, extendedControl: UInt64, guardedStacks: UInt64
  ) {
    self.tableBase = tableBase
    self.translationControl = translationControl
    self.memoryAttributes = memoryAttributes
    self.systemControl = systemControl
    self.configuration = configuration
    self.timerControl = timerControl
    self.stackSelect = stackSelect
    self.extendedTranslation = extendedTranslation
    self.extendedControl = extendedControl
    self.guardedStacks = guardedStacks
  }
}

/// What EL1's registers are to be for firmware to go on there as it was at EL2.
///
/// The vectors, the memory attributes and the thread pointer have the same meaning at both and are carried as they
/// are. Source: Arm ARM DDI 0487, D24.2, under the names of the registers.
public struct FirmwareRegime: Equatable, Sendable {
  /// TTBR0_EL1.
  public let tableBase: UInt64
  /// TCR_EL1; nothing is translated by TTBR1_EL1.
  public let translationControl: UInt64
  /// SCTLR_EL1.
  public let systemControl: UInt64
  /// The stage 1 that TTBR0_EL1 leads to.
  public let geometry: FirmwareGeometry

  /// Carries the registers over.
  ///
  /// - Throws: why firmware with these can't go on at EL1.
  public init(_ registers: FirmwareRegisters) throws(FirmwareRefusal) {
    guard registers.configuration >> 34 & 1 == 0 else { throw .hostExtensions }
    let control = registers.systemControl
    guard control & 1 == 1 else { throw .noTranslation }
    guard control >> 25 & 1 == 0 else { throw .bigEndian }
    guard control >> 40 & 0b11 == 0 else { throw .tagChecks }
    guard registers.stackSelect & 1 == 1 else { throw .stack }
    // ENABLE; the interrupt that it raises is one that EL1 has no use for.
    guard registers.timerControl & 1 == 0 else { throw .timer }
    guard registers.extendedTranslation == 0 else { throw .extendedTranslation }
    guard registers.extendedControl == 0 else { throw .extendedControl }
    guard registers.guardedStacks == 0 else { throw .guardedStacks }
    let translation = registers.translationControl
    // C, IRGN0 and ORGN0: what EL2 changes in the tables, and what it tells, lies in caches.
    guard control >> 2 & 1 == 1, translation >> 8 & 0b11 != 0, translation >> 10 & 0b11 != 0 else {
      throw .uncached
    }
    guard let geometry = FirmwareGeometry(registers) else { throw .geometry }
    self.geometry = geometry
    tableBase = geometry.root.rawValue
    systemControl = Self.systemControl(control)
    translationControl = Self.translationControl(translation)
  }

  /// M, A, C, SA, nAA, EOS, I, EnDB, WXN, IESB, EIS, EnDA, EnIB, EnIA, BT and DSSBS lie where they do at EL2.
  private static func systemControl(_ control: UInt64) -> UInt64 {
    let carried: UInt64 =
      0b1111 | 1 << 6 | 0b111 << 11 | 1 << 19 | 0b11 << 21 | 1 << 27 | 0b11 << 30 | 1 << 36
      | 1 << 44
    // LSMAOE, nTLSMD, SPAN and TSCXT: as without the features that they belong to.
    return control & carried | 0b11 << 28 | 1 << 23 | 1 << 20
  }

  private static func translationControl(_ control: UInt64) -> UInt64 {
    // T0SZ, IRGN0, ORGN0, SH0 and TG0 lie where they do at EL2; EPD1, and TG1 = 4 KiB with T1SZ of 48 bits.
    var value = control & 0xff3f | 1 << 23 | 0b10 << 30 | 16 << 16
    func carry(_ from: UInt64, to: UInt64, bits: UInt64 = 1) {
      value |= (control >> from & (1 << bits - 1)) << to
    }
    carry(16, to: 32, bits: 3)  // PS: IPS
    carry(20, to: 37)  // TBI: TBI0
    carry(21, to: 39, bits: 2)  // HA, HD
    carry(24, to: 41)  // HPD: HPD0
    carry(29, to: 51)  // TBID: TBID0
    carry(30, to: 57)  // TCMA: TCMA0
    return value
  }
}

/// The shape of a stage 1: where it begins, and what a level resolves.
public struct FirmwareGeometry: Equatable, Sendable {
  /// The first table.
  public let root: PhysicalAddress
  /// The bits of an address within a page: 12, 14 or 16.
  public let granuleShift: UInt64
  /// The bits of a virtual address: 64 less T0SZ.
  public let addressBits: UInt64
  /// What the attributes of a leaf mean: MAIR_EL2.
  public let memoryAttributes: UInt64

  /// Reads the registers; nil for what is not carried over.
  init?(_ registers: FirmwareRegisters) {
    let control = registers.translationControl
    switch control >> 14 & 0b11 {
    case 0b00: granuleShift = 12
    case 0b01: granuleShift = 16
    case 0b10: granuleShift = 14
    default: return nil
    }
    let size = control & 0x3f
    // T0SZ from 16 on, DS clear, PS of no more than 48 bits.
    guard 16...39 ~= size, control >> 32 & 1 == 0, control >> 16 & 0b111 <= 0b101 else {
      return nil
    }
    addressBits = 64 - size
    root = PhysicalAddress(registers.tableBase & 0xffff_ffff_fffe)
    memoryAttributes = registers.memoryAttributes
  }

  /// The levels of the walk, of which the last is 3.
  var levels: UInt64 {
    (addressBits - granuleShift + granuleShift - 4) / (granuleShift - 3)
  }

  /// The bits that a table at `level` resolves; the first may have fewer.
  func bits(at level: UInt64) -> UInt64 {
    let below = granuleShift + (3 - level) * (granuleShift - 3)
    return min(granuleShift - 3, addressBits - below)
  }
}
