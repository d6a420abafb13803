// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import Ownership
internal import Redistributor

/// What the mediation of the Redistributors needs, on the CPU that runs this.
package struct RedistributorTrapMachine<Machine: Platform>: RedistributorMachine {
  private let platform: Machine

  init(_ platform: Machine) { self.platform = platform }

  /// The registers of the hardware.
  package var registers: Machine.Registers { platform.registers }
  /// Aff3 to Aff0 of this CPU.
  package var affinity: UInt32 { Self.affinity(ofMPIDR: platform.multiprocessorAffinity) }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try platform.pages(holding: .redistributor).hold(pages, in: &table)
  }

  package func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    platform.memory.output(of: address)
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    platform.pages(holding: .redistributor).release(slot, of: &table)
  }
}
