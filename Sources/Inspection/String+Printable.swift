// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension String {
  /// The text with whatever isn't printable ASCII written as `\x1b` or `\u{202e}`.
  ///
  /// Names come out of blobs that nobody vouches for; they must not move the cursor, change colours
  /// or break a line where a person or a script reads them.
  public var printable: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar.value {
      case 0x20..<0x7f: result.unicodeScalars.append(scalar)
      case 0..<0x20, 0x7f:
        result += scalar.value < 0x10 ? "\\x0" : "\\x"
        result += String(scalar.value, radix: 16)
      default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
      }
    }
    return result
  }
}
