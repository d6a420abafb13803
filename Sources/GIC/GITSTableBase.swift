// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// GITS_BASER<n>: where a table of the ITS is (IHI 0069, 12.19.1).
public struct GITSTableBase: RawRepresentable, Hashable, Sendable {
  /// What a table holds.
  public enum Kind: UInt64, Hashable, Sendable {
    /// The register is not used.
    case none = 0
    /// Devices.
    case devices = 1
    /// vPEs.
    case vpes = 2
    /// Collections.
    case collections = 4
  }

  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Type [58:56] and Entry_Size [52:48], which are read only.
  public static var fixed: UInt64 { 0b111 << 56 | 0x1f << 48 }
  /// The fields that software may set; some may be read only all the same.
  public static var writable: UInt64 { ~fixed }
  /// Valid, bit [63].
  public static var valid: UInt64 { 1 << 63 }
  /// Indirect, bit [62].
  public static var indirect: UInt64 { 1 << 62 }

  /// Makes it from its parts.
  ///
  /// `pages` of `pageSize`, 1 to 256. Only with 64 KiB pages may `base` have bits above [47:0].
  public init(
    base: UInt64, pages: UInt64, pageSize: TablePageSize, isIndirect: Bool, attributes: UInt64
  ) {
    var value = Self.valid | pageSize.rawValue << 8 | (pages &- 1) & 0xff
    value |= attributes & MemoryAttributes.all
    value |= isIndirect ? Self.indirect : 0
    value |=
      pageSize == .kib64
      ? base & 0xffff_ffff_0000 | (base >> 36) & 0xf000 : base & 0xffff_ffff_f000
    rawValue = value
  }

  /// Valid, bit [63].
  public var isValid: Bool { rawValue & Self.valid != 0 }
  /// Indirect, bit [62]: the table has two levels.
  public var isIndirect: Bool { rawValue & Self.indirect != 0 }
  /// Type, bits [58:56]; a reserved value is as none.
  public var kind: Kind { Kind(rawValue: rawValue >> 56 & 0b111) ?? .none }
  /// The bytes of an entry, bits [52:48] plus one.
  public var entrySize: UInt64 { (rawValue >> 48 & 0x1f) + 1 }
  /// Page_Size, bits [9:8]; the reserved value 3 is treated as 64 KiB.
  public var pageSize: TablePageSize { TablePageSize(rawValue: rawValue >> 8 & 0b11) ?? .kib64 }
  /// The pages of `pageSize`, from bits [7:0] plus one.
  public var pages: UInt64 { (rawValue & 0xff) + 1 }
  /// The size in bytes of the table, or of its first level.
  public var size: UInt64 { pages * pageSize.bytes }
  /// The physical address; with 64 KiB pages bits [15:12] of the register are bits [51:48] of it.
  public var base: UInt64 {
    pageSize == .kib64
      ? rawValue & 0xffff_ffff_0000 | (rawValue >> 12 & 0xf) << 48 : rawValue & 0xffff_ffff_f000
  }
  /// Shareability and cacheability where they are in the register.
  public var attributes: UInt64 { rawValue & MemoryAttributes.all }

  /// How many entries of `entrySize` the table has room for.
  public var capacity: UInt64 {
    isIndirect ? size / 8 * (pageSize.bytes / entrySize) : size / entrySize
  }
}
