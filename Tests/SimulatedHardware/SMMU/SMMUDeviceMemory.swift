// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// The registers of SMMUs at EL2 virtual addresses that equal the physical ones; any other access is an
/// external abort.
package struct SMMUDeviceMemory: DeviceMemory {
  /// The SMMUs.
  package let units: [SimulatedSMMU]
  /// Called for each access, with the SMMU, the offset, and what is written, nil for a read; false answers
  /// with an abort.
  private let permits: (Int, UInt64, UInt64?) -> Bool
  /// Called behind each read, with the SMMU, the offset, and what was read.
  private let answered: (Int, UInt64, UInt64) -> Void

  /// Makes it.
  package init(
    _ units: [SimulatedSMMU],
    permits: @escaping (Int, UInt64, UInt64?) -> Bool = { _, _, _ in true },
    answered: @escaping (Int, UInt64, UInt64) -> Void = { _, _, _ in }
  ) {
    self.units = units
    self.permits = permits
    self.answered = answered
  }

  private func unit(at address: VirtualAddress, _ value: UInt64?) -> (Int, UInt64)? {
    for (index, unit) in units.enumerated() where address.rawValue &- unit.base < 0x2_0000 {
      let offset = address.rawValue - unit.base
      return permits(index, offset, value) ? (index, offset) : nil
    }
    return nil
  }

  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    guard let (index, offset) = unit(at: address, nil) else { return nil }
    let value = units[index].read(width, at: offset)
    if let value { answered(index, offset, value) }
    return value
  }

  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    guard let (index, offset) = unit(at: address, value) else { return false }
    return units[index].write(width, value, at: offset)
  }

  package func orderAccesses() { for unit in units { unit.memory.publish() } }
}
