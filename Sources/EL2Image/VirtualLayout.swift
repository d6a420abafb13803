// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// EL2's 48-bit virtual address space, as the image lays it out:
//
//   0x0000_0000_0000   the page that turns the MMU on, at its physical address (identity)
//        …
//   0x4000_0000_0000   the image at its link addresses (CShims/EL2Boot/el2.ld)
//   0x5000_0000_0000   window for memory: device tree, what is placed for the host
//   0x6000_0000_0000   window for devices: console, claimed frames
//   0x7000_0000_0000   end of what is used

internal import Architecture

/// The windows of EL2's address space that are filled from below and never reused.
enum VirtualLayout {
  /// Where memory that is not part of the image is mapped.
  static let memoryWindow = VirtualAddress(0x5000_0000_0000)
  /// Where device frames are mapped.
  static let deviceWindow = VirtualAddress(0x6000_0000_0000)
  /// The size of each window in bytes.
  static let windowSize: UInt64 = 0x1000_0000_0000
}
