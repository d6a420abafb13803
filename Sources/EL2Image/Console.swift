// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import DeviceTree

/// The transmit side of a UART that a device tree describes.
///
/// The host may have switched it off, or be changing its speed, while EL2 writes: a byte is then given up.
struct Console {
  /// What the board has; never `other`.
  private let description: ConsoleDescription
  /// Where the registers are now.
  private let base: UInt64

  /// Looks at the flags before a byte is given up.
  private static var polls: Int { 4096 }

  /// A console whose registers are at `base` now; nil where it is of no kind that is known.
  init?(_ description: ConsoleDescription, at base: UInt64) {
    guard description.kind != .other else { return nil }
    self.description = description
    self.base = base
  }

  /// Sends one byte; false where the device did not take it in bounded time.
  func send(_ byte: UInt8) -> Bool {
    for _ in 0..<Self.polls where isReady {
      // The data register is the first of either kind.
      write(0, UInt32(byte))
      return true
    }
    return false
  }

  private var isReady: Bool {
    switch description.kind {
    case .pl011: read(PL011.flags) & PL011.transmitFull == 0
    // The first register is the divisor's while the host sets a speed.
    case .uart8250:
      read(UART8250.lineControl) & UART8250.divisorAccess == 0
        && read(UART8250.lineStatus) & UART8250.transmitEmpty != 0
    case .other: false
    }
  }

  /// Registers by number (Arm DDI 0183, section 3.2), of which a tree says that they are 4 bytes apart.
  private enum PL011 {
    /// UARTFR.
    static var flags: UInt64 { 6 }
    /// UARTFR.TXFF: the transmit queue is full.
    static var transmitFull: UInt32 { 1 << 5 }
  }

  /// Registers by number, as the 16550 has them.
  private enum UART8250 {
    /// LCR.
    static var lineControl: UInt64 { 3 }
    /// LCR.DLAB: the first registers are the divisor.
    static var divisorAccess: UInt32 { 1 << 7 }
    /// LSR; to read it clears the errors that it tells.
    static var lineStatus: UInt64 { 5 }
    /// LSR.THRE: the transmit register is empty.
    static var transmitEmpty: UInt32 { 1 << 5 }
  }

  // Every access to a register is one of these two.

  private func read(_ register: UInt64) -> UInt32 {
    let address = base &+ register << UInt64(description.registerShift)
    return switch description.registerWidth {
    case .byte: UInt32(pc_readb(address))
    case .half: UInt32(pc_readw(address))
    case .word, .double: pc_readl(address)
    }
  }

  private func write(_ register: UInt64, _ value: UInt32) {
    let address = base &+ register << UInt64(description.registerShift)
    switch description.registerWidth {
    case .byte: pc_writeb(address, value)
    case .half: pc_writew(address, value)
    case .word, .double: pc_writel(address, value)
    }
  }
}
