// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// GICR_PROPBASER: where the LPI Configuration table is, and for how many INTIDs (IHI 0069, 12.11.25);
/// GICR_VPROPBASER of GICv4.0 has the same fields.
public struct GICRConfigurationBase: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  private static var address: UInt64 { 0x000f_ffff_ffff_f000 }
  /// The fields that software may set; all others are RES0.
  public static var writable: UInt64 { GICRTableAttributes.all | address | 0x1f }

  /// The physical address, bits [51:12]: of the byte for INTID 8192.
  public var base: PhysicalAddress { PhysicalAddress(rawValue & Self.address) }
  /// The same with another address.
  public func at(_ base: PhysicalAddress) -> Self {
    Self(rawValue: rawValue & ~Self.address | base.rawValue & Self.address)
  }
  /// IDbits, bits [4:0] plus one: the bits of an INTID; below 14 there are no LPIs.
  public var interruptIDBits: UInt64 { (rawValue & 0x1f) + 1 }
}

/// GICR_PENDBASER: where the LPI Pending table is (IHI 0069, 12.11.24).
public struct GICRPendingBase: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  private static var address: UInt64 { 0x000f_ffff_ffff_0000 }
  /// The fields that software may set and read back; PTZ reads as zero.
  public static var writable: UInt64 { GICRTableAttributes.all | address }
  /// PTZ, bit [62], as a mask: the table is zero.
  public static var zeroed: UInt64 { 1 << 62 }

  /// The physical address, bits [51:16].
  public var base: PhysicalAddress { PhysicalAddress(rawValue & Self.address) }
  /// The same with another address.
  public func at(_ base: PhysicalAddress) -> Self {
    Self(rawValue: rawValue & ~Self.address | base.rawValue & Self.address)
  }
}

/// GICR_VPENDBASER of GICv4.0: the vPE that is resident, by its pending table (IHI 0069, 12.11.43).
public struct GICRVirtualPendingBase: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The fields that software may set: Valid, IDAI and PendingLast beside those of GICR_PENDBASER.
  public static var writable: UInt64 { 0b111 << 61 | GICRPendingBase.writable }

  /// Valid, bit [63]: a vPE is resident.
  public var isValid: Bool { rawValue & 1 << 63 != 0 }
  /// Dirty, bit [60], read only: the pending table is being written.
  public var isDirty: Bool { rawValue & 1 << 60 != 0 }
  /// Whether the Redistributor does not touch a pending table.
  public var isIdle: Bool { !isValid && !isDirty }
  /// The physical address, bits [51:16].
  public var base: PhysicalAddress { GICRPendingBase(rawValue: rawValue).base }
  /// The same with another address.
  public func at(_ base: PhysicalAddress) -> Self {
    Self(rawValue: GICRPendingBase(rawValue: rawValue).at(base).rawValue)
  }
}

/// Shareability and cacheability in the registers that say where a Redistributor's tables are.
public enum GICRTableAttributes {
  /// OuterCache [58:56], Shareability [11:10] and InnerCache [9:7].
  public static var all: UInt64 { 0b111 << 56 | 0b11 << 10 | 0b111 << 7 }
}

/// The LPI tables of a Redistributor, by how many bits its INTIDs have.
public struct LPITableSizes: Hashable, Sendable {
  /// The bytes of the configuration table: one for each INTID from 8192 on.
  public let configuration: UInt64
  /// The bytes of the pending table: one bit for each INTID from 0 on.
  public let pending: UInt64

  /// The sizes for INTIDs of `bits` bits, at most 32.
  ///
  /// With fewer than 14 there are no LPIs; they count as 14, for nothing forbids hardware to look.
  public init(interruptIDBits bits: UInt64) {
    let count: UInt64 = 1 << min(max(bits, 14), 32)
    configuration = count - 8192
    pending = count / 8
  }
}
