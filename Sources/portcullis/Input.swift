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

  /// What an input holds.
  enum Contents {
    /// The bytes of a file.
    case file([UInt8])
    /// Those files of a folder that were asked for, in the order of their names.
    case folder([(name: String, bytes: [UInt8])])
  }

  /// Reads all of a file, or those files of a folder whose names `isWanted` takes; what lies deeper is left out.
  func contents(where isWanted: (String) -> Bool) throws(Failure) -> Contents {
    guard name != "-" else { return .file(try Self.bytes(of: STDIN_FILENO)) }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(errno) }
    guard Self.mode(of: descriptor) & S_IFMT == S_IFDIR else {
      defer { close(descriptor) }
      return .file(try Self.bytes(of: descriptor))
    }
    // It closes the descriptor.
    guard let folder = unsafe fdopendir(descriptor) else {
      let error = errno
      close(descriptor)
      throw .system(error)
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      // A terminated string.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if isWanted(name) { names.append(name) }
    }
    var files: [(name: String, bytes: [UInt8])] = []
    for name in names.sorted() {
      // Without waiting for who writes into a pipe.
      let file = unsafe openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard file >= 0 else { throw .system(errno) }
      defer { close(file) }
      guard Self.mode(of: file) & S_IFMT == S_IFREG else { continue }
      files.append((name, try Self.bytes(of: file)))
    }
    return .folder(files)
  }

  private static func mode(of descriptor: CInt) -> mode_t {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? status.st_mode : 0
  }

  /// Reads all of it, or one byte more than `sizeLimit` where there is more than that.
  func read() throws(Failure) -> [UInt8] {
    guard name != "-" else { return try Self.bytes(of: STDIN_FILENO) }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(errno) }
    defer { close(descriptor) }
    return try Self.bytes(of: descriptor)
  }

  private static func bytes(of descriptor: CInt) throws(Failure) -> [UInt8] {
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
