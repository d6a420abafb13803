// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware

/// The transmit side of a PL011 UART (Arm DDI 0183, section 3.2).
struct PL011 {
  /// UARTFR: flags.
  private static let flags: UInt64 = 0x18
  /// UARTFR.TXFF: the transmit queue is full.
  private static let transmitFull: UInt32 = 1 << 5
  /// Looks at the flags before a byte is given up: the host may have switched the device off.
  private static let polls = 4096

  /// Where the registers are now.
  let base: UInt64

  /// Sends one byte; false where the device did not take it in bounded time.
  func send(_ byte: UInt8) -> Bool {
    for _ in 0..<Self.polls where pc_readl(base &+ Self.flags) & Self.transmitFull == 0 {
      pc_writel(base, UInt32(byte))
      return true
    }
    return false
  }
}
