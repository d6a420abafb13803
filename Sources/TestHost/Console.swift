// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The board's console as its tree has it, polled: a PL011 (Arm DDI 0183), or a 16550 with what the tree says of its
/// registers.
enum Console {
  // All of it is zero at first, for the host has no initialised data, and written once, before another CPU is on.
  /// The data register; zero where there is no console.
  nonisolated(unsafe) private static var data: UInt64 = 0
  /// The register that tells whether the data register takes a byte, and the bit that does.
  nonisolated(unsafe) private static var status: UInt64 = 0
  nonisolated(unsafe) private static var ready: UInt64 = 0
  /// That bit where the data register takes a byte.
  nonisolated(unsafe) private static var readyValue: UInt64 = 0
  nonisolated(unsafe) private static var isByteWide = false

  /// Finds the console that `/chosen/stdout-path` names.
  static func begin(_ tree: FlatTree) {
    guard tree.isThere, let console = tree.console() else { return }
    unsafe data = console.base
    if console.isPL011 {
      unsafe (status, ready) = (console.base + 0x18, 1 << 5)  // UARTFR.TXFF
    } else {
      unsafe status = console.base + 5 << console.shift  // LSR.THRE
      unsafe (ready, readyValue) = (1 << 5, 1 << 5)
    }
    unsafe isByteWide = console.isByteWide
  }

  @inline(never)
  static func write(byte: UInt8) {
    guard unsafe data != 0 else { return }
    let load = unsafe UInt64(isByteWide ? EL1_LDRB : EL1_LDR_W)
    let store = unsafe UInt64(isByteWide ? EL1_STRB : EL1_STR_W)
    while unsafe el1_probe(load, status, 0) & ready != readyValue {}
    _ = unsafe el1_probe(store, data, UInt64(byte))
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
