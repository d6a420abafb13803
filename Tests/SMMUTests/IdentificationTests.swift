// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU
import Testing

/// A field of a 32-bit register: its name, the bits that it has, and how it is read.
struct Field<Register: RawRepresentable>: Sendable, CustomTestStringConvertible
where Register: SendableMetatype, Register.RawValue == UInt32 {
  let testDescription: String
  let high: UInt32
  let low: UInt32
  let read: @Sendable (Register) -> UInt64

  init(
    _ name: String, _ high: UInt32, _ low: UInt32, _ read: @escaping @Sendable (Register) -> UInt64
  ) {
    testDescription = name
    self.high = high
    self.low = low
    self.read = read
  }

  init(_ name: String, _ bit: UInt32, _ read: @escaping @Sendable (Register) -> Bool) {
    self.init(name, bit, bit) { read($0) ? 1 : 0 }
  }

  var mask: UInt32 { (high - low == 31 ? .max : (1 << (high - low + 1)) - 1) << low }

  /// Reads the field from registers in which it alone is set, and in which it alone is clear, and one of
  /// its bits after the other.
  func check() {
    guard let ones = Register(rawValue: mask), let zeroes = Register(rawValue: ~mask) else {
      Issue.record("every value is one of the register")
      return
    }
    let full = UInt64(mask >> low)
    #expect(read(ones) == full)
    #expect(read(zeroes) == 0)
    for bit in low...high {
      guard let one = Register(rawValue: 1 << bit) else { continue }
      let expected: UInt64 = 1 << UInt64(bit - low)
      #expect(read(one) == expected)
    }
  }
}

@Suite("Identification registers of an SMMUv3")
struct IdentificationTests {
  static let idr0Fields: [Field<SMMUIDR0>] = [
    .init("S2P", 0, \.hasStage2), .init("S1P", 1, \.hasStage1),
    .init("TTF", 3, \.hasAArch64Tables), .init("COHACC", 4, \.isCoherent),
    .init("BTM", 5, \.followsBroadcasts), .init("HTTU", 7, 6, \.hardwareUpdates),
    .init("DORMHINT", 8, \.hasDormancyHint), .init("HYP", 9, \.hasHypervisorContexts),
    .init("ATS", 10, \.hasATS), .init("NS1ATS", 11, \.hasStage1ATSOnly),
    .init("ASID16", 12, \.hasASID16), .init("MSI", 13, \.hasMSI), .init("SEV", 14, \.hasSEV),
    .init("ATOS", 15, \.hasATOS), .init("PRI", 16, \.hasPRI),
    .init("VMW", 17, \.hasVMIDWildcards), .init("VMID16", 18, \.hasVMID16),
    .init("CD2L", 19, \.hasTwoLevelContextTables), .init("VATOS", 20, \.hasVATOS),
    .init("TTENDIAN", 22, 21, \.tableEndianness), .init("ATSRECERR", 23, \.recordsATSErrors),
    .init("TERM_MODEL", 26, \.alwaysAborts), .init("ST_LEVEL", 27, \.hasTwoLevelStreamTables),
  ]

  @Test("SMMU_IDR0", arguments: idr0Fields)
  func idr0(field: Field<SMMUIDR0>) { field.check() }

  @Test("STALL_MODEL and ST_LEVEL have reserved values")
  func reservedModels() {
    #expect(SMMUIDR0(rawValue: 0).stallModel == .stallOrTerminate)
    #expect(SMMUIDR0(rawValue: 0x0100_0000).stallModel == .terminateOnly)
    #expect(SMMUIDR0(rawValue: 0x0200_0000).stallModel == .stallOnly)
    #expect(SMMUIDR0(rawValue: 0x0300_0000).stallModel == nil)
    #expect(!SMMUIDR0(rawValue: 0x1000_0000).hasTwoLevelStreamTables)
    #expect(!SMMUIDR0(rawValue: 0x1800_0000).hasTwoLevelStreamTables)
  }

  @Test("SMMU_IDR0 of a QEMU with both stages")
  func emulated() {
    let register = SMMUIDR0(rawValue: 0x0d44_101b)
    #expect(register.hasStage1 && register.hasStage2 && register.hasAArch64Tables)
    #expect(register.isCoherent && register.hasASID16 && register.hasVMID16)
    #expect(register.hasTwoLevelStreamTables && register.stallModel == .terminateOnly)
    #expect(register.tableEndianness == 2 && register.alwaysAborts)
    #expect(!register.hasATS && !register.hasPRI && !register.hasMSI && !register.hasSEV)
  }

