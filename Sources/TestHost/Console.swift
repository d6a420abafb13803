// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The board's PL011, polled (Arm DDI 0183).
enum Console {
  private static let data: UInt64 = Board.console
  private static let flags: UInt64 = Board.console + 0x18
  private static let transmitFull: UInt64 = 1 << 5

  @inline(never)
  static func write(byte: UInt8) {
    while el1_probe(UInt64(EL1_LDR_W), flags, 0) & transmitFull != 0 {}
    _ = el1_probe(UInt64(EL1_STR_W), data, UInt64(byte))
  }

  @inline(never)
  static func write(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { write(byte: text.byte(at: index)) }
  }

  /// Writes a number in decimal.
  @inline(never)
  static func write(decimal value: UInt64) {
    var divisor: UInt64 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor != 0 {
      write(byte: UInt8(truncatingIfNeeded: value / divisor % 10) &+ UInt8(ascii: "0"))
      divisor /= 10
    }
  }

  /// Writes a number in hexadecimal with 0x in front and no leading zeros.
  @inline(never)
  static func write(hexadecimal value: UInt64) {
    write("0x")
    var shift: UInt64 = 60
    while shift != 0, value >> shift == 0 { shift -= 4 }
    while true {
      let digit = UInt8(truncatingIfNeeded: value >> shift & 0xf)
      write(byte: digit < 10 ? digit &+ UInt8(ascii: "0") : digit &- 10 &+ UInt8(ascii: "a"))
      if shift == 0 { return }
      shift -= 4
    }
  }
}

extension StaticString {
  /// The byte at `index` of the UTF-8 text, below `utf8CodeUnitCount`.
  func byte(at index: Int) -> UInt8 {
    // The text lives in the image for ever; the callers count its bytes.
    unsafe utf8Start[index]
  }
}
