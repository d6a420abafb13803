// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import DeviceTree

/// One line of the log; what does not fit is cut off.
struct LogLine: TextSink, ~Copyable {
  private var bytes = InlineArray<192, UInt8>(repeating: 0)
  private var count = 0

  mutating func append(_ byte: UInt8) {
    guard count < bytes.count else { return }
    bytes[count] = byte
    count += 1
  }

  var text: Span<UInt8> {
    @_addressableSelf
    @_lifetime(borrow self)
    get { bytes.span.extracting(0..<count) }
  }
}
