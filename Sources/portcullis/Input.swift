// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A file to be read, or standard input.
@safe
struct Input {
  /// The path as it was given; it isn't a `String`, since a name may be any bytes.
  private let path: UnsafePointer<CChar>

  /// More than any boot loader hands over; it bounds what an endless input can take.
  static let sizeLimit = 64 << 20

  /// Why an input can't be had.
  enum Failure: Error {
    /// The system call failed with this `errno`.
    case system(CInt)
  }

  /// Makes an input of `path`, which must live as long.
  @unsafe
  init(path: UnsafePointer<CChar>) { unsafe self.path = unsafe path }

  /// The name to show.
  var name: String { unsafe String(cString: path) }

  /// Reads all of it, or one byte more than `sizeLimit` where there is more than that.
  func read() throws(Failure) -> [UInt8] {
    var descriptor = STDIN_FILENO
    if name != "-" {
      descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw .system(errno) }
    }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }

    // One byte more than a regular file holds, so that a second read usually finds its end.
    var status = stat()
    let known = unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    var bytes: [UInt8] = []
    var chunk = min(max(known, 0) + 1, Self.sizeLimit + 1)
    while bytes.count <= Self.sizeLimit {
      chunk = min(max(chunk, 0x10000), Self.sizeLimit + 1 - bytes.count)
      let start = bytes.count
      bytes.append(contentsOf: repeatElement(0, count: chunk))
      // The slice handed to read(2) is exactly the part just added.
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress.map { unsafe $0 + start }, chunk)
      }
      let error = errno
      bytes.removeLast(chunk - max(count, 0))
      if count == 0 { break }
      if count < 0, error != EINTR { throw .system(error) }
    }
    return bytes
  }
}
