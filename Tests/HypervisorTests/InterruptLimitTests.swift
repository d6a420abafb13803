// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Hypervisor

/// One register.
private struct OneRegister: DeviceMemory {
  let address: UInt64
  let value: UInt64

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    address.rawValue == self.address && width == .word ? value : nil
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool { false }
  func orderAccesses() {}
}

@Suite("How many INTIDs there are")
struct InterruptLimitTests {
  @Test(
    "GICD_TYPER.IDbits is the number of bits minus one",
    arguments: [(9, 1 << 10), (15, 1 << 16), (23, 1 << 24), (31, 1 << 32)] as [(UInt64, UInt64)])
  func bits(field: UInt64, limit: UInt64) {
    // All other fields are set.
    let value = 0xffff_ffff & ~(0x1f << 19) | field << 19
    let register = OneRegister(address: 0x1004, value: value)
    #expect(InterruptLimit.read(at: VirtualAddress(0x1000), through: register) == limit)
  }

  @Test("A Distributor that does not answer has none")
  func silent() {
    let register = OneRegister(address: 0, value: 0)
    #expect(InterruptLimit.read(at: VirtualAddress(0x1000), through: register) == nil)
  }
}
