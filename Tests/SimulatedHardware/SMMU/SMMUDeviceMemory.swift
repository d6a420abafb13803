// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// The registers of SMMUs at EL2 virtual addresses that equal the physical ones; any other access is an
/// external abort.
package struct SMMUDeviceMemory: DeviceMemory {
  /// The SMMUs.
  package let units: [SimulatedSMMU]

  /// Makes it.
  package init(_ units: [SimulatedSMMU]) { self.units = units }

  private func unit(at address: VirtualAddress) -> (SimulatedSMMU, UInt64)? {
    for unit in units where address.rawValue &- unit.base < 0x2_0000 {
      return (unit, address.rawValue - unit.base)
    }
    return nil
  }

  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    guard let (unit, offset) = unit(at: address) else { return nil }
    return unit.read(width, at: offset)
  }

  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    guard let (unit, offset) = unit(at: address) else { return false }
    return unit.write(width, value, at: offset)
  }

  package func orderAccesses() { for unit in units { unit.memory.publish() } }
}
