// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// EL2's 48-bit virtual address space, as a start-up lays it out:
//
//   0x0000_0000_0000   the page that turns the MMU on, at its physical address (identity)
//        …
//   0x4000_0000_0000   the image at its link addresses (CShims/EL2Boot/el2.ld)
//   0x4800_0000_0000   the CPUs' stacks (EL2_STACKS)
//   0x4900_0010_0000   the boot CPU's stack (EL2_BOOT_STACK), until the host is entered
//   0x5000_0000_0000   the console
//   0x5800_0000_0000   the Redistributors, 4 GiB a region
//   0x5900_0000_0000   the Distributor
//   0x6000_0000_0000   window for claimed device registers
//        …
//   0x8000_0000_0000   memory that is not part of the image, by physical address

package import Architecture
package import Ownership

/// Where EL2 sees what.
package enum VirtualLayout {
  /// One more than the largest physical address at which the image can run: above it the identity
  /// map of one page would meet the image itself.
  package static var identityLimit: UInt64 { 0x4000_0000_0000 }

  /// The console's registers.
  package static var console: VirtualAddress { VirtualAddress(0x5000_0000_0000) }

  /// The Redistributors of region `index` of the tree.
  package static func redistributors(_ index: Int) -> VirtualAddress {
    VirtualAddress(0x5800_0000_0000 + UInt64(index) << 32)
  }

  /// The most pages of a region of Redistributors.
  package static var redistributorRegionPages: UInt64 { 1 << 20 }

  /// The Distributor's first page.
  package static var distributor: VirtualAddress { VirtualAddress(0x5900_0000_0000) }

  /// Where physical address 0 is seen.
  package static var linearBase: UInt64 { 0x8000_0000_0000 }

  /// The parts that ownership fills.
  package static var space: EL2AddressSpace? {
    EL2AddressSpace(
      linearBase: VirtualAddress(linearBase),
      linearPages: 0x8000_0000_0000 >> PageFrameNumber.shift,
      window: VirtualAddress(0x6000_0000_0000),
      windowPages: 0x1000_0000_0000 >> PageFrameNumber.shift)
  }

  /// Where EL2 sees memory outside the image, while it is mapped.
  package static func linear(_ address: PhysicalAddress) -> VirtualAddress {
    VirtualAddress(address.rawValue &+ linearBase)
  }
}
