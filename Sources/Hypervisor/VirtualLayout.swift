// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// EL2's 48-bit virtual address space, as the image lays it out:
//
//   0x0000_0000_0000   the page that turns the MMU on, at its physical address (identity)
//        …
//   0x4000_0000_0000   the image at its link addresses (CShims/EL2Boot/el2.ld)
//   0x4800_0000_0000   the CPUs' stacks (EL2_STACKS)
//   0x4900_0010_0000   the boot CPU's stack (EL2_BOOT_STACK)
//   0x5000_0000_0000   the console
//   0x5800_0000_0000   the Redistributors, 4 GiB a region
//   0x5900_0000_0000   the Distributor
//   0x6000_0000_0000   window for claimed device registers
//        …
//   0x8000_0000_0000   memory that is not part of the image, by physical address

internal import Architecture
internal import CEL2Boot
internal import Ownership

/// Where EL2 sees what.
enum VirtualLayout {
  /// One more than the largest physical address at which the image can run: above it the identity
  /// map of one page would meet the image itself.
  static var identityLimit: UInt64 { 0x4000_0000_0000 }

  /// The stack of a CPU; what lies below it, as large, stays unmapped: a guard.
  static func stack(_ cpu: UInt64) -> VirtualAddress {
    VirtualAddress(el2_stacks + (2 * cpu + 1) * el2_stack_size)
  }

  /// The console's registers.
  static var console: VirtualAddress { VirtualAddress(0x5000_0000_0000) }

  /// The Redistributors of region `index` of the tree.
  static func redistributors(_ index: Int) -> VirtualAddress {
    VirtualAddress(0x5800_0000_0000 + UInt64(index) << 32)
  }

  /// The most pages of a region of Redistributors.
  static var redistributorRegionPages: UInt64 { 1 << 20 }

  /// The Distributor's first page.
  static var distributor: VirtualAddress { VirtualAddress(0x5900_0000_0000) }

  /// Where physical address 0 is seen.
  static var linearBase: UInt64 { 0x8000_0000_0000 }

  /// The parts that ownership fills.
  static var space: EL2AddressSpace? {
    EL2AddressSpace(
      linearBase: VirtualAddress(linearBase),
      linearPages: 0x8000_0000_0000 >> PageFrameNumber.shift,
      window: VirtualAddress(0x6000_0000_0000),
      windowPages: 0x1000_0000_0000 >> PageFrameNumber.shift)
  }

  /// Where EL2 sees memory outside the image, while it is mapped.
  static func linear(_ address: PhysicalAddress) -> VirtualAddress {
    VirtualAddress(address.rawValue &+ linearBase)
  }
}
