// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why a region was not registered; nothing has changed.
public enum RegistryError: Error, Hashable, Sendable {
  /// The registry is frozen; the base of the region that came too late.
  case frozen(PhysicalAddress)
  /// The registry holds as many regions as it can; the base of the region that didn't fit.
  case full(PhysicalAddress)
  /// The base is not aligned to 4 KiB.
  case misaligned(PhysicalAddress)
  /// The region at this base has no pages or no frames.
  case empty(PhysicalAddress)
  /// The region at this base leaves the 52-bit physical address space.
  case outOfRange(PhysicalAddress)
  /// The stride isn't a power of two, or is smaller than a frame.
  case stride(UInt64)
  /// The EL2 virtual address isn't aligned to 4 KiB or wraps within the region.
  case virtualAddress(VirtualAddress)
  /// A page of the region is held by the region at this index already.
  case overlap(PhysicalAddress, with: Int)
}
