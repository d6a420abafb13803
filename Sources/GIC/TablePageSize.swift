// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The size of the pages that a table is made of (GITS_BASER<n>.Page_Size).
public enum TablePageSize: UInt64, Hashable, Sendable {
  /// 4 KiB.
  case kib4 = 0
  /// 16 KiB.
  case kib16 = 1
  /// 64 KiB.
  case kib64 = 2

  /// The bytes of a page.
  public var bytes: UInt64 { 1 << (12 + 2 * rawValue) }
}
