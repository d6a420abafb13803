// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import Redistributor

/// Registers that read as zero, and no memory that could be held.
struct PlainMachine: RedistributorMachine {
  struct Registers: DeviceMemory {
    func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? { 0 }
    func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
      value == 0
    }
    func orderAccesses() {}
  }

  var registers: Registers { Registers() }
  var affinity: UInt32 { 0 }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    throw .empty
  }
  func release(_ slot: UInt64, of table: inout PinTable) {}
}
