// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
  /// The size in the largest binary unit that leaves a whole number: `128 KiB`.
  var binarySize: String {
    for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, UInt64)]
    where self != 0 && self & (1 << shift - 1) == 0 {
      return "\(self >> shift) \(unit)"
    }
    return "\(self) B"
  }
}
