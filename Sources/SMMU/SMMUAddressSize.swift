// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A size of addresses as IDR5.OAS and STE.S2PS write it (IHI 0070, 6.3 and 5.2).
public enum SMMUAddressSize: UInt8, Comparable, Hashable, Sendable {
  /// 4 GiB.
  case bits32 = 0
  /// 64 GiB.
  case bits36 = 1
  /// 1 TiB.
  case bits40 = 2
  /// 4 TiB.
  case bits42 = 3
  /// 16 TiB.
  case bits44 = 4
  /// 256 TiB.
  case bits48 = 5
  /// 4 PiB.
  case bits52 = 6

  /// How many bits an address has.
  public var bits: UInt64 {
    switch self {
    case .bits32: 32
    case .bits36: 36
    case .bits40: 40
    case .bits42: 42
    case .bits44: 44
    case .bits48: 48
    case .bits52: 52
    }
  }

  /// Orders sizes by their bits.
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
