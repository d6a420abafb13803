// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The shape of a tree of 4 KiB tables for an address size (Arm ARM DDI 0487, D8.2.7 and D8.2.10).
///
/// Up to 43 bits the walk starts at level 1, with up to 16 concatenated tables; above, at level 0.
/// That saves a level of every walk, and start level 0 is not available with less than 44 bits of
/// physical address.
public struct TranslationGeometry: Hashable, Sendable {
  /// The size of the input address in bits, 32 to 48.
  public let bits: UInt64

  /// Makes the geometry for `bits` of input address; nil outside 32 to 48.
  public init?(bits: UInt64) {
    guard (32...48).contains(bits) else { return nil }
    self.bits = bits
  }

  /// Makes the geometry of all physical addresses that a CPU with this ID_AA64MMFR0_EL1.PARange has,
  /// up to the 48 bits of descriptors without FEAT_LPA; nil for a reserved value.
  public init?(physicalAddressRange range: UInt64) {
    guard let bits = physicalAddressBits(range) else { return nil }
    self.init(bits: min(bits, 48))
  }

  /// Makes the smallest geometry of at least `minimum` bits that reaches `last`; nil where that
  /// takes more than 48 bits.
  public init?(reaching last: PageFrameNumber, minimum: UInt64 = 32) {
    let needed = UInt64(64 - last.rawValue.leadingZeroBitCount) + PageFrameNumber.shift
    self.init(bits: max(needed, minimum))
  }

  /// The level at which a walk starts: 0 or 1.
  public var startLevel: UInt64 { bits > 43 ? 0 : 1 }
  /// How many tables are concatenated at the start level: 1 to 16.
  public var rootTables: UInt64 { startLevel == 1 && bits > 39 ? 1 << (bits - 39) : 1 }
  /// One more than the largest page number.
  public var pageLimit: UInt64 { 1 << (bits - PageFrameNumber.shift) }

  /// The value of VTCR_EL2 for such a table (Arm ARM DDI 0487, D19.2.160) on a CPU with this ID_AA64MMFR0_EL1.PARange.
  ///
  /// The granule is 4 KiB, walks are Normal Write-Back Inner Shareable, VMIDs have 8 bits.
  ///
  /// - Throws: `unsupportedSize` where the CPU has fewer physical address bits than the table.
  public func controlValue(physicalAddressRange range: UInt64) throws(OwnershipError) -> UInt64 {
    guard let available = physicalAddressBits(range), available >= bits else {
      throw .unsupportedSize(bits: bits)
    }
    let inputSize = 64 - bits  // T0SZ, [5:0]
    let startLevel: UInt64 = startLevel == 0 ? 0b10 : 0b01  // SL0, [7:6]
    let cacheability: UInt64 = 0b01 << 8 | 0b01 << 10  // IRGN0, ORGN0: Write-Back, Write-Allocate
    let shareability: UInt64 = 0b11 << 12  // SH0: Inner Shareable
    let outputSize = min(range, 5) << 16  // PS: at most 48 bits without 52-bit descriptors
    return 1 << 31 | outputSize | shareability | cacheability | startLevel << 6 | inputSize
  }
}
