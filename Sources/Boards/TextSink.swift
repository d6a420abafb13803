// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Where text goes, a UTF-8 byte at a time: a console, a log, a buffer; nothing is allocated.
public protocol TextSink: ~Copyable {
  /// Takes one byte of UTF-8.
  mutating func append(_ byte: UInt8)
}

extension TextSink where Self: ~Copyable {
  /// Takes a text.
  @inline(never)
  public mutating func append(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { append(text.byte(at: index)) }
  }

  /// Takes a number in decimal.
  @inline(never)
  public mutating func append(decimal value: UInt64) {
    var divisor: UInt64 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
      divisor /= 10
    }
  }

  /// Takes a number in hexadecimal, with `0x` and without leading zeros.
  @inline(never)
  public mutating func append(hex value: UInt64) {
    append("0x")
    var shift: UInt64 = 60
    while shift > 0, value >> shift == 0 { shift -= 4 }
    while true {
      let digit = UInt8(truncatingIfNeeded: value >> shift & 0xf)
      append(digit < 10 ? 0x30 + digit : 0x57 + digit)
      if shift == 0 { return }
      shift -= 4
    }
  }
}

extension StaticString {
  /// The byte `index` of the text, which is below `utf8CodeUnitCount`.
  package func byte(at index: Int) -> UInt8 {
    // The bytes of a literal live for ever, and every caller counts up to utf8CodeUnitCount.
    unsafe utf8Start[index]
  }
}
