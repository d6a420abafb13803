// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware

/// The data caches, up to where every observer sees the same.
enum DataCache {
  /// Writes the lines of `size` bytes from a virtual address back and drops them, for good when it returns.
  static func clean(_ first: UInt64, size: UInt64) {
    guard size > 0 else { return }
    let line = pc_data_cache_line()
    var at = first & ~(line &- 1)
    while at < first &+ size {
      pc_clean_invalidate_line(at)
      at &+= line
    }
    pc_dsb_sy()
  }
}
