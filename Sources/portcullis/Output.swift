// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A stream that bytes are written to, whole.
struct Output {
  /// Standard output.
  static let standard = Output(descriptor: STDOUT_FILENO)
  /// Standard error.
  static let error = Output(descriptor: STDERR_FILENO)

  private let descriptor: CInt

  /// Makes a stream of a descriptor that is open for writing.
  init(descriptor: CInt) { self.descriptor = descriptor }

  /// Writes `bytes`; returns 0, or the `errno` with which writing ended.
  func write(_ bytes: [UInt8]) -> CInt {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
      }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }

  /// Writes `text`; returns 0, or the `errno` with which writing ended.
  func write(_ text: String) -> CInt { write(Array(text.utf8)) }
}
