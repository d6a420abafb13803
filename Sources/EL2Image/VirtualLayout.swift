// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// EL2's 48-bit virtual address space, as the image lays it out:
//
//   0x0000_0000_0000   the page that turns the MMU on, at its physical address (identity)
//        …
//   0x4000_0000_0000   the image at its link addresses (CShims/EL2Boot/el2.ld)
//   0x6000_0000_0000   window for device registers: console, claimed frames
//        …
//   0x8000_0000_0000   memory that is not part of the image, by physical address

internal import Architecture
internal import Ownership

/// Where EL2 sees what.
enum VirtualLayout {
  /// One more than the largest physical address at which the image can run: above it the identity
  /// map of one page would meet the image itself.
  static let identityLimit: UInt64 = 0x4000_0000_0000

  /// The parts that ownership fills.
  static var space: EL2AddressSpace? {
    EL2AddressSpace(
      linearBase: VirtualAddress(0x8000_0000_0000),
      linearPages: 0x8000_0000_0000 >> PageFrameNumber.shift,
      window: VirtualAddress(0x6000_0000_0000),
      windowPages: 0x1000_0000_0000 >> PageFrameNumber.shift)
  }
}
