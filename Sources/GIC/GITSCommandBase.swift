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
