// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Replay
import Trace

/// A doubleword of little-endian bytes.
private func word(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt64 {
  var word: UInt64 = 0
  for byte in (0..<8).reversed() { word = word << 8 | UInt64(bytes[index * 8 + byte]) }
  return word
}

/// Whether the third word is that of a trace's first record; what else it holds may be damaged.
func isTrace(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
  bytes.count >= TraceRecord.size && word(bytes, at: 2) == TraceHeader.magic
}

/// Runs the records that can be read, as far as an ITS can be set up from them.
func exerciseTrace(_ bytes: UnsafeBufferPointer<UInt8>) {
  var records: [TraceRecord] = []
  for index in 0..<(bytes.count / TraceRecord.size) {
    var words = InlineArray<8, UInt64>(repeating: 0)
    for number in 0..<8 { words[number] = word(bytes, at: index * 8 + number) }
    if let record = TraceRecord(words: words) { records.append(record) }
  }
  if let violation = try? Replay.violation(in: records) { fatalError(violation) }
}
