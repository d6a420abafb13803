// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file to be written, or standard output.
@safe
struct OutputFile {
  /// The path as it was given; it isn't a `String`, since a name may be any bytes.
  private let path: UnsafePointer<CChar>

  /// Makes an output of `path`, which must live as long.
  @unsafe
  init(path: UnsafePointer<CChar>) { unsafe self.path = unsafe path }

  /// The name to show.
  var name: String { unsafe String(cString: path) }
  /// Whether it is `-`.
  var isStandardOutput: Bool { name == "-" }

  /// Writes `text` to the file in place of what it holds; returns 0, or the `errno` with which that ended.
  ///
  /// Not for standard output.
  func write(_ text: String) -> CInt {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return errno }
    let error = Output(descriptor: descriptor).write(text)
    // Some file systems tell only here that there was no room.
    let closed = close(descriptor) == 0 ? 0 : errno
    return error != 0 ? error : closed
  }
}
