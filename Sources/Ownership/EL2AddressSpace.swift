// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The parts of EL2's 48-bit virtual address space that ownership uses, apart from the image's own.
///
/// Memory has one address for each physical address, so that it can be mapped and unmapped for ever
/// without an allocator. Device registers get the next free addresses of a window instead: they may
/// lie anywhere in the physical space, and an address of the window is never used twice.
public struct EL2AddressSpace: Sendable {
  /// The virtual address of physical address 0.
  public let linearBase: VirtualAddress
  /// How many pages from there are reserved for memory.
  public let linearPages: UInt64
  /// The first virtual address for device registers.
  public let window: VirtualAddress
  /// How many pages from there are reserved for device registers.
  public let windowPages: UInt64

  static let geometry48: UInt64 = 48
  static let pageLimit: UInt64 = 1 << (48 - PageFrameNumber.shift)

  /// Makes a layout; nil where a part is not page-aligned, leaves the 48-bit space or overlaps the
  /// other.
  public init?(
    linearBase: VirtualAddress, linearPages: UInt64, window: VirtualAddress, windowPages: UInt64
  ) {
    guard
      let linear = Self.pages(linearBase, linearPages),
      let devices = Self.pages(window, windowPages),
      !linear.overlaps(devices)
    else { return nil }
    self.linearBase = linearBase
    self.linearPages = linearPages
    self.window = window
    self.windowPages = windowPages
  }

  /// The page numbers of `count` pages from `address`; nil where they leave the 48-bit space.
  static func pages(_ address: VirtualAddress, _ count: UInt64) -> Range<UInt64>? {
    let first = address.rawValue >> PageFrameNumber.shift
    guard address.isAligned(to: PageFrameNumber.size), first < pageLimit,
      count > 0, count <= pageLimit - first
    else { return nil }
    return first..<first + count
  }
}
