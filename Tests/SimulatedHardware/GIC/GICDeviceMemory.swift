// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// The registers of a board at EL2 virtual addresses.
///
/// Each window maps consecutive virtual addresses to frames of an ITS or of Redistributors; an access
/// outside all of them is an external abort.
package struct GICDeviceMemory: DeviceMemory {
  /// Consecutive virtual addresses.
  package struct Window {
    /// The first virtual address.
    package var virtual: VirtualAddress
    /// The physical address there.
    package var physical: UInt64
    /// The size in bytes.
    package var size: UInt64

    /// Makes a window.
    package init(virtual: VirtualAddress, physical: UInt64, size: UInt64) {
      self.virtual = virtual
      self.physical = physical
      self.size = size
    }
  }

  /// The board.
  package let gic: SimulatedGIC
  /// The windows; the first that has the address counts.
  package var windows: [Window]

  /// Makes it; without windows every frame is at its physical address.
  package init(_ gic: SimulatedGIC, windows: [Window]? = nil) {
    self.gic = gic
    self.windows = windows ?? [Window(virtual: VirtualAddress(0), physical: 0, size: .max)]
  }

  private func physical(_ address: VirtualAddress) -> UInt64? {
    for window in windows where address.rawValue &- window.virtual.rawValue < window.size {
      return window.physical &+ (address.rawValue - window.virtual.rawValue)
    }
    return nil
  }

  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    guard let physical = physical(address) else { return nil }
    return gic.read(width, at: physical)
  }

  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    guard let physical = physical(address) else { return false }
    return gic.write(width, value, at: physical)
  }

  package func orderAccesses() { gic.memory.publish() }
}
