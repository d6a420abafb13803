// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import UEFI

/// By whom the image was started, and with what.
package enum BootSource: Sendable {
  /// A boot loader, which is gone: by the device tree there.
  case loader(tree: PhysicalAddress)
  /// Firmware that goes on as the host.
  case firmware(Firmware)

  /// Firmware that goes on as the host.
  package struct Firmware: Sendable {
    /// What it hands over in memory.
    let block: AddressRange
    /// Where it goes on.
    let landing: PhysicalAddress
    /// By what it ran at EL2.
    let registers: FirmwareRegisters

    /// Collects what is known.
    package init(block: AddressRange, landing: PhysicalAddress, registers: FirmwareRegisters) {
      self.block = block
      self.landing = landing
      self.registers = registers
    }
  }
}

/// What has become of a start-up.
package enum BootOutcome: Sendable {
  /// The host may run.
  case host(HostStart)
  /// Nothing was changed, and the firmware that has started the image may go on at EL2.
  case refused
  /// The board was switched off.
  case ended
}
