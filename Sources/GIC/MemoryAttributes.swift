// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

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
