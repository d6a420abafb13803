// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A translation granule: the size of a page (Arm ARM DDI 0487, D8.2).
public enum Granule: UInt64, Sendable {
  /// 4 KiB pages.
  case kib4 = 0x1000
  /// 16 KiB pages.
  case kib16 = 0x4000
  /// 64 KiB pages.
  case kib64 = 0x10000

  /// The page size in bytes.
  @inlinable
  public var bytes: UInt64 { rawValue }
}
