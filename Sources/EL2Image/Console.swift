// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import Boards
internal import Hypervisor
internal import UEFI

/// The transmit side of a UART that a device tree describes, or text in memory.
///
/// The host may have switched a UART off, or be changing its speed, while EL2 writes: a byte is then given up.
struct Console: LogOutput {
  /// What the board has; never `other`; nil for text.
  private let description: ConsoleDescription?
  /// Where the registers are now, or the block that has the text.
  private let base: UInt64
  /// Whether this CPU is at EL2, and an abort of an access an answer.
  private let isGuarded: Bool

  /// Looks at the flags before a byte is given up.
  private static var polls: Int { 4096 }

  /// A console whose registers are at `base` now; nil where it is of no kind that is known.
  init?(_ description: ConsoleDescription, at base: UInt64, isGuarded: Bool = true) {
    guard description.kind != .other else { return nil }
    self.description = description
    self.base = base
    self.isGuarded = isGuarded
  }

  /// The text of a block that UEFI's application hands over, which is at `block` now.
  init(textOf block: UInt64) {
    description = nil
    base = block
    isGuarded = false
  }

  /// Adds a byte to the text; false where it is full.
  private func add(_ byte: UInt8) -> Bool {
    let count = base &+ FirmwareOffer.Word.textUsed.offset
    let used = pc_load64(count)
    guard used < FirmwareOffer.partsOffset - FirmwareOffer.textOffset else { return false }
    pc_store8(base &+ FirmwareOffer.textOffset &+ used, byte)
    pc_store64(count, used + 1)
    return true
  }

  /// Sends one byte; false where the device did not take it in bounded time, or answers with an abort.
  func send(_ byte: UInt8) -> Bool {
    guard let description else { return add(byte) }
    for _ in 0..<Self.polls {
      guard let isReady = isReady(description) else { return false }
      // The data register is the first of either kind.
      if isReady { return write(0, byte, description) }
    }
    return false
  }

  /// Whether there is room for a byte; nil for an abort.
  private func isReady(_ description: ConsoleDescription) -> Bool? {
    switch description.kind {
    case .pl011: return read(PL011.flags, description).map { $0 & PL011.transmitFull == 0 }
    // The first register is the divisor's while the host sets a speed.
    case .uart8250:
      guard let control = read(UART8250.lineControl, description),
        let status = read(UART8250.lineStatus, description)
      else { return nil }
      return control & UART8250.divisorAccess == 0 && status & UART8250.transmitEmpty != 0
    case .other: return nil
    }
  }

  /// Registers by number (Arm DDI 0183, section 3.2), of which a tree says that they are 4 bytes apart.
  private enum PL011 {
    /// UARTFR.
    static var flags: UInt64 { 6 }
    /// UARTFR.TXFF: the transmit queue is full.
    static var transmitFull: UInt64 { 1 << 5 }
  }

  /// Registers by number, as the 16550 has them.
  private enum UART8250 {
    /// LCR.
    static var lineControl: UInt64 { 3 }
    /// LCR.DLAB: the first registers are the divisor.
    static var divisorAccess: UInt64 { 1 << 7 }
    /// LSR; to read it clears the errors that it tells.
    static var lineStatus: UInt64 { 5 }
    /// LSR.THRE: the transmit register is empty.
    static var transmitEmpty: UInt64 { 1 << 5 }
  }

  // Every access to a register is one of these two, and guarded at EL2: the device is the host's.

  private func read(_ register: UInt64, _ description: ConsoleDescription) -> UInt64? {
    let place = place(register, description)
    guard !isGuarded else { return MetalDeviceMemory().read(description.registerWidth, at: place) }
    return switch description.registerWidth {
    case .byte: pc_readb(place.rawValue)
    case .half: pc_readw(place.rawValue)
    case .word, .double: pc_readl(place.rawValue)
    }
  }

  private func write(
    _ register: UInt64, _ byte: UInt8, _ description: ConsoleDescription
  ) -> Bool {
    let (place, value) = (place(register, description), UInt64(byte))
    guard !isGuarded else {
      return MetalDeviceMemory().write(description.registerWidth, value, at: place)
    }
    switch description.registerWidth {
    case .byte: pc_writeb(place.rawValue, value)
    case .half: pc_writew(place.rawValue, value)
    case .word, .double: pc_writel(place.rawValue, value)
    }
    return true
  }

  private func place(
    _ register: UInt64, _ description: ConsoleDescription
  ) -> VirtualAddress {
    VirtualAddress(base &+ register << UInt64(description.registerShift))
  }
}
