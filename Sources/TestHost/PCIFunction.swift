// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// A function on the first bus of the board's PCI, by its configuration space.
struct PCIFunction {
  /// Bus, device and function in 16 bits: the requester, which on this board is the stream and the DeviceID as well.
  let requester: UInt32

  private enum Offset {
    static let identity: UInt64 = 0x00
    static let command: UInt64 = 0x04
    static let firstBase: UInt64 = 0x10
    static let capabilities: UInt64 = 0x34
  }

  private var space: UInt64 { Board.configurationSpace + UInt64(requester) << 12 }

  /// The function `index` in the order of the devices' numbers, of those with this vendor and device; nil where
  /// there is none.
  static func find(vendor: UInt64, device: UInt64, index: UInt64 = 0) -> PCIFunction? {
    var left = index
    for number in 0..<32 as Range<UInt32> {
      let function = PCIFunction(requester: number << 3)
      guard load32(function.space + Offset.identity) == device << 16 | vendor else { continue }
      if left == 0 { return function }
      left -= 1
    }
    return nil
  }

  /// Gives its first window an address of the bus, and lets it answer there and do DMA.
  func enable(at address: UInt64) {
    store32(space + Offset.firstBase, address)
    // Memory space, bus master.
    store32(space + Offset.command, 1 << 1 | 1 << 2)
  }

  /// Has it signal by writing `data` to `address`; false where it has no MSIs of 64-bit addresses.
  func enableMSI(address: UInt64, data: UInt64) -> Bool {
    var place = load32(space + Offset.capabilities) & 0xfc
    for _ in 0..<48 where place != 0 {
      let head = load32(space + place)
      // Capability 5: message control in the upper half, 64-bit addresses by bit [7] of it.
      if head & 0xff == 5, head >> 23 & 1 == 1 {
        store32(space + place + 4, address & 0xffff_ffff)
        store32(space + place + 8, address >> 32)
        store32(space + place + 12, data)
        store32(space + place, head | 1 << 16)
        return true
      }
      place = head >> 8 & 0xfc
    }
    return false
  }
}
