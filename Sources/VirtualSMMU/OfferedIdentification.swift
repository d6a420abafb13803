// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import SMMU
public import SMMUDriver

/// The ID registers of the virtual SMMU: what the hardware has, less what the host must not have or what
/// nobody emulates.
public struct OfferedIdentification: Hashable, Sendable {
  /// SMMU_IDR0.
  public let idr0: UInt32
  /// SMMU_IDR1.
  public let idr1: UInt32
  /// SMMU_IDR3.
  public let idr3: UInt32
  /// SMMU_IDR5.
  public let idr5: UInt32
  /// SMMU_IIDR.
  public let implementer: UInt32
  /// SMMU_AIDR.
  public let architecture: UInt32
  /// The bits of the addresses that stage 2 translates.
  let addressBits: UInt64

  /// log2 of the most commands: one page.
  static var commandLog2: UInt64 { 8 }
  /// log2 of the most events: one page.
  static var eventLog2: UInt64 { 7 }

  /// What is offered in front of an SMMU.
  public init(_ hardware: SMMUIdentification) {
    var kept0: UInt32 = 0
    kept0 |= 1 << 1  // S1P
    kept0 |= 1 << 4  // COHACC
    kept0 |= 1 << 12  // ASID16
    kept0 |= 1 << 19  // CD2L
    kept0 |= 0b11 << 21  // TTENDIAN
    kept0 |= 1 << 26  // TERM_MODEL
    // TTF: AArch64 alone. STALL_MODEL: faults terminate. ST_LEVEL: EL2 reads both formats.
    let fixed0: UInt32 = 0b10 << 2 | 1 << 24 | 1 << 27
    idr0 = hardware.idr0.rawValue & kept0 | fixed0

    let streams = UInt32(truncatingIfNeeded: min(hardware.streamLog2, 32))
    let substreams = UInt32(truncatingIfNeeded: min(hardware.idr1.substreamIDBits, 20))
    idr1 =
      streams | substreams << 6 | UInt32(truncatingIfNeeded: Self.eventLog2) << 16
      | UInt32(truncatingIfNeeded: Self.commandLog2) << 21

    var kept3: UInt32 = 0
    kept3 |= 1 << 2  // HAD
    kept3 |= 1 << 9  // STT
    kept3 |= 1 << 10  // RIL
    kept3 |= 0b11 << 11  // BBML
    kept3 |= 1 << 13  // E0PD
    idr3 = hardware.idr3.rawValue & kept3

    // GRAN4K, GRAN16K, GRAN64K and VAX; an address of the host has no more bits than stage 2 translates.
    var size = SMMUAddressSize.bits32
    for raw: UInt8 in 1...5 {
      guard let next = SMMUAddressSize(rawValue: raw), next.bits <= hardware.addressBits,
        next <= hardware.idr5.outputSize ?? .bits32
      else { break }
      size = next
    }
    idr5 = hardware.idr5.rawValue & (0b111 << 4 | 0b11 << 10) | UInt32(size.rawValue)
    implementer = hardware.implementer.rawValue
    architecture = hardware.architecture.rawValue
    addressBits = hardware.addressBits
  }

  private var features1: SMMUIDR1 { SMMUIDR1(rawValue: idr1) }
  /// SIDSIZE.
  var streamLog2: UInt64 { features1.streamIDBits }
  /// SSIDSIZE.
  var substreamLog2: UInt64 { features1.substreamIDBits }
  /// CD2L.
  var hasTwoLevelContexts: Bool { SMMUIDR0(rawValue: idr0).hasTwoLevelContextTables }
  /// RIL.
  var hasRangeInvalidation: Bool { SMMUIDR3(rawValue: idr3).hasRangeInvalidation }

  /// Whether TG of a command, 1 to 3, is a granule that there is.
  func hasGranule(_ granule: UInt64) -> Bool {
    let sizes = SMMUIDR5(rawValue: idr5)
    switch granule {
    case 1: return sizes.hasGranule4K
    case 2: return sizes.hasGranule16K
    case 3: return sizes.hasGranule64K
    default: return false
    }
  }
}
