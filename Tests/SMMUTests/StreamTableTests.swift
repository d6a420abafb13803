// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU
import Testing

/// A field of a stream table entry, by the number of its bits among the entry's 512.
struct EntryField: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let high: Int
  let low: Int
  let get: @Sendable (StreamTableEntry) -> UInt64
  let set: @Sendable (inout StreamTableEntry, UInt64) -> Void

  /// A field that reads and takes the number in its bits.
  static func number(
    _ name: String, _ high: Int, _ low: Int,
    _ path: WritableKeyPath<StreamTableEntry, UInt64> & Sendable
  ) -> Self {
    Self(
      testDescription: name, high: high, low: low, get: { $0[keyPath: path] },
      set: { $0[keyPath: path] = $1 })
  }

  /// A field that reads and takes an address, of which it has the bits from `low` in its word on.
  static func address(
    _ name: String, _ high: Int, _ low: Int,
    _ path: WritableKeyPath<StreamTableEntry, UInt64> & Sendable
  ) -> Self {
    let shift = UInt64(low % 64)
    return Self(
      testDescription: name, high: high, low: low, get: { $0[keyPath: path] >> shift },
      set: { $0[keyPath: path] = $1 << shift })
  }

  static func flag(
    _ name: String, _ bit: Int, _ path: WritableKeyPath<StreamTableEntry, Bool> & Sendable
  ) -> Self {
    Self(
      testDescription: name, high: bit, low: bit, get: { $0[keyPath: path] ? 1 : 0 },
      set: { $0[keyPath: path] = $1 & 1 != 0 })
  }
}

@Suite("Stream tables")
struct StreamTableTests {
  static let ones = StreamTableEntry(.max, .max, .max, .max, .max, .max, .max, .max)

  static func words(_ entry: StreamTableEntry) -> [UInt64] { (0..<8).map { entry.words[$0] } }

  static let everyField: [EntryField] = [
    .flag("V", 0, \.isValid), .number("S1Fmt", 5, 4, \.contextFormat),
    .address("S1ContextPtr", 51, 6, \.contextTable), .number("S1CDMax", 63, 59, \.contextLog2),
    .number("S1DSS", 65, 64, \.defaultSubstream), .number("S1CIR", 67, 66, \.contextInner),
    .number("S1COR", 69, 68, \.contextOuter), .number("S1CSH", 71, 70, \.contextShareability),
    .flag("DRE", 76, \.hasDestructiveReads), .number("CONT", 80, 77, \.contiguous),
    .flag("DCP", 81, \.prefetchesDirectly), .flag("PPAR", 82, \.answersWithSubstream),
    .flag("MEV", 83, \.mergesEvents), .flag("S2FWB", 89, \.forcesWriteBack),
    .flag("S1MPAM", 90, \.partitionsStage1), .flag("S1STALLD", 91, \.forbidsStalls),
    .number("STRW", 95, 94, \.regime), .number("MemAttr", 99, 96, \.memoryType),
    .flag("MTCFG", 100, \.replacesType), .number("ALLOCCFG", 104, 101, \.allocation),
    .number("SHCFG", 109, 108, \.shareability), .number("NSCFG", 111, 110, \.security),
    .number("PRIVCFG", 113, 112, \.privilege), .number("INSTCFG", 115, 114, \.instruction),
    EntryField(
      testDescription: "S2VMID", high: 143, low: 128, get: { UInt64($0.vmid.rawValue) },
      set: { $0.vmid = VMID(UInt16(truncatingIfNeeded: $1)) }),
    .number("S2T0SZ", 165, 160, \.stage2InputSize),
    .number("S2SL0", 167, 166, \.stage2StartLevel),
    .number("S2IR0", 169, 168, \.stage2Inner), .number("S2OR0", 171, 170, \.stage2Outer),
    .number("S2SH0", 173, 172, \.stage2Shareability), .number("S2TG", 175, 174, \.stage2Granule),
    .number("S2T0SZ to S2PS", 178, 160, \.stage2Control),
    .flag("S2AA64", 179, \.hasAArch64Stage2), .flag("S2ENDI", 180, \.hasBigEndianStage2),
    .flag("S2AFFD", 181, \.ignoresAccessFlag), .flag("S2PTW", 182, \.protectsWalks),
    .flag("S2HD", 183, \.updatesDirtyState), .flag("S2HA", 184, \.updatesAccessFlag),
    .flag("S2S", 185, \.stallsStage2), .flag("S2R", 186, \.recordsStage2),
    .address("S2TTB", 243, 196, \.stage2Table),
  ]