  static let idr1Fields: [Field<SMMUIDR1>] = [
    .init("SIDSIZE", 5, 0, \.streamIDBits), .init("SSIDSIZE", 10, 6, \.substreamIDBits),
    .init("PRIQS", 15, 11, \.requestQueueLog2), .init("EVENTQS", 20, 16, \.eventQueueLog2),
    .init("CMDQS", 25, 21, \.commandQueueLog2),
    .init("ATTR_PERMS_OVR", 26, \.overridesPermissions),
    .init("ATTR_TYPES_OVR", 27, \.overridesTypes), .init("REL", 28, \.hasRelativeBases),
    .init("QUEUES_PRESET", 29, \.hasPresetQueues), .init("TABLES_PRESET", 30, \.hasPresetTables),
    .init("ECMDQ", 31, \.hasEnhancedCommandQueues),
  ]

  @Test("SMMU_IDR1", arguments: idr1Fields)
  func idr1(field: Field<SMMUIDR1>) { field.check() }

  static let idr2Fields: [Field<SMMUIDR2>] = [
    .init("BA_VATOS", 9, 0, \.translationPage)
  ]

  @Test("SMMU_IDR2", arguments: idr2Fields)
  func idr2(field: Field<SMMUIDR2>) { field.check() }

  static let idr3Fields: [Field<SMMUIDR3>] = [
    .init("HAD", 2, \.canDisableHierarchy), .init("PBHA", 3, \.hasPageBasedAttributes),
    .init("XNX", 4, \.hasExecuteNeverByLevel), .init("PPS", 5, \.answersWithSubstream),
    .init("MPAM", 7, \.hasPartitioning), .init("FWB", 8, \.canForceWriteBack),
    .init("STT", 9, \.hasSmallTables), .init("RIL", 10, \.hasRangeInvalidation),
    .init("E0PD", 13, \.canPreventEL0Access), .init("PTWNNC", 14, \.walksAsNormalMemory),
    .init("DPT", 15, \.hasDevicePermissionTable),
  ]

  @Test("SMMU_IDR3", arguments: idr3Fields)
  func idr3(field: Field<SMMUIDR3>) { field.check() }

  @Test("BBML promises nothing where its value is reserved")
  func breakBeforeMake() {
    #expect(SMMUIDR3(rawValue: 0).breakBeforeMake == .required)
    #expect(SMMUIDR3(rawValue: 0x0800).breakBeforeMake == .level1)
    #expect(SMMUIDR3(rawValue: 0x1000).breakBeforeMake == .level2)
    #expect(SMMUIDR3(rawValue: 0x1800).breakBeforeMake == .required)
    #expect(SMMUIDR3.BreakBeforeMake.level1 < .level2)
  }

  static let idr5Fields: [Field<SMMUIDR5>] = [
    .init("GRAN4K", 4, \.hasGranule4K), .init("GRAN16K", 5, \.hasGranule16K),
    .init("GRAN64K", 6, \.hasGranule64K), .init("DS", 7, \.hasLargeDescriptors),
    .init("VAX", 10, \.hasVirtualAddress52), .init("STALL_MAX", 31, 16, \.stallLimit),
  ]

  @Test("SMMU_IDR5", arguments: idr5Fields)
  func idr5(field: Field<SMMUIDR5>) { field.check() }

  @Test(
    "IDR5.OAS names the size of output addresses, but for its reserved value",
    arguments: [32, 36, 40, 42, 44, 48, 52, nil].enumerated().map {
      (UInt32($0.offset), $0.element)
    })
  func outputSize(value: UInt32, bits: UInt64?) {
    let size = SMMUIDR5(rawValue: 0xffff_fff8 | value).outputSize
    #expect(size?.bits == bits)
  }

  static let iidrFields: [Field<SMMUIIDR>] = [
    .init("Implementer", 11, 0, \.implementer), .init("Revision", 15, 12, \.revision),
    .init("Variant", 19, 16, \.variant), .init("ProductID", 31, 20, \.product),
  ]

  @Test("SMMU_IIDR", arguments: iidrFields)
  func iidr(field: Field<SMMUIIDR>) { field.check() }

  static let aidrFields: [Field<SMMUAIDR>] = [
    .init("ArchMinorRev", 3, 0, \.minor), .init("ArchMajorRev", 7, 4, \.major),
  ]

  @Test("SMMU_AIDR", arguments: aidrFields)
  func aidr(field: Field<SMMUAIDR>) { field.check() }
}
