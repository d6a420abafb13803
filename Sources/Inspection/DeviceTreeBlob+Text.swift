// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import DeviceTree

/// Collects what is written as bytes of UTF-8.
struct ByteSink: TextSink {
  var bytes: [UInt8] = []
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  /// The text; bytes that aren't UTF-8 become U+FFFD.
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension DeviceTreeBlob {
  /// What `diagnostic` says is wrong.
  func message(of diagnostic: Diagnostic) -> String {
    var sink = ByteSink()
    diagnostic.writeMessage(in: self, into: &sink)
    return sink.text
  }

  /// The first terminated string of `value`.
  func text(_ value: BlobBytes) -> String {
    let value = string(value)
    return String(decoding: (0..<value.count).map { byte(value, $0) }, as: UTF8.self)
  }

  /// All terminated strings of `value`.
  func texts(_ value: BlobBytes) -> [String] {
    (0..<value.count).map { byte(value, $0) }
      .split(separator: 0)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