  @Test("A field of an entry has its bits, and no others", arguments: everyField)
  func fields(field: EntryField) {
    let width = field.high - field.low + 1
    let full: UInt64 = width == 64 ? .max : 1 << UInt64(width) - 1
    #expect(field.get(Self.ones) == full)
    #expect(field.get(StreamTableEntry()) == 0)
    // All of its bits in an entry of zeroes, and none of them in one of ones.
    var set = StreamTableEntry()
    field.set(&set, full)
    var cleared = Self.ones
    field.set(&cleared, 0)
    for bit in 0..<512 {
      let isInside = (field.low...field.high).contains(bit)
      #expect(Self.words(set)[bit / 64] >> UInt64(bit % 64) & 1 == (isInside ? 1 : 0))
      #expect(Self.words(cleared)[bit / 64] >> UInt64(bit % 64) & 1 == (isInside ? 0 : 1))
    }
    // What is too wide is cut off.
    var wide = StreamTableEntry()
    field.set(&wide, .max)
    #expect(wide == set)
  }

  @Test(
    "Config names the stages, and half of its values are reserved",
    arguments: [
      (0, .abort), (1, nil), (2, nil), (3, nil), (4, .bypass), (5, .stage1), (6, .stage2),
      (7, .nested),
    ] as [(UInt64, StreamTableEntry.Configuration?)])
  func configurations(value: UInt64, configuration: StreamTableEntry.Configuration?) {
    let entry = StreamTableEntry(~0xe | value << 1)
    #expect(entry.configuration == configuration)
    guard let configuration else { return }
    var other = StreamTableEntry(.max)
    other.configure(configuration)
    #expect(other.word0 == ~0xe | value << 1)
    #expect(configuration.hasStage1 == (value == 5 || value == 7))
    #expect(configuration.hasStage2 == (value == 6 || value == 7))
  }

  @Test("EATS is in DW1[29:28]", arguments: [0, 1, 2, 3] as [UInt64])
  func translationService(value: UInt64) {
    let entry = StreamTableEntry(0, ~(0b11 << 28) | value << 28)
    #expect(UInt64(entry.translationService?.rawValue ?? 9) == value)
    var other = StreamTableEntry(0, .max)
    other.serve(.none)
    #expect(other.word1 == 0xffff_ffff_cfff_ffff)
    other.serve(.split)
    #expect(other.word1 == 0xffff_ffff_efff_ffff)
  }

  @Test("S2PS names a size, but for its reserved value")
  func outputSize() {
    #expect(StreamTableEntry(0, 0, 0x0005_0000_0000_0000).stage2OutputSize == .bits48)
    #expect(StreamTableEntry(0, 0, 0x0002_0000_0000_0000).stage2OutputSize == .bits40)
    #expect(StreamTableEntry(0, 0, 0x0007_0000_0000_0000).stage2OutputSize == nil)
  }

  @Test("A stream with stage 2 alone, as computed by hand")
  func stage2() {
    // 40 bits: T0SZ 24, start level 1, Write-Back, Inner Shareable, 4 KiB, PS 40 bits.
    let control: UInt64 = 0x2_3558
    let entry = StreamTableEntry.stage2(
      table: 0x0000_0001_2345_6000, vmid: VMID(0x1234), control: control)
    #expect(
      Self.words(entry) == [
        0x0000_0000_0000_000d, 0x0000_1000_0000_0000, 0x044a_3558_0000_1234, 0x1_2345_6000,
        0, 0, 0, 0,
      ])
    #expect(
      entry.configuration == .stage2
        && entry.translationService == StreamTableEntry.TranslationService.none)
    #expect(entry.stage2InputSize == 24 && entry.stage2StartLevel == 1)
    #expect(entry.stage2Inner == 1 && entry.stage2Outer == 1 && entry.stage2Shareability == 3)
    #expect(entry.stage2Granule == 0 && entry.stage2OutputSize == .bits40)
    #expect(!entry.stallsStage2 && entry.recordsStage2)
  }

  @Test("A descriptor of the first level has a table of 1 to 1,024 entries", arguments: 0...10)
  func descriptor(log2: UInt64) {
    let descriptor = StreamTableDescriptor(table: 0x000f_edcb_a987_6540, log2: log2)
    #expect(descriptor.rawValue == 0x000f_edcb_a987_6540 | (log2 + 1))
    #expect(descriptor.table == 0x000f_edcb_a987_6540 && descriptor.log2 == log2)
  }

  @Test("A descriptor without a table, or with a reserved span, has no entries")
  func noTable() {
    #expect(StreamTableDescriptor.invalid.rawValue == 0)
    #expect(StreamTableDescriptor.invalid.log2 == nil)
    for span in UInt64(12)...31 { #expect(StreamTableDescriptor(rawValue: span).log2 == nil) }
    let wide = StreamTableDescriptor(table: .max, log2: 0)
    #expect(wide.rawValue == 0x000f_ffff_ffff_ffc1)
  }

  @Test("Sizes of the structures")
  func sizes() {
    #expect(StreamTableEntry.size == 64 && StreamTableDescriptor.size == 8)
    #expect(SMMUCommand.size == 16 && SMMUEvent.size == 32)
  }
}
