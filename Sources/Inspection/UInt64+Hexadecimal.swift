// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
  /// The value as C writes it: `0x8080000`.
  var hexadecimal: String { "0x" + String(self, radix: 16) }
}
