// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// GITS_CBASER: where the command queue is (IHI 0069, 12.19.2).
public struct GITSCommandBase: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The fields that software may set; all others are RES0.
  public static var writable: UInt64 {
    1 << 63 | 0b111 << 59 | 0b111 << 53 | address | MemoryAttributes.shareability | 0xff
  }
  private static var address: UInt64 { 0x000f_ffff_ffff_f000 }

  /// Makes it from its parts; `pages` of 4 KiB, 1 to 256.
  public init(base: UInt64, pages: UInt64, attributes: UInt64) {
    rawValue =
      1 << 63 | base & Self.address | attributes & MemoryAttributes.all | (pages &- 1) & 0xff
  }

  /// Valid, bit [63].
  public var isValid: Bool { rawValue & 1 << 63 != 0 }
  /// The physical address of the queue, bits [51:12].
  public var base: UInt64 { rawValue & Self.address }
  /// The size in bytes, from the count of 4 KiB pages minus one in bits [7:0].
  public var size: UInt64 { ((rawValue & 0xff) + 1) << 12 }
  /// Shareability and cacheability where they are in the register.
  public var attributes: UInt64 { rawValue & MemoryAttributes.all }
}

/// Shareability and cacheability in GITS_CBASER and GITS_BASER<n>, which have them in the same place.
public enum MemoryAttributes {
  /// Shareability, bits [11:10].
  public static var shareability: UInt64 { 0b11 << 10 }
  /// InnerCache [61:59], OuterCache [55:53] and Shareability [11:10].
  public static var all: UInt64 { 0b111 << 59 | 0b111 << 53 | shareability }
  /// Inner Shareable, Inner Read-allocate Write-allocate Write-back, Outer the same as Inner.
  public static var coherent: UInt64 { 0b111 << 59 | 0b01 << 10 }
  /// Non-shareable, Inner Non-cacheable, Outer the same as Inner.
  public static var nonCacheable: UInt64 { 0b001 << 59 }

  /// Whether accesses with these attributes see the caches of the CPUs.
  public static func isCoherent(_ value: UInt64) -> Bool {
    // Shareability 0 is Non-shareable, 3 is reserved and treated as 0; cacheability 0 and 1 are Device
    // and Non-cacheable.
    let share = value >> 10 & 0b11
    return (share == 1 || share == 2) && value >> 59 & 0b111 > 1
  }
}
